"""The time as a capability: now, a monotonic second hand and sleeping; it schedules nothing and decides nothing."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """Who needs the time is given one of these."""

    def now(self) -> datetime:
        """Tell the wall time, in UTC."""
        ...

    def monotonic(self) -> float:
        """Tell seconds that never go back, from an arbitrary start."""
        ...

    def sleep(self, seconds: float) -> None:
        """Let this many seconds pass."""
        ...


class RealClock:
    """The machine's own time."""

    def now(self) -> datetime:
        """Tell the wall time, in UTC."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Tell seconds that never go back."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Let this many seconds pass."""
        time.sleep(max(0.0, seconds))


class MemoryClock:
    """A time that passes only by sleeping: the same run gives the same times."""

    def __init__(self, start: datetime = datetime(2024, 1, 1, tzinfo=UTC)) -> None:
        self._start = start
        self._passed_s = 0.0

    def now(self) -> datetime:
        """Tell the start plus what was slept."""
        return self._start + timedelta(seconds=self._passed_s)

    def monotonic(self) -> float:
        """Tell how much was slept."""
        return self._passed_s

    def sleep(self, seconds: float) -> None:
        """Let this many seconds pass, at once."""
        self._passed_s += max(0.0, seconds)


def stamp(clock: Clock) -> str:
    """The time as records have it: RFC 3339, UTC, milliseconds."""
    return clock.now().isoformat(timespec="milliseconds")


def is_older(at: str, now: datetime, than_s: float) -> bool:
    """Whether a time (RFC 3339, UTC) is at least so long ago; one that cannot be read is never old."""
    try:
        return (now - datetime.fromisoformat(at[:19] + "+00:00")).total_seconds() >= than_s
    except ValueError:
        return False
