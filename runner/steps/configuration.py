"""Steps that bring new default configuration into the data; what is decided about it, the plan says."""

from __future__ import annotations

from typing import Literal

from runner.steps.back import BackStep, RemoveOurs, RestoreData
from runner.steps.nouns import Existing, Ours, Phase
from runner.steps.step import ForwardStep
from runner.vault.configuration import RefreshOrder
from runner.vault.port import Room, Source


class PrepareRefresh(ForwardStep):
    """Keep the defaults of both images for later, and see that every conflict is still the one that was answered."""

    kind: Literal["prepare-refresh"] = "prepare-refresh"
    phase: Phase = Phase.PREPARE
    who: Existing
    room: Room
    sources: tuple[Source, ...]
    order: RefreshOrder

    @property
    def sentence(self) -> str:
        """What it does, in words."""
        return f"see that configuration can be refreshed as planned: {self.order.spoken}"


class RefreshConfiguration(ForwardStep):
    """Bring the new defaults in and keep what the user changed: all of it, or nothing."""

    kind: Literal["refresh-configuration"] = "refresh-configuration"
    phase: Phase = Phase.CHANGE
    who: Existing
    room: Room
    sources: tuple[Source, ...]
    order: RefreshOrder
    expected: str
    """What it came to when it was planned, in words."""

    @property
    def sentence(self) -> str:
        """What it does, in words."""
        return f"refresh configuration {self.order.spoken} ({self.expected})"

    def undo(self) -> tuple[BackStep, ...]:
        """Restore the data it is on."""
        return (RestoreData(room=self.room, sources=self.sources),)


class AsksImage(ForwardStep):
    """A question to the new image, in a container of its own that reaches nobody and writes nothing."""

    phase: Phase = Phase.CHANGE
    who: Ours
    """The asking container."""
    successor: Ours
    """Whose settings and mounts it gets."""
    image_id: str
    argv: tuple[str, ...]
    entrypoint: bool = False
    """Whether the image's entrypoint stays in front of ``argv``."""
    timeout_s: float = 120

    def undo(self) -> tuple[BackStep, ...]:
        """Remove what a runner that died left of it."""
        return (RemoveOurs(who=self.who),)


class _Checks(AsksImage):
    exit_status: int = 0
    danger: str = ""
    """A regular expression of lines that mean no, whatever the exit status."""


class CheckConfiguration(_Checks):
    """Let the new version's own checker read the configuration."""

    kind: Literal["check-configuration"] = "check-configuration"

    @property
    def sentence(self) -> str:
        """What it does, in words."""
        return f"check the configuration with the new version's own “{' '.join(self.argv)}”"


class CheckDraft(_Checks):
    """The same on a copy of the configuration as the refresh will leave it, while the old version serves."""

    kind: Literal["check-draft"] = "check-draft"
    phase: Phase = Phase.PREPARE
    owner: Existing
    """Whose configuration it is."""
    room: Room
    sources: tuple[Source, ...]
    order: RefreshOrder

    @property
    def sentence(self) -> str:
        """What it does, in words."""
        return f"check the refreshed configuration, on a copy, with the new version's own “{' '.join(self.argv)}”"
