"""What a product asks of people and of the runner around an upgrade: notes, gates, checks, hooks; nothing here runs."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from runner.hops import Source, Stated
from runner.recipes.patterns import Pattern
from runner.secrecy import secret_word

Argv = Annotated[tuple[str, ...], Field(min_length=1)]
Identifier = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]*$")]


class Note(Stated):
    """A change that comes with a release: acknowledged (incompatible), done (mandatory) or offered (optional)."""

    id: Identifier
    kind: Literal["incompatible", "mandatory", "optional"]
    at: str | None = Field(default=None, description="The first release that brings it; none: every release does.")
    what: str
    missing_without: str = Field(default="", description="What is not there if an optional step is left out.")
    administrator: bool = Field(default=False, description="Only an administrator can do it.")
    old_clients: Literal["yes", "no", "unknown"] = "unknown"
    canary: bool = Field(default=False, description="One device first, then the rest.")
    source: Source


class Gate(Stated):
    """A question that needs an answer once per target and release."""

    id: Identifier
    question: str
    at: str | None = Field(default=None, description="Only when this release is entered; else always.")
    blocks: bool = Field(default=False, description="Whether `apply` waits for the answer; else it is a warning.")
    source: Source


class Preflight(Stated):
    """A command that must succeed first: in the old container, or in the target image on a read-only clone."""

    name: str
    where: Literal["old-container", "target-image"]
    argv: Argv
    entrypoint: bool = Field(default=False, description="Keep the image's entrypoint in front of the command.")
    exit_status: int = 0
    danger: Pattern | None = Field(default=None, description="A line that means no, whatever the exit status.")
    why: str
    source: Source


class Listing(Stated):
    """A list shown before an upgrade or compared across it: one item a line."""

    name: str
    argv: Argv
    ordinary: tuple[str, ...] = Field(default=(), description="Items every installation has.")
    items: Pattern | None = Field(
        default=None, description="Only lines that match are items; its first group is what it is called."
    )
    until: Pattern | None = Field(
        default=None, description="Its first group is the release from which on the item is outdated."
    )
    source: Source


class PackageList(Listing):
    """What is installed in the product's runtime: names present before must be present after."""

    at: str | None = Field(default=None, description="The release whose runtime change makes it matter.")
    minimums: dict[str, str] = Field(default={}, description="Lowest version of a package after it.")
    required: tuple[str, ...] = Field(default=(), description="Packages the vendor asks for after it.")


Point = Literal["before-stop", "before-start", "after-start", "before-verdict", "after-verdict", "after-rollback"]
WITHOUT_CONTAINER = ("before-start",)
ONLY_WARN = ("after-verdict", "after-rollback")


class AnyHook(Stated):
    """A command run at a certain moment of an upgrade, whoever wants it."""

    when: Point = Field(description="Between the last and the next step of an upgrade: docs/hooks.md.")
    argv: Argv
    timeout_s: Annotated[float, Field(gt=0)] = 60
    confirm: Argv | None = Field(default=None, description="A command that must succeed afterwards, to prove it.")
    undo: Argv | None = Field(default=None, description="The command that takes it back, where the upgrade goes back.")
    on_failure: Literal["turn-back", "warn"] | None = Field(
        default=None, description="What a failure does. Default: turn-back up to the verdict, warn after it."
    )

    @model_validator(mode="after")
    def _too_late_to_turn(self) -> Self:
        if self.on_failure == "turn-back" and self.when in ONLY_WARN:
            raise ValueError(f"{self.when} is too late to turn back: `on_failure: warn`")
        return self

    @property
    def only_warns(self) -> bool:
        """Whether its failure turns nothing back."""
        return self.on_failure == "warn" or self.when in ONLY_WARN


def _not_in_a_stopped_one(hook: AnyHook, where: str) -> None:
    if where == "container" and hook.when in WITHOUT_CONTAINER:
        raise ValueError(f"no container runs at {hook.when}: `where: tools`")


class Hook(AnyHook):
    """A command of the product's own, run at a certain moment; never on the host."""

    where: Literal["container", "tools"] = Field(default="container", description="In it, or beside it.")
    why: str
    source: Source

    @model_validator(mode="after")
    def _somewhere_that_runs(self) -> Self:
        _not_in_a_stopped_one(self, self.where)
        return self


class OwnHook(AnyHook):
    """A command of the user's own."""

    where: Literal["container", "tools", "host"] = Field(
        description="In the container, in a container of refloat's tools in its network, or on this machine."
    )
    why: str = ""
    env: tuple[Annotated[str, Field(pattern=r"^[A-Za-z_]\w*$")], ...] = Field(
        default=(), description="Names of variables of refloat's own environment that it gets, too."
    )

    @model_validator(mode="after")
    def _as_it_can_be(self) -> Self:
        _not_in_a_stopped_one(self, self.where)
        for argv in (self.argv, self.confirm or (), self.undo or ()):
            if word := secret_word(argv):
                raise ValueError(f"`{word}` shows a secret, which plans would hold; name it in `env`, or read a file")
        return self


class Coupled(Stated):
    """Another component that moves with this one."""

    component: str
    order: Literal["before", "after", "together"] = Field(description="When the other component is upgraded.")
    at: str | None = Field(default=None, description="From this release on; else always.")
    needs: str = Field(default="", description="Which releases of it fit, in the vendor's words.")
    why: str
    source: Source


class Family(Stated):
    """Which of several families of the same products a release belongs to; they are never mixed."""

    component: Identifier = Field(description="What all products of all its families are called together.")
    lines: dict[str, str] = Field(min_length=1, description="A series, for example 4, to the name of its family.")
    why: str
    source: Source


class ConsistentCopy(Stated):
    """What makes a copy of the running product consistent."""

    by: Literal["pause", "stop", "command"] = "pause"
    argv: tuple[str, ...] = Field(default=(), description="The command, run in the container before copying.")
    why: str = ""


class Rehearsal(Stated):
    """What a copy of this product needs besides, where it is rehearsed apart from the world."""

    env: dict[str, str] = Field(
        default={}, description="Variables that a copy gets, for example to leave out what needs a network."
    )
