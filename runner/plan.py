"""The Plan: closed, printable, hashable; every name, digest, timeout and undo is fixed in it, and it does nothing."""

from __future__ import annotations

import hashlib
from itertools import groupby
from typing import Literal

from pydantic import Field, ValidationError

from runner.errors import UsageError
from runner.facts import Fact
from runner.retention import Retention
from runner.steps import AnyForward
from runner.steps.nouns import Blueprint, Phase
from runner.vault.port import Room, Source, VaultPlace


class Side(Fact):
    """One side of an upgrade: an image and the version it says it is (empty where it says nothing)."""

    image_ref: str
    image_id: str
    version: str = ""
    digest: str = ""
    """The name in its registry that never moves, ``repository@sha256:…``; empty where no registry gave the image."""
    data: str = ""
    """The version its data is of, where that is another than the image's: the vendor's rules are about this one."""

    @property
    def ruled(self) -> str:
        """The version the vendor's rules are asked for."""
        return self.data or self.version

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


class Member(Fact):
    """One container of a plan, with all that is made and kept for it; most plans have one."""

    target: str
    """The container's name."""
    run: str
    """What its successor, room and held image are labelled with: the plan's run, in a stack with a number behind."""
    container_id: str
    kept_name: str
    staging_name: str
    old: Side
    new: Side
    recipe: str = ""
    room: Room
    sources: tuple[Source, ...]
    expectations: tuple[Expectation, ...]
    held_tag: str
    """The tag that holds the old image."""
    way_back: Blueprint
    """How to create the old container again when this one is long gone."""
    recreated: bool = True
    """Whether a successor takes its place; else it is only stopped and started."""


class Plan(Fact):
    """One upgrade or rollback, complete: of one target, or of a stack of them."""

    format: Literal[2] = 2
    verb: Literal["upgrade", "rollback", "rehearsal", "restore"]
    run: str
    made_at: str
    engine_id: str
    target: str
    """The name of the target or of the stack."""
    members: tuple[Member, ...] = Field(min_length=1)
    """In the order in which they are started; they are stopped the other way round."""
    warnings: tuple[PlanWarning, ...]
    estimate: Estimate
    keep: int = 3
    """How many snapshots of each target a commit leaves."""
    keep_for_s: int = 0
    """It leaves those that are younger, too."""
    hold: bool = False
    """Whether the verdict stays open until somebody commits or rolls back."""
    unchecked: bool = False
    """Whether the checks of the recipe were left out."""
    steps: tuple[AnyForward, ...]

    @property
    def lead(self) -> Member:
        """The first member: the only one of a plan that is no stack."""
        return self.members[0]

    @property
    def place(self) -> VaultPlace:
        """Where its snapshots are kept."""
        return self.lead.room.place

    @property
    def recipe(self) -> str:
        """The recipes of its members, each once."""
        return ", ".join(dict.fromkeys(member.recipe for member in self.members if member.recipe))

    @property
    def is_stack(self) -> bool:
        """Whether several go together."""
        return len(self.members) > 1

    @property
    def names(self) -> tuple[str, ...]:
        """All that a plan is called by: its own name and those of its containers."""
        return tuple(dict.fromkeys((self.target, *(member.target for member in self.members))))

    @property
    def old(self) -> Side:
        """Where it comes from; of a stack, in words alone."""
        return _both(tuple(member.old for member in self.changing))

    @property
    def new(self) -> Side:
        """Where it goes to; of a stack, in words alone."""
        return _both(tuple(member.new for member in self.changing))

    @property
    def changing(self) -> tuple[Member, ...]:
        """The members that get another image; all where none does."""
        return tuple(each for each in self.members if each.old.image_id != each.new.image_id) or self.members

    @property
    def sources(self) -> tuple[Source, ...]:
        """The data of all members; keys are unique within one member only."""
        return tuple(source for member in self.members for source in member.sources)

    @property
    def expectations(self) -> tuple[Expectation, ...]:
        """What it relies on, of all members."""
        return tuple(one for member in self.members for one in member.expectations)

    def member_of(self, step: AnyForward) -> Member:
        """Whose step it is."""
        return next((member for member in self.members if member.run == step.member), self.lead)

    @property
    def retention(self) -> Retention:
        """Which snapshots stay."""
        return Retention(keep=self.keep, keep_for_s=self.keep_for_s)

    @property
    def digest(self) -> str:
        """SHA-256 over the canonical JSON."""
        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()

    @property
    def brought(self) -> tuple[Room, ...]:
        """The rooms archives were unpacked into for this plan; they are this run's to remove."""
        mine = {f"{member.run}{BROUGHT}" for member in self.members}
        earlier = (step.earlier for step in self.steps if step.kind == "bring-back-data")
        return tuple(room for room in earlier if room.run in mine)

    def member_at(self, key: str) -> Member:
        """Whose step, or undo of a step, a key of the journal names."""
        return self.member_of(self.steps[int(key.partition(".")[0]) - 1])

    def to_json(self) -> str:
        """The file format: indented JSON, one final newline."""
        return self.model_dump_json(indent=2) + "\n"


def _both(sides: tuple[Side, ...]) -> Side:
    """Several sides as one, each version said once; no image has its id."""
    if len(sides) == 1:
        return sides[0]
    refs, versions = (tuple(dict.fromkeys(texts)) for texts in (
        (side.image_ref for side in sides), (side.spoken for side in sides)))  # fmt: skip
    return Side(image_ref=", ".join(refs), image_id="", version=", ".join(versions))


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
    """The steps with their keys, in the order of the plan; a stack comes to a phase again and again."""
    keyed = ((step_key(index), step) for index, step in enumerate(plan.steps))
    return tuple((phase, tuple(pairs)) for phase, pairs in groupby(keyed, key=lambda pair: pair[1].phase))
