"""Figures as people say them: sizes, spans of time, ids, lists; it knows nothing of plans."""

from __future__ import annotations

from datetime import datetime

UNPROVEN = "Unproven, for the old version did not answer it either"


def seconds_words(seconds: float) -> str:
    """A span of time: 0.4 s, 12 s, 3 min 5 s, 2 h 10 min."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    return f"{minutes // 60} h {minutes % 60} min"


def size_words(size_bytes: int) -> str:
    """A size in the units of disks: 512 B, 1.2 MB, 3.4 GB."""
    size = float(size_bytes)
    for unit in ("B", "kB", "MB", "GB"):
        if size < 1000:
            return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:.1f} TB"


def short_id(identity: str) -> str:
    """The twelve digits people see of an image or a container."""
    return identity.removeprefix("sha256:")[:12]


def clock_words(at: str) -> str:
    """The time of day of a record, in UTC."""
    return datetime.fromisoformat(at).strftime("%H:%M:%S")


def day_words(at: str) -> str:
    """Day and time, in UTC, to the minute."""
    return datetime.fromisoformat(at).strftime("%Y-%m-%d %H:%M")


def count_words(count: int, noun: str) -> str:
    """A number with its noun: 1 step, 2 steps, 3 entries."""
    if count == 1:
        return f"1 {noun}"
    return f"{count} {noun[:-1]}ies" if noun.endswith("ry") else f"{count} {noun}s"


def sign(ok: bool | None) -> str:
    """What stands before an answer; None is neither good nor bad."""
    return "–" if ok is None else "✓" if ok else "✗"


def unproven_words(names: tuple[str, ...]) -> str:
    """What an upgrade does not show, for the new version was not asked."""
    return f"{UNPROVEN}: {', '.join(names)}"


def columns(rows: tuple[tuple[str, ...], ...], heads: tuple[str, ...]) -> str:
    """A table in plain text, two blanks between its columns; the last column may be as long as it likes."""
    every = (heads, *rows)
    widths = [max(len(row[index]) for row in every) for index in range(len(heads))]
    lines = ("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in every)
    return "\n".join(lines)
