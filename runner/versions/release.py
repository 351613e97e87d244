"""A parsed version, with its edition where a product has one; it never parses and never guesses."""

from __future__ import annotations

from dataclasses import dataclass, field

Part = tuple[int, int, str]
Stage = tuple[Part, ...]

FINAL: Stage = ((2, 0, ""),)
"""What follows the numbers of a finished release: unfinished stages stand below it, patches and dailies above."""


@dataclass(frozen=True, slots=True, order=True)
class Release:
    """One release: ordered by numbers, then stage, then edition; the text is only how it was written."""

    numbers: tuple[int, ...]
    stage: Stage = FINAL
    edition: str = ""
    text: str = field(default="", compare=False)
    unplaced: bool = field(default=False, compare=False)
    """Whether it belongs to no series: a build of a development branch, whose place in the order is a convention."""
    longer_major: int = field(default=0, compare=False)
    """How many numbers more than the product's later releases name its major: 9.5 and 9.6 were two of PostgreSQL."""

    def __str__(self) -> str:
        return self.text

    @property
    def rank(self) -> tuple[tuple[int, ...], Stage]:
        """The place in the order of releases, whatever the edition."""
        return self.numbers, self.stage

    @property
    def is_final(self) -> bool:
        """Whether it is a finished release: no beta, no candidate, no build of the day."""
        kind = self.stage[0][0]
        return 2 <= kind < DAILY and not _is_candidate(self.stage)

    def series(self, parts: int) -> tuple[int, ...]:
        """The leading numbers, which name a major or a minor."""
        return self.numbers[:parts]

    def major(self, parts: int) -> tuple[int, ...]:
        """The leading numbers that name its major, where so many do in the product's present releases."""
        return self.numbers[: parts + self.longer_major]


DAILY = 4


def _is_candidate(stage: Stage) -> bool:
    """Whether a candidate's number follows a patch, as in p10-rc1."""
    return len(stage) > 1 and stage[1][0] == 0
