"""How long snapshots are kept: a snapshot stays while either wish wants it; what is still needed is not known here."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from runner.clock import is_older
from runner.facts import Fact
from runner.vault.port import RoomSeen


class Retention(Fact):
    """Keep the newest ``keep`` snapshots of a target (one at least), and all that are younger than ``keep_for_s``."""

    keep: int = 3
    keep_for_s: int = 0

    @property
    def spoken(self) -> str:
        """Which snapshots stay, in words."""
        newest = "the last snapshot" if self.keep == 1 else f"the last {self.keep} snapshots"
        return f"{newest} and all of the last {span_words(self.keep_for_s)}" if self.keep_for_s else newest


def let_go(rooms: Iterable[RoomSeen], retention: Retention, now: datetime) -> tuple[RoomSeen, ...]:
    """What retention lets go of these rooms of one target; a room that is not sealed counts for nothing."""
    newest_first = sorted((seen for seen in rooms if seen.sealed), key=lambda seen: seen.room.run, reverse=True)
    beyond = newest_first[max(retention.keep, 1) :]
    return tuple(seen for seen in beyond if is_older(seen.made_at, now, retention.keep_for_s))


def span_words(seconds: int) -> str:
    """A span of time in the largest unit that says it whole: 14 days, 36 hours, 1 day."""
    for unit, length_s in (("day", 86400), ("hour", 3600), ("minute", 60)):
        if seconds % length_s == 0:
            count = seconds // length_s
            return f"{count} {unit}{'' if count == 1 else 's'}"
    return f"{seconds} seconds"
