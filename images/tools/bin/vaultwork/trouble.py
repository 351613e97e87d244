"""The one failure of this program: a stable code and a sentence; it decides nothing about what comes next."""

from __future__ import annotations

import errno

_PROGRAMS = frozenset({"zstd", "restic"})
"""What an image made of a machine's own programs may lack; a file of the data is named by its whole path."""


class Trouble(Exception):
    """The work cannot be done: ``no-space``, ``copy-failed``, ``unsealed``, ``damaged``, ``foreign``, …"""

    def __init__(self, code: str, what: str) -> None:
        super().__init__(what)
        self.code = code
        self.what = what


def spoken(path: bytes) -> str:
    """A path as people can read it, whatever bytes are in it."""
    text = path.decode("utf-8", "backslashreplace") or "its root"
    return text if text.isprintable() else repr(text)[1:-1]


def complaint(output: bytes) -> str:
    """The end of what a command complained about."""
    return output.decode("utf-8", "replace").strip()[-400:]


def trouble_from(error: OSError) -> Trouble:
    """What an operating system's error means to us."""
    name = error.filename
    if error.errno == errno.ENOENT and name in _PROGRAMS:
        return Trouble("no-program", f"There is no {name} in the image that copies.")
    where = spoken(name) if isinstance(name, bytes) else str(name or "")
    reason = (error.strerror or str(error)) + (f": {where}" if where else "")
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return Trouble("no-space", f"There is no space left ({reason}).")
    return Trouble("copy-failed", f"Reading or writing failed: {reason}.")
