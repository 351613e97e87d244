"""The Plan: closed, printable, hashable; every name, digest, timeout and undo is fixed in it, and it does nothing."""

from __future__ import annotations

import hashlib
from typing import Literal

from pydantic import ValidationError

from runner.errors import UsageError
from runner.facts import Fact
from runner.retention import Retention
from runner.steps import AnyForward
from runner.steps.nouns import Blueprint, Phase
from runner.vault.port import Room, Source


class Side(Fact):
    """One side of an upgrade: an image and the version it says it is (empty where it says nothing)."""

    image_ref: str
    image_id: str
    version: str = ""

    @property
    def spoken(self) -> str:
        """How people call it."""
        return self.version or self.image_ref


class Expectation(Fact):
    """One thing the plan relies on; ``apply`` looks again and refuses a plan whose world changed."""

    about: str
    was: str


class PlanWarning(Fact):
    """Something an upgrade will lose or change, said before anything happens."""

    code: str
    text: str


class Estimate(Fact):
    """The expected downtime in seconds, with its reasons, and what the snapshot takes; never used as a limit."""

    downtime_s: float
    reasons: tuple[str, ...]
    vault_bytes: int = 0
    free_bytes: int = 0


class Plan(Fact):
    """One upgrade or rollback of one target, complete."""

    format: Literal[1] = 1
    verb: Literal["upgrade", "rollback", "rehearsal", "restore"]
    run: str
    made_at: str
    engine_id: str
    target: str
    container_id: str
    kept_name: str
    staging_name: str
    old: Side
    new: Side
    recipe: str = ""
    room: Room
    sources: tuple[Source, ...]
    expectations: tuple[Expectation, ...]
    warnings: tuple[PlanWarning, ...]
    estimate: Estimate
    keep: int = 3
    """How many snapshots of this target a commit leaves."""
    keep_for_s: int = 0
    """It leaves those that are younger, too."""
    hold: bool = False
    """Whether the verdict stays open until somebody commits or rolls back."""
    unchecked: bool = False
    """Whether the checks of the recipe were left out."""
    held_tag: str
    """The tag that holds the old image."""
    way_back: Blueprint
    """How to create the old container again when this one is long gone."""
    steps: tuple[AnyForward, ...]

    @property
    def retention(self) -> Retention:
        """Which snapshots stay."""
        return Retention(keep=self.keep, keep_for_s=self.keep_for_s)

    @property
    def digest(self) -> str:
        """SHA-256 over the canonical JSON."""
        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()

    @property
    def brought(self) -> Room | None:
        """The room an archive was unpacked into for this plan; it is this run's to remove."""
        earlier = (step.earlier for step in self.steps if step.kind == "bring-back-data")
        return next((room for room in earlier if room.run == f"{self.run}{BROUGHT}"), None)

    def to_json(self) -> str:
        """The file format: indented JSON, one final newline."""
        return self.model_dump_json(indent=2) + "\n"


def plan_from_json(text: str, name: str) -> Plan:
    """Read a saved plan; UsageError ``bad-plan`` says what is wrong and where."""
    try:
        return Plan.model_validate_json(text)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        what = f"{name} is not a plan of this version of refloat: {first['msg']}{f' (at {where})' if where else ''}."
        raise UsageError("bad-plan", what, then="Make it anew: refloat plan TARGET --to VERSION --out FILE") from None


BROUGHT = "-archive"
"""How the room ends that an archive was unpacked into; before that comes the run it was done for."""

HELD = "refloat/held:"


def held_tag(run: str) -> str:
    """The tag under which a run holds its old image."""
    return f"{HELD}{run}"


def step_key(index: int) -> str:
    """The journal's key of a forward step; steps count from 1."""
    return str(index + 1)


def undo_key(index: int, part: int) -> str:
    """The journal's key of one part of a step's undo."""
    return f"{index + 1}.{part + 1}"


def phases(plan: Plan) -> tuple[tuple[Phase, tuple[tuple[str, AnyForward], ...]], ...]:
    """The steps with their keys, grouped by phase in the order of the plan."""
    keyed = tuple((step_key(index), step) for index, step in enumerate(plan.steps))
    order = dict.fromkeys(step.phase for step in plan.steps)
    return tuple((phase, tuple(pair for pair in keyed if pair[1].phase is phase)) for phase in order)
