"""What a refresh of configuration did, path by path with its diff, from the records; it judges nothing."""

from __future__ import annotations

from collections.abc import Iterator

from runner.records import Did, Record
from runner.report.story import Listing


def configuration_told(records: tuple[Record, ...]) -> Iterator[Listing]:
    """Every path of which the refresh had something to say; nothing where there was none."""
    told = next((each.facts["paths"] for each in records if isinstance(each, Did) and "paths" in each.facts), None)
    lines: list[str] = []
    for path in told if isinstance(told, list) else ():
        if isinstance(path, dict):
            said, diff = path.get("lines"), path.get("diff")
            lines += [str(line).strip() for line in said] if isinstance(said, list) else []
            lines += [f"  {line}" for line in str(diff or "").splitlines()]
    if lines:
        yield Listing(title="Configuration", lines=tuple(lines))
