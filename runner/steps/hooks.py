"""The step that calls a hook on the way forward; what it calls is in calls.py, and how in perform_hooks."""

from __future__ import annotations

from typing import Literal

from runner.steps.back import BackStep, CallBack
from runner.steps.calls import HookCall
from runner.steps.nouns import Who
from runner.steps.step import ForwardStep


class CallHook(ForwardStep):
    """Call a hook. It may be called again after a death: at least once, never exactly once."""

    kind: Literal["call-hook"] = "call-hook"
    who: Who
    """In whom, or in whose network."""
    call: HookCall
    only_warns: bool = False
    """Whether a failure turns nothing back."""
    back: tuple[str, ...] = ()
    """The command that takes it back."""

    @property
    def sentence(self) -> str:
        """What it does, in words."""
        return f"{self.call.point}: call {self.call.spoken}"

    def undo(self) -> tuple[BackStep, ...]:
        """Call what takes it back, where there is such a command."""
        taken_back = self.call.model_copy(update={"argv": self.back, "confirm": ()})
        return (CallBack(who=self.who, call=taken_back),) if self.back else ()
