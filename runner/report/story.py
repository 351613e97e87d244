"""One run or rehearsal as it is told: all that a report shows, in words and figures; it renders nothing.

Times ending in ``_s`` are seconds; ``begun_s`` counts from the story's own beginning. Every text is safe to show:
secrets are hidden, control characters are gone.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Literal

from runner.facts import Fact


class Mark(StrEnum):
    """How an end is to be taken."""

    GOOD = "good"
    BACK = "back"
    """It failed, and nothing was lost."""
    BAD = "bad"
    OPEN = "open"


class StepState(StrEnum):
    """What became of a step."""

    DONE = "done"
    FAILED = "failed"
    CUT_OFF = "cut off"
    NOT_REACHED = "not reached"


class SideTold(Fact):
    """One side of the change: how people call it, and the very image."""

    spoken: str
    image: str
    image_id: str


class Figure(Fact):
    """One figure; ``unit`` is s (seconds), B (bytes), or empty for a plain count."""

    code: str
    """Stable: scripts match it."""
    name: str
    value: float
    unit: Literal["s", "B", ""] = ""
    note: str = ""


class Advice(Fact):
    """What to do next: why, and what to type."""

    text: str
    command: str = ""

    @property
    def sentence(self) -> str:
        """Both in one line."""
        return f"{self.text}: {self.command}" if self.command else self.text


class Span(Fact):
    """A part of the story's time; ``until_s`` is None while it lasts."""

    begun_s: float
    until_s: float | None


class StepTold(Fact):
    """One step and what became of it."""

    key: str
    phase: str
    """prepare, freeze, change, prove, open, or back for the steps of the way back."""
    sentence: str
    cause: str = ""
    state: StepState
    begun_s: float = 0
    took_s: float = 0
    found: str = ""
    """What it found out, in words."""
    code: str = ""
    """Why it failed, for scripts."""
    what: str = ""
    """Why it failed, in words."""
    log: tuple[str, ...] = ()
    """The last the container said before that."""


class Act(Fact):
    """What one runner did at a stretch; a run that was taken up again has several."""

    title: str
    at: str
    """When it began, RFC 3339."""
    begun_s: float
    took_s: float
    steps: tuple[StepTold, ...]
    turned_s: float | None = None
    """When it turned back."""
    down: Span | None = None
    """When nothing served."""


class ProbeTold(Fact):
    """One question about health; ``ok`` is None where it was not asked or the answer is not known."""

    name: str
    ok: bool | None
    answer: str


class EvidenceTold(Fact):
    """One fact measured before and after; ``ok`` is None where the old version did not answer."""

    name: str
    ok: bool | None
    words: str
    before: str | None
    after: str | None


class FileTold(Fact):
    """One file that the new version added, changed or deleted; sizes are its lengths."""

    kind: Literal["added", "changed", "deleted"]
    path: str
    before_bytes: int
    after_bytes: int


class DataTold(Fact):
    """What the new version did to one piece of the data."""

    name: str
    words: str
    added: int
    changed: int
    deleted: int
    files: tuple[FileTold, ...]
    """The biggest of them."""


class HopTold(Fact):
    """One hop of a path, a run of its own."""

    old: str
    new: str
    run: str
    ok: bool
    """Whether the new version of this hop runs."""
    downtime_s: float | None


class MemberTold(Fact):
    """One member of a stack that was rehearsed; times are None where it did not come so far, or is at rest."""

    name: str
    change: str
    """Where it goes, in words."""
    ok: bool
    """Whether it was proven there; of a stack that passed each was, but for what is at rest."""
    settle_s: float | None
    """From the old version's start on the copy until it was healthy."""
    ready_s: float | None
    """The same of what runs after the change."""
    evidence: str
    """How much of it is as it should be, in words."""
    data: str
    """What became of its data, in words."""


class CandidateTold(Fact):
    """One of several versions that were rehearsed side by side."""

    version: str
    verdict: Literal["works", "fails", "not tried"]
    why: str
    run: str = ""
    """Its own rehearsal; empty where it was not tried."""
    expected_s: float | None = None
    """The downtime to expect."""
    total_s: float = 0


class Remark(Fact):
    """A warning, from the plan or on the way."""

    code: str
    text: str


class Listing(Fact):
    """Lines under a title; a log, or what was taken away."""

    title: str
    lines: tuple[str, ...]
    is_log: bool = False
    is_verbatim: bool = False
    """Whether blanks count, as in a diff."""


class Event(Fact):
    """One line of the journal in words."""

    at: str
    label: str
    text: str
    log: tuple[str, ...] = ()


class Story(Fact):
    """One run or rehearsal."""

    format: Literal[1] = 1
    verb: Literal["upgrade", "rollback", "rehearsal", "restore"]
    run: str
    target: str
    state: str
    """One or two words: done, rolled back, stuck, passed, …"""
    mark: Mark
    exit_status: int
    headline: str
    code: str = ""
    """Why it did not go through, for scripts; empty where it did."""
    why: str = ""
    old: SideTold
    new: SideTold
    recipe: str = ""
    plan_digest: str = ""
    begun_at: str
    ended_at: str
    committed_at: str = ""
    total_s: float
    downtime_s: float | None = None
    """None where nothing was stopped, or nothing is proven since."""
    way_back: str = ""
    candidates: tuple[CandidateTold, ...] = ()
    hops: tuple[HopTold, ...] = ()
    """Where this run is the last of a path: all of them, in order."""
    members: tuple[MemberTold, ...] = ()
    """Where it is the rehearsal of a stack: its members, in the order in which they are started."""
    figures: tuple[Figure, ...] = ()
    advice: tuple[Advice, ...] = ()
    acts: tuple[Act, ...] = ()
    not_reached: tuple[StepTold, ...] = ()
    probes: tuple[ProbeTold, ...] = ()
    evidence: tuple[EvidenceTold, ...] = ()
    changes: tuple[DataTold, ...] = ()
    """What became of the data; a rehearsal looks."""
    warnings: tuple[Remark, ...] = ()
    listings: tuple[Listing, ...] = ()
    data: tuple[str, ...] = ()
    changed_settings: tuple[str, ...] = ()
    settings: tuple[str, ...] = ()
    """What the user set and the new container keeps, masked."""
    events: tuple[Event, ...] = ()

    @property
    def title(self) -> str:
        """What it is about."""
        return f"{self.verb} of {self.target}: {self.old.spoken} → {self.new.spoken}"

    @property
    def steps(self) -> tuple[StepTold, ...]:
        """Every step that was begun, in order."""
        return tuple(step for act in self.acts for step in act.steps)
