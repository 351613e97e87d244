"""A copy of a tree of configuration as a refresh would leave it, and its digest; the tree itself is only read.

The digest is of everything in the tree, so that what was checked on a copy is known again after the refresh itself.
"""

from __future__ import annotations

import hashlib
import os
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path

from runner.refresh.beside import STORES
from runner.refresh.look import AREA
from runner.refresh.root import Root, names_in

MOST_BYTES = 64 * 1024 * 1024
MOST_PATHS = 20_000
_OURS = frozenset((AREA, STORES))


def digest_of(tree: Root) -> str:
    """A digest of all names, types, modes, owners and contents; empty where the tree is too big to be copied."""
    whole, left_bytes = hashlib.sha256(), MOST_BYTES
    for number, path in enumerate(_paths(tree)):
        status = tree.status(path)
        left_bytes -= status.st_size if status and stat.S_ISREG(status.st_mode) else 0
        if number == MOST_PATHS or left_bytes < 0:
            return ""
        whole.update(repr((path, status and _facts(status))).encode("utf-8", "surrogateescape"))
        whole.update(_content(tree, path, status.st_mode if status else 0))
    return whole.hexdigest()


def _paths(tree: Root) -> Iterator[str]:
    return (path for path, _ in tree.below("") if path.partition("/")[0] not in _OURS)


def _facts(status: os.stat_result) -> tuple[int, int, int]:
    return status.st_mode, status.st_uid, status.st_gid


def _content(tree: Root, path: str, mode: int) -> bytes:
    above, _, name = path.rpartition("/")
    if stat.S_ISLNK(mode):
        with tree.directory(above) as fd:
            return os.fsencode(os.readlink(name, dir_fd=fd))
    if not stat.S_ISREG(mode):
        return b""
    with tree.reading(path) as fd, os.fdopen(os.dup(fd), "rb") as file:
        return hashlib.file_digest(file, "sha256").digest()


def draft_of(tree: Root, folder: Path) -> bool:
    """Make a folder of our own hold what a tree holds, whatever it held before; False where that cannot be had.

    It cannot of what is too big, and of what changes while it is copied.
    """
    if not digest_of(tree):
        return False
    with Root(folder) as draft:
        for name in names_in(draft.fd):
            draft.remove_all(name)
    command = ["cp", "--archive", "--reflink=auto", f"/proc/self/fd/{tree.fd}/.", str(folder)]
    copied = subprocess.run(command, check=False, capture_output=True, pass_fds=(tree.fd,))
    return copied.returncode == 0
