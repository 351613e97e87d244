"""The lines of a log that look like trouble and are new; it reads no log itself."""

from __future__ import annotations

import re

TROUBLE = re.compile(r"\b(err|error|errors|warn|warning|fatal|panic|fail|failed|failure|exception|deprecated|corrupt)",
                     re.IGNORECASE)  # fmt: skip
PASSING = re.compile(r"[0-9a-f]{8,}|\d+")
"""What differs in every line anyway: times, ids, counts."""


def new_trouble(before: str, after: str) -> tuple[str, ...]:
    """The lines of a log that look like trouble and whose like is not in the earlier one; each only once."""
    known = {PASSING.sub("#", line) for line in before.splitlines()}
    found: dict[str, str] = {}
    for line in after.splitlines():
        shape = PASSING.sub("#", line)
        if TROUBLE.search(line) and shape not in known:
            found.setdefault(shape, line)
    return tuple(found.values())
