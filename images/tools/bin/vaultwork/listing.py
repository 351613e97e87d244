"""What is in a tree: one record an entry, made by find in one go; it reads no file's content and changes nothing.

Two trees are equal when ``meta``, ``extra`` and the hard link groups agree (attributes and content are looked at
elsewhere). A file of a source is *unchanged* when its ``ident`` agrees too: a program can put back an mtime, never a
ctime.
"""

from __future__ import annotations

import os
import stat
import subprocess
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from itertools import repeat
from pathlib import Path
from typing import NamedTuple

from vaultwork.trouble import Trouble, complaint

# A directory's size and link count say how its filesystem keeps it, not what is in it.
_DIRECTORY = r"\0%y %m %U %G 0 %T@\0\0%i 0 %C@\0%D\0\0\0"
_OTHER = r"\0%y %m %U %G %s %T@\0%l\0%i %n %C@\0%D\0\0\0"
_BETWEEN = b"\0\0\0"
"""What ends a record and is in none: only the root's name is empty, and that comes first."""
_FIELDS = 7
"""Five, and the two empty ones that the end of a record makes."""
_SLACK_S = 2
"""Timestamps are as coarse as 2 s on some filesystems: what is younger than that may change and look the same."""
_PRECISE = frozenset({"ext2", "ext3", "ext4", "xfs", "btrfs", "f2fs", "overlay"})
"""Filesystems known to move the ctime with every write, through a memory map too once their pages were clean."""


class Entry(NamedTuple):
    """One entry of a tree."""

    meta: bytes
    """Type, mode, owner, group, size and mtime."""
    extra: bytes
    """A symlink's target, a device's number."""
    ident: bytes
    """Inode, link count and ctime."""
    device: bytes

    @property
    def kind(self) -> bytes:
        """One letter, as find has it: f, d, l, p, s, c or b."""
        return self.meta[:1]

    @property
    def size_bytes(self) -> int:
        """The length of a regular file's content, 0 for all else."""
        return int(self.meta.split(b" ", 5)[4]) if self.meta[:1] == b"f" else 0


Listing = dict[bytes, Entry]
_entry_of: Callable[[type[Entry], Iterable[bytes]], Entry] = tuple.__new__
"""Entry._make without a Python frame an entry: there may be millions."""


def at(root: bytes, path: bytes) -> bytes:
    """Where an entry of a tree is; the root's own path is empty."""
    return root + b"/" + path if path else root


def parent_of(path: bytes) -> bytes:
    """The folder an entry is in."""
    return path.rpartition(b"/")[0]


def list_tree(root: bytes, *, in_use: bool = False) -> Listing:
    """List a tree; entries may vanish meanwhile only where it is in use."""
    return listing_from(root, read_tree(root, in_use=in_use))


def read_tree(root: bytes, *, in_use: bool = False) -> bytes:
    """Everything find says of a tree; the same bytes again where nothing changed."""
    done = _find([root])
    if done.returncode and not (in_use and done.stdout):
        raise Trouble("copy-failed", f"The data cannot be listed: {complaint(done.stderr)}")
    return done.stdout


def _find(points: list[bytes], *options: bytes, folder: bytes | None = None) -> subprocess.CompletedProcess[bytes]:
    name = b"%p" if folder else b"%P"
    texts = [name + text.encode() for text in (_DIRECTORY, _OTHER)]
    said = (b"(", b"-type", b"d", b"-printf", texts[0], b"-o", b"-printf", texts[1], b")")
    argv = [b"find", *points, *options, *said]
    env = {"LC_ALL": "C", "PATH": os.environ["PATH"]}
    return subprocess.run(argv, capture_output=True, check=False, env=env, cwd=folder)


def list_paths(root: bytes, paths: Collection[bytes]) -> Listing:
    """List these paths of a folder alone, which must be few; what is not there is left out."""
    there = [b"./" + path for path in reached(root, paths)]
    return _below(root, _find(there, b"-maxdepth", b"0", folder=root)) if there else {}


def reached(root: bytes, paths: Collection[bytes]) -> list[bytes]:
    """Those of these paths to which folders lead, and no symlink: what is behind one has another path in the tree."""
    folders = {b""}
    for above in sorted({above for path in paths for above in _above(path)}):
        if parent_of(above) in folders and is_folder(at(root, above)):
            folders.add(above)
    return [path for path in paths if parent_of(path) in folders]


def _above(path: bytes) -> Iterator[bytes]:
    while path := parent_of(path):
        yield path


def is_folder(path: bytes) -> bool:
    """Whether there is a folder of this name, and no symlink to one."""
    try:
        return stat.S_ISDIR(os.lstat(path).st_mode)
    except (FileNotFoundError, NotADirectoryError):
        return False


def find_below(root: bytes, paths: Iterable[bytes], *options: bytes) -> Listing:
    """List what find finds with these options from these paths of a folder on, which must be few and there."""
    done = _find([b"./" + path for path in paths], *options, folder=root)
    if done.returncode:
        raise Trouble("copy-failed", f"The data cannot be listed: {complaint(done.stderr)}")
    return _below(root, done)


def _below(root: bytes, done: subprocess.CompletedProcess[bytes]) -> Listing:
    return {path[2:]: entry for path, entry in listing_from(root, done.stdout).items()}


def read_both(source: bytes, tree: bytes, *, in_use: bool = False) -> tuple[bytes, bytes]:
    """Read a source and its copy at the same time."""
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(read_tree, source, in_use=in_use)
        second = pool.submit(read_tree, tree)
        return first.result(), second.result()


def listing_from(root: bytes, raw: bytes) -> Listing:
    """What find said, entry by entry."""
    fields = raw.split(b"\0")
    del fields[-1:]
    columns = (fields[i::_FIELDS] for i in range(1, _FIELDS - 2))
    listing = dict(zip(fields[0::_FIELDS], map(_entry_of, repeat(Entry), zip(*columns, strict=True)), strict=True))
    _add_device_numbers(root, listing)
    return listing


class Since(NamedTuple):
    """A tree as it is now, and the paths of which something else is said than before."""

    listing: Listing
    moved: set[bytes]


def listing_since(root: bytes, before: Listing, said: bytes, now: bytes) -> Since:
    """The same listing as from ``now`` alone, when ``before`` was made from ``said``: only what differs is read."""
    if now == said:
        return Since(before, set())
    first, last = _same(said, now)
    old, new = (set(each[first : len(each) - last].split(_BETWEEN)) for each in (said, now))
    gone, fresh = old - new, new - old
    read = listing_from(root, _BETWEEN.join((*fresh, b"")))
    moved = {record.partition(b"\0")[0] for record in (*gone, *fresh)}
    listing = dict(before)
    for path in moved:
        listing.pop(path, None)
    return Since({**listing, **read}, moved)


def _same(one: bytes, other: bytes) -> tuple[int, int]:
    """How many bytes of whole records two lists begin and end with in common: most of them, where little changed."""
    first = _shared(min(len(one), len(other)), lambda low, high: one[low:high] == other[low:high])
    first = one.rfind(_BETWEEN, 0, first) + len(_BETWEEN) if _BETWEEN in one[:first] else 0
    mine, theirs = len(one), len(other)
    last = _shared(
        min(mine, theirs) - first,
        lambda low, high: one[mine - high : mine - low] == other[theirs - high : theirs - low],
    )
    cut = one.find(_BETWEEN, mine - last)
    return first, mine - cut - len(_BETWEEN) if cut >= 0 else 0


def _shared(most: int, alike: Callable[[int, int], bool]) -> int:
    """The biggest number below which all is alike."""
    low, high = 0, most
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if alike(low, middle) else (low, middle - 1)
    return low


def _add_device_numbers(root: bytes, listing: Listing) -> None:
    """Find cannot print the number of a device node."""
    for path in [path for path, entry in listing.items() if entry.meta.startswith((b"b", b"c"))]:
        try:
            number = os.lstat(at(root, path)).st_rdev
        except (FileNotFoundError, NotADirectoryError):
            del listing[path]
        else:
            listing[path] = listing[path]._replace(extra=b"%d:%d" % (os.major(number), os.minor(number)))


def leaders(listing: Listing) -> dict[bytes, bytes]:
    """For each entry that shares its inode with another of this tree: the first path of those."""
    groups: dict[tuple[bytes, bytes], list[bytes]] = {}
    linked = [(path, e) for path, e in listing.items() if b" 1 " not in e.ident and b" 0 " not in e.ident]
    for path, entry in linked:
        groups.setdefault((entry.ident.partition(b" ")[0], entry.device), []).append(path)
    return {path: min(paths) for paths in groups.values() if len(paths) > 1 for path in paths}


def differences(
    wanted: Mapping[bytes, Entry], there: Listing, wanted_leaders: Mapping[bytes, bytes] | None = None
) -> tuple[set[bytes], set[bytes]]:
    """Paths of ``wanted`` that are missing or other in ``there``, and paths that are there and not wanted."""
    surplus = there.keys() - wanted.keys()
    kept = {path: entry for path, entry in there.items() if path not in surplus} if surplus else there
    mine = leaders(dict(wanted)) if wanted_leaders is None else wanted_leaders
    theirs = leaders(kept)
    other = {
        path
        for path, entry in wanted.items()
        if (found := kept.get(path)) is None or found.meta != entry.meta or found.extra != entry.extra
    }
    if mine != theirs:
        other |= {path for path in mine.keys() | theirs.keys() if mine.get(path) != theirs.get(path)}
    return other, set(surplus)


def whole_groups(paths: Iterable[bytes], leader_of: Mapping[bytes, bytes]) -> set[bytes]:
    """These paths and all that are hard linked to one of them."""
    chosen = set(paths)
    touched = {leader_of[path] for path in chosen if path in leader_of}
    return chosen | {path for path, leader in leader_of.items() if leader in touched} if touched else chosen


def ctime_s(ident: bytes) -> int:
    """When the inode last changed, in whole seconds."""
    return int(ident[ident.rindex(b" ") + 1 : ident.rindex(b".")])


def nanoseconds(at_time: bytes) -> int:
    """A time as find prints it, exactly: whole seconds, rounded down, and what comes on top of them."""
    whole, _, fraction = at_time.partition(b".")
    return int(whole) * 10**9 + int(fraction[:9])


def mark_now(root: bytes) -> int:
    """The second from which on a ctime proves nothing; 0 where a ctime never does.

    The source's dirty pages are made clean: a page that is dirty already is written through a memory map without
    moving the ctime again.
    """
    if not is_precise(root):
        return 0
    now_s = int(time.time())
    subprocess.run([b"sync", b"-f", root], check=False, capture_output=True)
    return now_s - _SLACK_S


def is_precise(root: bytes) -> bool:
    """Whether all that is mounted at and below this path keeps exact change times."""
    kinds: dict[str, str] = {}
    path = os.fsdecode(root)
    for line in Path("/proc/self/mountinfo").read_text(errors="surrogateescape").splitlines():
        mount, _, filesystem = line.partition(" - ")
        kinds[mount.split(" ")[4]] = filesystem.split(" ")[0]
    within = [kind for point, kind in kinds.items() if point == path or point.startswith(path.rstrip("/") + "/")]
    holder = max((point for point in kinds if path == point or path.startswith(point.rstrip("/") + "/")), key=len)
    return all(kind in _PRECISE for kind in (*within, kinds[holder]))
