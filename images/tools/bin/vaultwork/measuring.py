"""How much a source is and what a snapshot of it would take, before anything is copied; it leaves no trace."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable
from typing import NamedTuple

from vaultwork.copying import file_shares_blocks
from vaultwork.listing import Listing, at, leaders, list_tree, whole_groups
from vaultwork.manifest import Known, unchanged
from vaultwork.manifest_file import load
from vaultwork.underlay import Underlay, known_through, seen_through


class Size(NamedTuple):
    """Bytes allocated (hard links counted once) and entries: of a source, and of what a snapshot would add."""

    size_bytes: int
    entries: int
    new_bytes: int
    new_entries: int


def measure(source: bytes, older_manifest: bytes | None, vault: bytes | None, under: Underlay | None) -> Size:
    """Measure a source in use; what an older sealed snapshot has unchanged, and shared blocks, cost nothing."""
    listing = list_tree(source, in_use=True)
    if under:
        listing = seen_through(under, listing)
        known = known_through(under, listing)
    else:
        known = _settled_in(older_manifest)
    fresh = _changed(listing, known) if known else set(listing)
    folders = sum(1 for entry in listing.values() if entry.kind == b"d")
    files = {path for path in fresh if listing[path].kind != b"d"}
    size_bytes = allocated_bytes(source, listing.keys())
    new_bytes = allocated_bytes(source, fresh) if known else size_bytes
    if vault and _shares(source, listing, vault):
        new_bytes = 0
    return Size(size_bytes, len(listing), new_bytes, folders + len(files))


def _settled_in(older_manifest: bytes | None) -> dict[bytes, Known]:
    manifest = load(older_manifest) if older_manifest else None
    return manifest.settled() if manifest else {}


def _changed(listing: Listing, known: dict[bytes, Known]) -> set[bytes]:
    leader_of = leaders(listing)
    changed = {path for path, entry in listing.items() if not unchanged(entry, known.get(path), leader_of.get(path))}
    folders = {path for path, entry in listing.items() if entry.kind == b"d"}
    return whole_groups(changed, leader_of) | folders


def allocated_bytes(source: bytes, paths: Iterable[bytes]) -> int:
    """What these entries of a tree take, hard links counted once."""
    seen: dict[tuple[int, int], int] = {}
    for path in paths:
        with contextlib.suppress(FileNotFoundError, NotADirectoryError):
            status = os.lstat(at(source, path))
            seen[status.st_dev, status.st_ino] = status.st_blocks * 512
    return sum(seen.values())


def _shares(source: bytes, listing: Listing, vault: bytes) -> bool:
    """Whether blocks can be shared: tried with one file, into one without a name."""
    filled = next((path for path, entry in listing.items() if entry.size_bytes), None)
    if filled is None:
        return False
    try:
        trial = os.open(vault, os.O_TMPFILE | os.O_WRONLY, 0o600)
        try:
            return file_shares_blocks(at(source, filled), trial)
        finally:
            os.close(trial)
    except OSError:
        return False  # it vanished, or the vault's filesystem is full or knows no such files: then it shares none


def free_memory_bytes() -> int:
    """What the host could still give to programs; 0 where its kernel does not say."""
    with contextlib.suppress(OSError, ValueError), open("/proc/meminfo", "rb") as said:
        return next((int(line.split()[1]) * 1024 for line in said if line.startswith(b"MemAvailable:")), 0)
    return 0
