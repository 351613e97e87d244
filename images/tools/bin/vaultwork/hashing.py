"""Hashes big files of a copy while a program still makes it, each once it is finished; it decides nothing about them.

Hashing then costs no time of its own where there is a second processor, and what was just written is still in memory.
A file counts as finished once it has its source's size and mtime, which come after the content. Its digest counts only
while its inode and ctime stay what they were before it was read: whoever uses it compares them with a later listing.
"""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import NamedTuple

from vaultwork.copying import digest_of_open, opened_quietly
from vaultwork.listing import Entry, Listing, at, parent_of

BIG_BYTES = 1 << 16
_PAUSE_S, _NEAR = 0.01, 64


class Hashed(NamedTuple):
    """A digest, and of which file: the inode and its ctime as find prints it."""

    ident: tuple[bytes, bytes]
    digest: bytes

    def is_of(self, entry: Entry) -> bool:
        """Whether that file is untouched since."""
        number, _, ctime = entry.ident.split(b" ")
        return self.ident == (number, ctime)


@contextmanager
def hashed_meanwhile(tree: bytes, listing: Listing) -> Iterator[dict[bytes, Hashed]]:
    """Hash what becomes ready of a copy of these entries; what was ready in time is in there afterwards."""
    ready, over = dict[bytes, Hashed](), threading.Event()
    thread = threading.Thread(target=_follow, args=(tree, listing, ready, over))
    thread.start()
    try:
        yield ready
    finally:
        over.set()
        thread.join()


def _follow(tree: bytes, listing: Listing, ready: dict[bytes, Hashed], over: threading.Event) -> None:
    """Look for what is to come next, and at some of the rest in turn, should it come in another order."""

    def hash_now(path: bytes) -> None:
        if not over.is_set():  # what is left then is hashed by all processors
            _hash(at(tree, path), path, ready)

    left, turn = _in_order(listing), 0
    with ThreadPoolExecutor(max(1, (os.cpu_count() or 1) - 1)) as pool:
        while left and not over.is_set():
            turn = turn + _NEAR if turn + _NEAR < len(left) else 0
            near = dict.fromkeys((*left[:_NEAR], *left[turn : turn + _NEAR]))
            finished = {path for path in near if _is_finished(at(tree, path), listing[path])}
            list(pool.map(hash_now, finished))
            left = [path for path in left if path not in finished] if finished else left
            if not finished:
                over.wait(_PAUSE_S)


def _in_order(listing: Listing) -> list[bytes]:
    """Big files as cp comes to them, by inode in each folder; none with several names: each name moves its ctime."""
    big = [path for path, entry in listing.items() if entry.size_bytes >= BIG_BYTES and b" 1 " in entry.ident]
    folders = {parent_of(path) for path in big}
    way = {folder: _way_to(folder, listing) for folder in folders}
    return sorted(big, key=lambda path: (*way[parent_of(path)], _inode(listing.get(path))))


def _way_to(folder: bytes, listing: Listing) -> tuple[int, ...]:
    names = folder.split(b"/") if folder else []
    return tuple(_inode(listing.get(b"/".join(names[: depth + 1]))) for depth in range(len(names)))


def _inode(entry: Entry | None) -> int:
    return int(entry.ident.partition(b" ")[0]) if entry else 0


def _is_finished(copy: bytes, entry: Entry) -> bool:
    try:
        seen = os.lstat(copy)
    except OSError:
        return False
    return seen.st_size == entry.size_bytes and entry.meta.endswith(b" " + _as_found(seen.st_mtime_ns))


def _hash(copy: bytes, path: bytes, ready: dict[bytes, Hashed]) -> None:
    with contextlib.suppress(OSError), opened_quietly(copy) as number:  # whatever it is, it shows when all is copied
        seen = os.fstat(number)
        ready[path] = Hashed((b"%d" % seen.st_ino, _as_found(seen.st_ctime_ns)), digest_of_open(number))
        os.posix_fadvise(number, 0, 0, os.POSIX_FADV_DONTNEED)  # begins to write it, so that a flush finds less


def _as_found(time_ns: int) -> bytes:
    """A time as find prints it."""
    return b"%d.%09d0" % divmod(time_ns, 10**9)
