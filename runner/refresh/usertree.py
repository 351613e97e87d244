"""The user's tree as it will be, path by path, while a refresh is being settled; the disk is not touched."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from runner.refresh.entries import Entry, Kind, ancestors_of


class UserTree:
    """A picture that changes; paths nobody asked about are known only by how many names a directory holds."""

    def __init__(self, seen: Mapping[str, Entry]) -> None:
        self._now: dict[str, Entry] = dict(seen)
        self._gone_or_come: Counter[str] = Counter()

    def at(self, path: str) -> Entry | None:
        """Yield what is at a path by now."""
        return self._now.get(path)

    def names_in(self, path: str) -> int:
        """Yield how many names a directory holds by now."""
        entry = self._now.get(path)
        return entry.names + self._gone_or_come[path] if entry else 0

    def see(self, path: str, entry: Entry | None) -> None:
        """Take over what a second look found; it is no change of ours."""
        if entry is None:
            self._now.pop(path, None)
        else:
            self._now[path] = entry

    def put(self, path: str, entry: Entry) -> None:
        """Put something in a path's place."""
        if path not in self._now:
            self._gone_or_come[path.rpartition("/")[0]] += 1
        else:
            self._forget_below(path)
        self._now[path] = entry

    def drop(self, path: str) -> None:
        """Take a path away, with all below it."""
        self._forget_below(path)
        del self._now[path]
        self._gone_or_come[path.rpartition("/")[0]] -= 1

    def blocker_of(self, path: str) -> str | None:
        """Yield what stands above a path and is no directory, so that nothing can be made there."""
        for above in ancestors_of(path):
            entry = self._now.get(above)
            if entry:
                return None if entry.kind is Kind.DIRECTORY else above
        return None

    def missing_above(self, path: str) -> tuple[str, ...]:
        """Yield the directories above a path that are not there, the highest first."""
        return tuple(reversed([above for above in ancestors_of(path) if above not in self._now]))

    def _forget_below(self, path: str) -> None:
        if self._now[path].kind is Kind.DIRECTORY and self.names_in(path):
            for below in [known for known in self._now if known.startswith(f"{path}/")]:
                del self._now[below]
        self._gone_or_come.pop(path, None)
