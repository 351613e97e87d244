"""What a container's log tells about its start: danger, migrating, how far; it reads text and judges nothing else."""

from __future__ import annotations

import re

from runner.facts import Fact
from runner.steps.nouns import HealthTerms

LINE_CHARS = 300


class Signs(Fact):
    """What the log of one process says by now."""

    danger: str = ""
    """The first line that is a bad verdict."""
    progress: str = ""
    """The newest line that says it is migrating."""
    migrating: bool = False
    """Whether that line is still the truth: no later line ended it."""
    last_line: str = ""


def signs_from(log: str, terms: HealthTerms) -> Signs:
    """Read all signs of a log."""
    lines = tuple(line.strip()[:LINE_CHARS] for line in log.splitlines() if line.strip())
    progress_at = _last_match(lines, terms.migrating)
    return Signs(
        danger=next((line for line in lines if _matches(line, terms.danger)), ""),
        progress=lines[progress_at] if progress_at >= 0 else "",
        migrating=progress_at >= 0 and progress_at >= _last_match(lines, terms.migrated),
        last_line=lines[-1] if lines else "",
    )


def _last_match(lines: tuple[str, ...], patterns: tuple[str, ...]) -> int:
    """Where the last matching line stands; -1 where there is none."""
    return next((at for at in range(len(lines) - 1, -1, -1) if _matches(lines[at], patterns)), -1)


def _matches(line: str, patterns: tuple[str, ...]) -> bool:
    return any(re.search(pattern, line) for pattern in patterns)
