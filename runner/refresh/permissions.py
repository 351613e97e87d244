"""A list of the modes defaults are installed with, where they are said apart from the files; it reads no tree.

One ``path mode`` a line, the mode in octal, as in Checkmk's ``skel.permissions``; blank lines and comments are skipped.
"""

from __future__ import annotations

from pathlib import Path

from runner.errors import UsageError
from runner.refresh.entries import printable

MOST = 0o7777


def read_permissions(path: Path) -> dict[str, int]:
    """Path in the tree → mode; UsageError ``refresh-bad-permissions`` names the line that is none."""
    try:
        text = path.read_bytes()
    except OSError as error:
        raise _bad(str(path), error.strerror or str(error)) from error
    return permissions_from(text, str(path))


def permissions_from(text: bytes, name: str) -> dict[str, int]:
    """The same of a list that was read already; ``name`` is what people call it."""
    lines = text.decode("utf-8", "surrogateescape").splitlines()
    told = ((number, line.strip()) for number, line in enumerate(lines, 1))
    return dict(_pair(name, number, line) for number, line in told if line and not line.startswith("#"))


def _pair(path: str, number: int, line: str) -> tuple[str, int]:
    name, _, mode = line.rpartition(" ")
    try:
        bits = int(mode, 8)
    except ValueError:
        bits = MOST + 1
    if not name.strip() or not 0 <= bits <= MOST:
        raise _bad(path, f"line {number} is no path and octal mode: {printable(line)}")
    return name.strip().strip("/"), bits


def _bad(path: str, why: str) -> UsageError:
    what = f"The list of permissions {printable(path)} cannot be used: {why}."
    return UsageError(
        "refresh-bad-permissions", what, then="Write one path and its octal mode a line: etc/app.conf 640"
    )
