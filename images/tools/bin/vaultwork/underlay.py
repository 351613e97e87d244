"""What of a clone shows through from the sealed snapshot below it: nobody has written to that; it changes nothing.

A clone is an overlay. A file that is not in its upper layer, and is the very inode that the snapshot has under this
name, is the snapshot's: it need not be copied, compared or hashed again. Its ctime says nothing, for linking it moves
that; its record gets a fixed one in its place. Where anything is not as expected, an entry is looked at like any other.
"""

from __future__ import annotations

import functools
import os
import re
import subprocess
from pathlib import Path
from typing import NamedTuple

from vaultwork.listing import Entry, Listing, leaders, listing_from, read_tree
from vaultwork.manifest import Known
from vaultwork.manifest_file import load
from vaultwork.rooms import Room, room_named

_LAYERS = re.compile(
    r"lowerdir\+?=[^,:]*/([^/,:]+)/([^/,:]+)/data/([^/,:]+),.*upperdir=[^,:]*/\1/\2/clones/([^/,:]+)/upper"
)


class Underlay(NamedTuple):
    """The snapshot below a clone, which of its sources, and the clone's upper layer."""

    room: Room
    key: str
    upper: bytes


def underlay_of(vault: Path, source: bytes) -> Underlay | None:
    """What is below a source, where that is a clone of a snapshot in this very vault."""
    options = _overlay_options(os.fsdecode(source))
    layers = _LAYERS.search(options)
    if not layers:
        return None
    target, run, key, name = layers.groups()
    room = room_named(vault, target, run)
    upper = room.folder / "clones" / name / "upper"
    return Underlay(room, key, bytes(upper)) if upper.is_dir() and room.seal.exists() else None


def _overlay_options(point: str) -> str:
    for line in Path("/proc/self/mountinfo").read_text(errors="surrogateescape").splitlines():
        mount, _, filesystem = line.partition(" - ")
        if mount.split(" ")[4] == point and filesystem.startswith("overlay "):
            return filesystem
    return ""


def seen_through(under: Underlay, listing: Listing) -> Listing:
    """The listing of a clone, in which what shows through has a record that stays the same as long as it does.

    The upper layer is read after the listing was made: what was written to in between is there already.
    """
    written = _names_in(under.upper)
    below, groups = _below(under.room.tree(under.key))
    return {
        path: entry._replace(ident=_fixed(entry, path in groups))
        if path not in written and _is_same(entry, below.get(path))
        else entry
        for path, entry in listing.items()
    }


def known_through(under: Underlay, listing: Listing) -> dict[bytes, Known]:
    """What the snapshot's manifest knows of the entries that show through in such a listing."""
    manifest = load(under.room.manifest(under.key))
    known = manifest.known if manifest else {}
    return {
        path: known[path]._replace(ident=entry.ident)
        for path, entry in listing.items()
        if _FIXED in entry.ident and path in known and (entry.meta, entry.extra) == known[path][:2]
    }


def _names_in(folder: bytes) -> set[bytes]:
    done = subprocess.run([b"find", folder, b"-printf", rb"%P\0"], capture_output=True, check=True)
    return set(done.stdout.split(b"\0"))


@functools.cache
def _below(tree: bytes) -> tuple[Listing, dict[bytes, bytes]]:
    """A sealed tree, read once, and its hard links."""
    listing = listing_from(tree, read_tree(tree))
    return listing, leaders(listing)


_FIXED = b" 0.0"


def _is_same(entry: Entry, below: Entry | None) -> bool:
    return below is not None and (entry.meta, entry.extra, _inode(entry)) == (below.meta, below.extra, _inode(below))


def _inode(entry: Entry) -> bytes:
    return entry.ident.partition(b" ")[0]


def _fixed(entry: Entry, is_linked: bool) -> bytes:
    """Inode, whether it has other names in this tree, and no ctime."""
    links = b"0" if entry.kind == b"d" else b"2" if is_linked else b"1"
    return b"%s %s%s" % (_inode(entry), links, _FIXED)
