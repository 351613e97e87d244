"""What changed in a tree since it was listed, told by ctimes alone; it lists what is new and reads nothing else again.

Every change moves the ctime of an entry, or of the folder that got or lost it. So what has an older one is as it was
listed, and only its inode is looked at. Where a ctime proves nothing (the filesystem, another one mounted within, a
clock that was set meanwhile), nothing is told, and everything must be listed.
"""

from __future__ import annotations

import re
import time
from collections import Counter
from collections.abc import Collection
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

from vaultwork.listing import Entry, Listing, Since, at, find_below, is_folder, is_precise, parent_of, reached

SLACK_S = 2.0
"""As listing has it: timestamps may be as coarse."""
_SET_S = 0.5
_MANY, _FOLDERS = 5000, 64
"""From so many entries on two processes look, and so many folders are handed to the second at most."""
_FEW = 256
_PATTERN = re.compile(rb"[*?\[\\]")


class Moment(NamedTuple):
    """A time by the clock that files are stamped with, and how far that is from one that nobody sets."""

    wall_s: float
    set_s: float


def moment_at(root: bytes) -> Moment | None:
    """Now; None where a ctime proves nothing."""
    wall_s = time.time()
    return Moment(wall_s, wall_s - time.clock_gettime(time.CLOCK_BOOTTIME)) if is_precise(root) else None


def is_one(listing: Listing) -> bool:
    """Whether nothing else is mounted within a tree: what comes and goes with a mount moves no ctime."""
    return len({entry.device for entry in listing.values()}) == 1


def glance(root: bytes, before: Listing, since: Moment, now: Moment, away: Collection[bytes]) -> Since | None:
    """The listing as it is now, where it was ``before`` at a moment; None where that cannot be told.

    ``before`` is one filesystem's (see is_one); ``away`` is half of it, for a process of its own (see fair_share).
    """
    if abs(now.set_s - since.set_s) > _SET_S:
        return None
    young = _younger(root, since.wall_s - SLACK_S, [path for path in reached(root, away) if is_folder(at(root, path))])
    folders = [path for path, entry in young.items() if entry.kind == b"d" and _is_same(entry, before.get(path))]
    if len(folders) > _FEW or not _is_same(before[b""], young.get(b"", before[b""])):
        return None
    there = _listed(root, folders, b"-mindepth", b"1", b"-maxdepth", b"1")
    gone = _gone(before, set(folders), there)
    entered = [path for path, entry in there.items() if entry.kind == b"d" and not _is_same(entry, before.get(path))]
    if gone is None or len(entered) > _FEW:
        return None
    return _since(before, gone, {**young, **there, **_listed(root, entered)})


def _younger(root: bytes, from_s: float, away: list[bytes]) -> Listing:
    """What changed from then on, found by two processes where there are folders for the second."""
    young = (b"-newerct", b"@%.3f" % from_s)
    if not away:
        return _listed(root, [b""], *young)
    patterns = [word for path in away for word in (b"-o", b"-path", b"./" + _PATTERN.sub(rb"\\\g<0>", path))][1:]
    spared = (b"-type", b"d", b"(", *patterns, b")", b"-prune", b"-o")
    with ThreadPoolExecutor(2) as pool:
        rest, other = pool.submit(_listed, root, [b""], *spared, *young), pool.submit(_listed, root, away, *young)
        return {**rest.result(), **other.result()}


def _listed(root: bytes, points: list[bytes], *options: bytes) -> Listing:
    return find_below(root, points, *options) if points else {}


def _is_same(one: Entry, other: Entry | None) -> bool:
    """Whether that is the same inode, of the same kind."""
    return other is not None and one.kind == other.kind and _inode(one) == _inode(other)


def _inode(entry: Entry) -> bytes:
    return entry.ident.partition(b" ")[0]


def _gone(before: Listing, folders: set[bytes], there: Listing) -> set[bytes] | None:
    """What was in these folders, or below, and is not, or is another; None where that is too much."""
    if not folders:
        return set()
    gone = {path for path, entry in before.items()
            if path and parent_of(path) in folders and not _is_same(entry, there.get(path))}  # fmt: skip
    left = tuple(path + b"/" for path in gone if before[path].kind == b"d")
    if len(left) > _FEW:
        return None
    return gone | {path for path in before if path.startswith(left)} if left else gone


def _since(before: Listing, gone: set[bytes], found: Listing) -> Since:
    listing = dict(before)
    for path in gone:
        del listing[path]
    listing |= found
    return Since(listing, {path for path in (*gone, *found) if before.get(path) != listing.get(path)})


def fair_share(listing: Listing) -> tuple[bytes, ...]:
    """Folders that hold about half of a tree together; none of a small tree, nor where one folder has it all."""
    if len(listing) < _MANY:
        return ()
    held, inside = Counter(map(parent_of, listing)), dict[bytes, list[bytes]]()
    for path in sorted((path for path, entry in listing.items() if path and entry.kind == b"d"), reverse=True):
        held[parent_of(path)] += held[path]  # those within a folder come before it
        inside.setdefault(parent_of(path), []).append(path)
    chosen, entered, left = list[bytes](), [b""], len(listing) // 2
    while entered:
        for path in sorted(inside.get(entered.pop(), ()), key=lambda each: held[each], reverse=True):
            if held[path] > left:
                entered.append(path)
            else:
                chosen.append(path)
                left -= held[path]
    return tuple(sorted(chosen, key=lambda each: held[each], reverse=True)[:_FOLDERS])
