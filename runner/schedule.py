"""When an upgrade may begin: now, at a time, in its window, announced before, with room to end; it asks no clock."""

from __future__ import annotations

from datetime import datetime, timedelta

from runner.errors import Later, UsageError
from runner.facts import Fact
from runner.window import Window


class Slot(Fact):
    """What was asked for: ``at`` is the earliest moment, ``regardless`` of the window or in its next opening."""

    at: datetime
    regardless: bool = False
    next_opening: bool = False


def starting_moment(window: Window | None, slot: Slot, target: str, need_s: float) -> datetime:
    """The moment to begin at; Later ``window-closed``, ``window-too-short``; UsageError ``no-window``."""
    if window is None:
        if slot.next_opening:
            raise UsageError("no-window", f"No window of {target} is known.", then="Write `window:` into refloat.yaml.")
        return slot.at
    if slot.regardless:
        return slot.at
    if slot.next_opening:
        opening = window.opening_for(slot.at, need_s)
        if opening is None:
            raise _too_short(window, target, need_s, "It is never open that long.")
        return max(slot.at, opening.start)
    opening = window.opening(slot.at)
    if opening.start > slot.at:
        what = f"The window of {target} is closed: {window.text}. It opens {window.spoken(opening.start)}."
        raise Later("window-closed", what, then=f"refloat apply {target} --in-window, or regardless: --at now")
    if (opening.end - slot.at).total_seconds() < need_s:
        raise _too_short(window, target, need_s, f"It closes {window.spoken(opening.end)}.")
    return slot.at


def _too_short(window: Window, target: str, need_s: float, why: str) -> Later:
    need = timedelta(seconds=round(need_s))
    what = f"The upgrade of {target} and its way back may take {need} (h:mm:ss): too long for {window.text}. {why}"
    return Later("window-too-short", what, then=f"refloat apply {target} --in-window, or regardless: --at now")
