"""The steps on a container that somebody has paused: thawed to be stopped, and paused again at the end, old or new."""

from __future__ import annotations

from typing import Literal

from runner.steps.back import BackStep, PauseBack, ThawBack
from runner.steps.nouns import Existing, Phase, Who
from runner.steps.step import ForwardStep


class Thaw(ForwardStep):
    """Let the processes of a paused container run on: frozen ones can neither be asked nor stop cleanly."""

    kind: Literal["thaw"] = "thaw"
    phase: Phase = Phase.FREEZE
    who: Existing

    @property
    def sentence(self) -> str:
        """What it does, in words."""
        return f"wake {self.who.spoken} up"

    def undo(self) -> tuple[BackStep, ...]:
        """Pause it again: by then it was started again, if it had been stopped."""
        return (PauseBack(who=self.who),)


class PauseAgain(ForwardStep):
    """Pause the accepted version as the old one was; that it cannot be only warns."""

    kind: Literal["pause-again"] = "pause-again"
    phase: Phase = Phase.OPEN
    who: Who

    @property
    def sentence(self) -> str:
        """What it does, in words."""
        return f"pause {self.who.spoken} again"

    def undo(self) -> tuple[BackStep, ...]:
        """Wake it up, so that it can be stopped."""
        return (ThawBack(who=self.who),)
