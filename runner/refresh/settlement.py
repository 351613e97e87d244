"""What a refresh comes to: an outcome for each path and a closed list of changes; plain data, it does nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from runner.refresh.choices import Answer, Question
from runner.refresh.entries import Entry, Tree
from runner.refresh.lines import Line


@dataclass(frozen=True)
class Swap:
    """Take away what is at a path, if anything, and put something new there, if anything.

    ``text`` is a merged file's; without it the bytes are those of the new default at the same path.
    """

    path: str
    had: bool
    new: Entry | None
    text: bytes | None = None


@dataclass(frozen=True)
class SetMode:
    """Set the permissions of a file or directory."""

    path: str
    before: int
    after: int


Change = Swap | SetMode


@dataclass(frozen=True)
class Outcome:
    """How one path was settled: the row of the table, its lines, and what was chosen."""

    path: str
    row: int
    lines: tuple[Line, ...]
    choice: str = ""


@dataclass(frozen=True)
class Settlement:
    """All outcomes, and every change in the order it is to be made.

    ``seen`` is what each path to be changed looked like: a tree that looks otherwise by then is not touched.
    """

    outcomes: tuple[Outcome, ...]
    changes: tuple[Change, ...]
    seen: Mapping[str, Entry | None]
    answered: tuple[tuple[Question, Answer], ...] = ()
    still_open: tuple[Question, ...] = ()
    counts: Mapping[str, int] = field(default_factory=dict)

    @property
    def lines(self) -> tuple[Line, ...]:
        """Every status line, in the order of the paths."""
        return tuple(line for outcome in self.outcomes for line in outcome.lines)


def counts_of(outcomes: tuple[Outcome, ...]) -> dict[str, int]:
    """Count the status words."""
    return dict(Counter(line.word for outcome in outcomes for line in outcome.lines))


class World(Protocol):
    """What settling may look at."""

    def user_text(self, path: str) -> bytes:
        """Read the user's file."""

    def old_text(self, path: str) -> bytes:
        """Read the old default."""

    def new_text(self, path: str) -> bytes:
        """Read the new default."""

    def look_again(self) -> Tree:
        """Read the user's tree again."""

    def below(self, path: str) -> tuple[str, ...]:
        """List everything the user has under a directory."""
