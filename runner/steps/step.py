"""What every forward step is; it names no kind."""

from __future__ import annotations

from runner.facts import Fact
from runner.steps.back import BackStep
from runner.steps.nouns import Phase


class ForwardStep(Fact):
    """What every forward step has: when it happens, why it is here, and how it is undone (by default: nothing)."""

    phase: Phase
    cause: str
    member: str = ""
    """The run of the member of a stack it is for; empty where there is but one."""

    def undo(self) -> tuple[BackStep, ...]:
        """The steps back, in the order in which they are to be done."""
        return ()
