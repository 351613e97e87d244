"""The part of an upgrade's way that is hooks and monitors: who is called where, and kept quiet; it calls nobody."""

from __future__ import annotations

from dataclasses import dataclass

from runner.recipes.work import Hook, OwnHook, Point
from runner.silence.model import Monitor
from runner.steps.back import CallBack
from runner.steps.calls import HookCall
from runner.steps.hooks import CallHook
from runner.steps.nouns import Phase, Who
from runner.steps.silence import EndQuiet, KeepQuiet

PHASES: dict[Point, Phase] = {
    "before-stop": Phase.FREEZE,
    "before-start": Phase.CHANGE,
    "after-start": Phase.PROVE,
    "before-verdict": Phase.PROVE,
    "after-verdict": Phase.OPEN,
}


@dataclass(frozen=True)
class Hooks:
    """The hooks of one target, those of its recipe first; ``folder`` is where the user's run on the host."""

    every: tuple[Hook | OwnHook, ...] = ()
    folder: str = ""

    def at(self, point: Point, who: Who) -> tuple[CallHook, ...]:
        """The steps at a point of the way there; ``who`` is the container that runs, or ran, then."""
        return tuple(
            CallHook(phase=PHASES[point], cause=each.why or "it was asked for", who=who, call=self._call(each, point),
                     only_warns=each.only_warns, back=each.undo or ())
            for each in self._of(point)
        )  # fmt: skip

    def back(self, point: Point, who: Who) -> tuple[CallBack, ...]:
        """What is called on the way back."""
        return tuple(CallBack(who=who, call=self._call(each, point)) for each in self._of(point))

    def _of(self, point: Point) -> tuple[Hook | OwnHook, ...]:
        return tuple(each for each in self.every if each.when == point)

    def _call(self, hook: Hook | OwnHook, point: Point) -> HookCall:
        own = hook if isinstance(hook, OwnHook) else None
        return HookCall(point=point, where=hook.where, argv=hook.argv, confirm=hook.confirm or (),
                        timeout_s=hook.timeout_s, env=own.env if own else (),
                        folder=self.folder if hook.where == "host" else "")  # fmt: skip


def keep_quiet(monitors: tuple[Monitor, ...], who: Who, folder: str, window: str) -> tuple[KeepQuiet, ...]:
    """Every monitor kept quiet before the downtime, asked from the network of the old version."""
    cause = "its alarms would only say what is being done"
    return tuple(
        KeepQuiet(phase=Phase.FREEZE, cause=cause, who=who, monitor=each, folder=folder, window=window)
        for each in monitors
    )


def speak_again(monitors: tuple[Monitor, ...], who: Who, folder: str) -> tuple[EndQuiet, ...]:
    """And let speak again, asked from that of the new one."""
    return tuple(
        EndQuiet(phase=Phase.OPEN, cause="it is over", who=who, monitor=each, folder=folder) for each in monitors
    )
