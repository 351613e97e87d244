"""Maintenance windows: when one is open, when the next one opens, across changes of the clock; it asks no clock.

A wall time that the clock skips in spring counts as the moment it would have been; of one that comes twice in autumn
the first is meant.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from runner.errors import UsageError
from runner.facts import Fact

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_SHAPE = re.compile(
    r"(?:(?P<days>[A-Za-z,-]+)\s+)?(?P<start>\d{2}:\d{2})\s*-\s*(?P<end>\d{2}:\d{2})(?:\s+(?P<zone>\S+))?"
)
A_WEEK_AND_MORE = range(-1, 9)


class Opening(Fact):
    """One time for which a window is open, in UTC; ``end`` is outside."""

    start: datetime
    end: datetime

    @property
    def length_s(self) -> float:
        """How long it is open."""
        return (self.end - self.start).total_seconds()


class Window(Fact):
    """Days of the week (0 is Monday) and wall times of one zone; an end that is not later is on the next day."""

    text: str
    days: tuple[int, ...]
    start: time
    end: time
    zone: str = "UTC"

    def opening(self, after: datetime) -> Opening:
        """The opening that is open at a moment, else the next one."""
        return next(one for one in self._openings(after) if one.end > after)

    def opening_for(self, after: datetime, need_s: float) -> Opening | None:
        """The first opening of which so many seconds are left after a moment; None where none is ever that long."""
        fitting = (one for one in self._openings(after) if (one.end - max(one.start, after)).total_seconds() >= need_s)
        return next((one for one in fitting if one.end > after), None)

    def spoken(self, moment: datetime) -> str:
        """A moment as people of that zone say it."""
        return f"{moment.astimezone(ZoneInfo(self.zone)):%a %Y-%m-%d %H:%M} {self.zone}"

    def _openings(self, around: datetime) -> Iterator[Opening]:
        """From the day before that moment on, long enough to see every day of the week whole."""
        today = around.astimezone(ZoneInfo(self.zone)).date()
        for ahead in A_WEEK_AND_MORE:
            day = today + timedelta(days=ahead)
            if day.weekday() in self.days:
                start, end = self._moment(day, self.start), self._moment(self._last_day(day), self.end)
                if end > start:
                    yield Opening(start=start, end=end)

    def _last_day(self, day: date) -> date:
        return day if self.end > self.start else day + timedelta(days=1)

    def _moment(self, day: date, at: time) -> datetime:
        return datetime.combine(day, at, ZoneInfo(self.zone)).astimezone(UTC)


def window_from(text: str) -> Window:
    """Read ``Sun 02:00-05:00 Europe/Berlin``, ``Mon-Fri 22:00-04:00``, ``03:00-04:00``; UsageError ``bad-window``."""
    match = _SHAPE.fullmatch(text.strip())
    if match is None:
        raise _unclear(text, "it is not DAYS HH:MM-HH:MM ZONE")
    zone = match["zone"] or "UTC"
    try:
        ZoneInfo(zone)
        start, end = time.fromisoformat(match["start"]), time.fromisoformat(match["end"])
    except (ValueError, OSError):  # zoneinfo raises either for a name that is none
        raise _unclear(text, "a time or the zone is not known") from None
    except KeyError:
        raise _unclear(text, f"the zone {zone} is not known") from None
    return Window(text=text.strip(), days=_days(text, match["days"] or ""), start=start, end=end, zone=zone)


def _days(text: str, words: str) -> tuple[int, ...]:
    if not words or words.lower() == "daily":
        return tuple(range(7))
    return tuple(sorted({day for part in words.split(",") for day in _stretch(text, part.lower())}))


def _stretch(text: str, part: str) -> Iterator[int]:
    first, dash, last = part.partition("-")
    if first not in DAYS or (dash and last not in DAYS):
        raise _unclear(text, f"“{part}” is no day")
    start = DAYS.index(first)
    length = (DAYS.index(last) - start) % 7 if dash else 0
    return ((start + ahead) % 7 for ahead in range(length + 1))


def _unclear(text: str, why: str) -> UsageError:
    then = "Write for example: Sun 02:00-05:00 Europe/Berlin, Mon-Fri 22:00-04:00, daily 03:00-04:00 UTC"
    return UsageError("bad-window", f"“{text}” is no window: {why}.", then=then)
