"""Steps that cannot be undone: they belong to a commit, a plan of its own, and never to an upgrade."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from runner.facts import Fact
from runner.steps.nouns import Existing
from runner.vault.port import Room


class RemoveKept(Fact):
    """Remove the old container (never its volumes) once the verdict is accepted."""

    kind: Literal["remove-kept"] = "remove-kept"
    who: Existing
    name: str
    """The name it was parked under; a container that has another one by now is not the kept one."""

    @property
    def sentence(self) -> str:
        """What it does, in words."""
        return f"remove the kept container {self.name}"


class RetireSnapshot(Fact):
    """Remove an earlier snapshot that retention lets go, with the image held for it."""

    kind: Literal["retire-snapshot"] = "retire-snapshot"
    room: Room
    tag: str

    @property
    def sentence(self) -> str:
        """What it does, in words."""
        return f"let snapshot {self.room.run} go"


class CloseVault(Fact):
    """Remove the run's tools containers."""

    kind: Literal["close-vault"] = "close-vault"
    run: str

    @property
    def sentence(self) -> str:
        """What it does, in words."""
        return "remove the tools container"


DestructiveStep = Annotated[RemoveKept | RetireSnapshot | CloseVault, Field(discriminator="kind")]
