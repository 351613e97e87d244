"""The steps that keep a monitor quiet about an upgrade, and let it speak again; what is said is in runner/silence."""

from __future__ import annotations

from typing import Literal

from runner.silence.model import Monitor
from runner.steps.back import BackStep, SpeakAgain
from runner.steps.nouns import Who
from runner.steps.step import ForwardStep


class KeepQuiet(ForwardStep):
    """Keep a monitor quiet for a limited time; it speaks again by itself, whatever becomes of the runner."""

    kind: Literal["keep-quiet"] = "keep-quiet"
    who: Who
    """Whose network it is asked from."""
    monitor: Monitor
    folder: str = ""
    """From where the names of files with secrets count."""
    window: str = ""
    """It is quiet no longer than this is open."""

    @property
    def sentence(self) -> str:
        """What it does, in words."""
        return f"keep {self.monitor.spoken} quiet, for {self.monitor.minutes:g} minutes at most"

    def undo(self) -> tuple[BackStep, ...]:
        """Let it speak again."""
        return (SpeakAgain(who=self.who, monitor=self.monitor, folder=self.folder),)


class EndQuiet(ForwardStep):
    """Let a monitor speak again: the new version is accepted."""

    kind: Literal["end-quiet"] = "end-quiet"
    who: Who
    monitor: Monitor
    folder: str = ""

    @property
    def sentence(self) -> str:
        """What it does, in words."""
        return f"let {self.monitor.spoken} speak again"
