"""Steps of the way forward: each with its phase, its cause, its sentence and its undo; performing them is elsewhere.

Those that prove are in proof.py.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from runner.facts import Json
from runner.steps.back import (
    BackStep,
    CallBack,
    CaptureFailure,
    DiscardRoom,
    NameBack,
    ProveBack,
    ReleaseImage,
    RemoveOurs,
    RestoreData,
    SetPolicyBack,
    StartContainer,
    StopAgain,
    StopOurs,
    policy_words,
)  # fmt: skip
from runner.steps.configuration import CheckConfiguration, CheckDraft, PrepareRefresh, RefreshConfiguration
from runner.steps.hooks import CallHook
from runner.steps.nouns import Blueprint, Existing, HealthTerms, Ours, Phase, Reading, Who
from runner.steps.packages import ComparePackages
from runner.steps.pauses import PauseAgain, Thaw
from runner.steps.proof import AcceptVerdict, CompareEvidence, EditFile, ProveHealth
from runner.steps.silence import EndQuiet, KeepQuiet
from runner.steps.step import ForwardStep
from runner.vault.port import Room, Source


def _spoken(sources: tuple[Source, ...]) -> str:
    return ", ".join(source.spoken for source in sources)


class CreateSuccessor(ForwardStep):
    """Create the new container under its staging name, which is the lock: the engine refuses a second one."""

    kind: Literal["create-successor"] = "create-successor"
    phase: Phase = Phase.PREPARE
    who: Ours
    blueprint: Blueprint

    @property
    def sentence(self) -> str:
        """What it does, in words."""
        return f"create {self.who.spoken} from {self.blueprint.image_ref}"

    def undo(self) -> tuple[BackStep, ...]:
        """Remove it."""
        return (RemoveOurs(who=self.who),)


class HoldImage(ForwardStep):
    """Tag an image, so that neither a moved tag nor a prune can take it."""

    kind: Literal["hold-image"] = "hold-image"
    phase: Phase = Phase.PREPARE
    image_id: str
    image_ref: str
    tag: str

    @property
    def sentence(self) -> str:
        """What it does, in words."""
        return f"hold {self.image_ref} as {self.tag}"

    def undo(self) -> tuple[BackStep, ...]:
        """Take the tag away."""
        return (ReleaseImage(tag=self.tag),)


class WritePapers(ForwardStep):
    """Put plan and facts into the vault, so that losing the runner does not matter."""

    kind: Literal["write-papers"] = "write-papers"
    phase: Phase = Phase.PREPARE
    room: Room
    sources: tuple[Source, ...] = ()
    """What will be copied there next."""

    @property
    def sentence(self) -> str:
        """What it does, in words."""
        return f"put plan and facts into the vault ({self.room.place.volume or self.room.place.path})"

    def undo(self) -> tuple[BackStep, ...]:
        """Discard the room."""
        return (DiscardRoom(room=self.room),)


class TakeEvidence(ForwardStep):
    """Read from the old version what the new one will be compared with."""

    kind: Literal["take-evidence"] = "take-evidence"
    phase: Phase = Phase.PREPARE
    who: Existing
    readings: tuple[Reading, ...]
    terms: HealthTerms

    @property
    def sentence(self) -> str:
        """What it does, in words."""
        names = ", ".join(reading.name for reading in self.readings)
        return f"take evidence of {self.who.spoken}: {names or 'which probes it answers'}"


class WarmCopy(ForwardStep):
    """Copy the bulk while the old version serves."""

    kind: Literal["warm-copy"] = "warm-copy"
    phase: Phase = Phase.PREPARE
    room: Room
    sources: tuple[Source, ...]

    @property
    def sentence(self) -> str:
        """What it does, in words."""
        return f"copy {_spoken(self.sources)} into the vault while it serves"


class StopContainer(ForwardStep):
    """Stop the old container with its own signal and timeout."""

    kind: Literal["stop-container"] = "stop-container"
    phase: Phase = Phase.FREEZE
    who: Existing
    run: str
    timeout_s: int
    clean_required: bool = False
    terms: HealthTerms
    vanishes: Blueprint | None = None
    """How to make it again where the engine deletes it when it stops (``--rm``)."""
    started_hooks: tuple[CallBack, ...] = ()
    """Called once it is started again, before it is seen up: a product may need them to come up at all."""
    back_hooks: tuple[CallBack, ...] = ()
    """Called once it is seen up again."""

    @property
    def sentence(self) -> str:
        """What it does, in words."""
        return f"stop {self.who.spoken} (its own signal, {self.timeout_s} s)"

    def undo(self) -> tuple[BackStep, ...]:
        """Start it and see it up."""
        return (
            StartContainer(who=self.who, run=self.run, stop_timeout_s=self.timeout_s, blueprint=self.vanishes),
            *self.started_hooks,
            ProveBack(who=self.who, run=self.run, terms=self.terms),
            *self.back_hooks,
        )


class SetRestartPolicy(ForwardStep):
    """Set a container's restart policy."""

    kind: Literal["set-restart-policy"] = "set-restart-policy"
    who: Who
    policy: Json
    before: Json

    @property
    def sentence(self) -> str:
        """What it does, in words."""
        return f"restart policy of {self.who.spoken}: {policy_words(self.before)} → {policy_words(self.policy)}"

    def undo(self) -> tuple[BackStep, ...]:
        """Set the earlier one."""
        return (SetPolicyBack(who=self.who, policy=self.before),)


class EnsureSoleUse(ForwardStep):
    """See that no running container has the data; a second server on it corrupts it while looking healthy."""

    kind: Literal["ensure-sole-use"] = "ensure-sole-use"
    sources: tuple[Source, ...]

    @property
    def sentence(self) -> str:
        """What it does, in words."""
        return f"see that nobody runs on {_spoken(self.sources)}"


class ColdCopy(ForwardStep):
    """Copy what changed since the warm copy, verify and seal: from here on there is a snapshot."""

    kind: Literal["cold-copy"] = "cold-copy"
    phase: Phase = Phase.FREEZE
    room: Room
    sources: tuple[Source, ...]
    taken_from: Json

    @property
    def sentence(self) -> str:
        """What it does, in words."""
        return f"copy what changed, verify and seal snapshot {self.room.run}"


class Rename(ForwardStep):
    """Give a container another name."""

    kind: Literal["rename"] = "rename"
    phase: Phase = Phase.CHANGE
    who: Who
    before: str
    name: str

    @property
    def sentence(self) -> str:
        """What it does, in words."""
        return f"rename {self.before} → {self.name}"

    def undo(self) -> tuple[BackStep, ...]:
        """Give the earlier name back."""
        return (NameBack(who=self.who, name=self.before),)


class BringBackData(ForwardStep):
    """Make the data equal to an earlier run's sealed snapshot: the heart of a later rollback."""

    kind: Literal["bring-back-data"] = "bring-back-data"
    phase: Phase = Phase.CHANGE
    earlier: Room
    room: Room
    sources: tuple[Source, ...]

    @property
    def sentence(self) -> str:
        """What it does, in words."""
        return f"restore {_spoken(self.sources)} from snapshot {self.earlier.run}"

    def undo(self) -> tuple[BackStep, ...]:
        """Restore this run's own snapshot."""
        return (RestoreData(room=self.room, sources=self.sources),)


class StartSuccessor(ForwardStep):
    """Start the new version; from here on the way back goes through the snapshot."""

    kind: Literal["start-successor"] = "start-successor"
    phase: Phase = Phase.CHANGE
    who: Ours
    stop_timeout_s: int
    room: Room
    sources: tuple[Source, ...]

    @property
    def sentence(self) -> str:
        """What it does, in words."""
        return f"start {self.who.spoken}"

    def undo(self) -> tuple[BackStep, ...]:
        """Capture, stop, restore the data."""
        restore = (RestoreData(room=self.room, sources=self.sources),) if self.sources else ()
        return (CaptureFailure(who=self.who), StopOurs(who=self.who, timeout_s=self.stop_timeout_s), *restore)


class StartAgain(ForwardStep):
    """Start a member of a stack that keeps its version; the others' new versions may make it write to its data."""

    kind: Literal["start-again"] = "start-again"
    phase: Phase = Phase.CHANGE
    who: Existing
    stop_timeout_s: int
    room: Room
    sources: tuple[Source, ...]

    @property
    def sentence(self) -> str:
        """What it does, in words."""
        return f"start {self.who.spoken} again, as it is"

    def undo(self) -> tuple[BackStep, ...]:
        """Stop it, restore the data; it is started with the others."""
        restore = (RestoreData(room=self.room, sources=self.sources),) if self.sources else ()
        return (StopAgain(who=self.who, timeout_s=self.stop_timeout_s), *restore)


AnyForward = Annotated[
    CreateSuccessor | HoldImage | WritePapers | TakeEvidence | WarmCopy | StopContainer | SetRestartPolicy
    | EnsureSoleUse | ColdCopy | Rename | BringBackData | StartSuccessor | StartAgain | ProveHealth | CompareEvidence
    | EditFile | AcceptVerdict | PrepareRefresh | RefreshConfiguration | CheckConfiguration | ComparePackages
    | CallHook | KeepQuiet | EndQuiet | CheckDraft | Thaw | PauseAgain,
    Field(discriminator="kind"),
]  # fmt: skip
