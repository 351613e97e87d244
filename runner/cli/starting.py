"""When `refloat apply` begins: --at, --in-window, --announce, the window of refloat.yaml; it waits, no more."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from runner.cli.terminal import tell
from runner.errors import Interrupted, UsageError

if TYPE_CHECKING:
    from runner.cli.messages import Messages
    from runner.plan import Plan
    from runner.schedule import Slot
    from runner.session import Session

At = Annotated[
    str, typer.Option("--at", metavar="TIME", help="Begin at 02:00, at 2026-07-05T02:00, or now whatever the window.")
]
InWindow = Annotated[bool, typer.Option("--in-window", help="Begin when the window is open long enough; wait for it.")]
Announce = Annotated[
    str, typer.Option("--announce", metavar="SPAN", help="Tell the services of refloat.yaml so long before: 30m, 2h.")
]
WAY_BACK = 2
"""Where nothing was rehearsed: the downtime to expect, and as much again to go back."""
TICK_S = 1.0


@dataclass(frozen=True)
class Start:
    """What the command line says about the beginning."""

    at: str = ""
    in_window: bool = False
    announce: str = ""


AT_ONCE = Start()


@dataclass(frozen=True)
class Waiting:
    """What a beginning waits for: the command line, the window (empty: none), the clock, and who is told before."""

    start: Start
    window: str
    session: Session
    messages: Messages

    def to_start(self, target: str, goal: str, plan: Plan | None) -> None:
        """Return when it is time; Later where it is not, Interrupted where somebody calls it off.

        Without a plan (a path of several hops) nobody knows how long it takes: only its beginning is in the window.
        """
        if self.start == AT_ONCE and not self.window:
            return
        from runner.schedule import starting_moment
        from runner.window import window_from

        session, now, ahead = self.session, self.session.clock.now(), _span(self.start.announce)
        window = window_from(self.window) if self.window else None
        moment = starting_moment(window, _slot(self.start, now, ahead), target, _need_s(session, plan))
        if moment <= now:
            return
        tell(f"{target}: waiting until {moment.astimezone():%a %Y-%m-%d %H:%M %Z}. Ctrl-C calls it off.")
        _wait(session, max(now, moment - ahead), target)
        if self.start.announce:
            self.messages.announce(target, f"upgrade to {goal}", f"at {moment.astimezone():%H:%M %Z}")
        _wait(session, moment, target)


def give_warning(session: Session, messages: Messages, target: str, what: str, announce: str) -> None:
    """Tell the services of refloat.yaml so long before (``30m``; empty: not at all), and wait for that long."""
    ahead = _span(announce)
    if not ahead:
        return
    moment = session.clock.now() + ahead
    tell(f"{target}: waiting until {moment.astimezone():%a %Y-%m-%d %H:%M:%S %Z}. Ctrl-C calls it off.")
    messages.announce(target, what, f"at {moment.astimezone():%H:%M %Z}")
    _wait(session, moment, target, what.partition(" ")[0])


def _need_s(session: Session, plan: Plan | None) -> float:
    from runner.rehearsals import rehearsed_s

    return (rehearsed_s(session, plan) or plan.estimate.downtime_s * WAY_BACK) if plan else 0.0


def _slot(start: Start, now: datetime, ahead: timedelta) -> Slot:
    from runner.schedule import Slot

    if start.at and start.in_window:
        raise UsageError("two-starts", "--at and --in-window: one of them.")
    at = now + ahead if start.at in ("", "now") else moment_from(start.at, now)
    return Slot(at=max(at, now), regardless=start.at == "now", next_opening=start.in_window)


def moment_from(text: str, now: datetime) -> datetime:
    """The moment a user wrote, in UTC: a time of day is the next one, in this machine's zone unless one is said."""
    try:
        if len(text) <= len("02:00:00") and ":" in text:
            clock = datetime.strptime(text, "%H:%M").time()  # the zone comes with the day
            today = datetime.combine(now.astimezone().date(), clock).astimezone(UTC)
            return today if today >= now else (today.astimezone() + timedelta(days=1)).astimezone(UTC)
        moment = datetime.fromisoformat(text).astimezone(UTC)
    except ValueError:
        then = "Write 02:00, 2026-07-05T02:00 or 2026-07-05T02:00+02:00."
        raise UsageError("bad-time", f"--at {text} is no time.", then=then) from None
    if moment < now:
        raise UsageError("bad-time", f"--at {text} is in the past.", then="Name a later time, or: --at now")
    return moment


def _span(text: str) -> timedelta:
    from runner.config.model import span

    try:
        return span(text) if text else timedelta()
    except ValueError as wrong:
        raise UsageError("bad-span", f"--announce: {wrong}.") from None


def _wait(session: Session, until: datetime, target: str, what: str = "upgrade") -> None:
    """In short steps: a machine that slept meanwhile, or whose clock was set, is not late by that."""
    try:
        while (left_s := (until - session.clock.now()).total_seconds()) > 0:
            session.clock.sleep(min(left_s, TICK_S))
    except KeyboardInterrupt:
        raise Interrupted("called-off", f"The {what} of {target} was called off before it began.") from None
