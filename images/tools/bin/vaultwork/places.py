"""Where the pieces of one source are in a room, and what every pass does with them; it copies nothing."""

from __future__ import annotations

import os
import shutil
from typing import NamedTuple

from vaultwork.listing import Listing, listing_from, read_tree
from vaultwork.rooms import Room
from vaultwork.underlay import Underlay, seen_through, underlay_of


class Pass(NamedTuple):
    """What one pass over one source did."""

    copied_entries: int
    copied_bytes: int
    how: str
    removed: tuple[bytes, ...] = ()
    """What was there and is not in the snapshot: an overlay would have left it behind."""
    flush_s: float = 0.0
    """How long the disk alone was waited for."""


class Place(NamedTuple):
    """One source, its tree and its manifest in a room."""

    source: bytes
    tree: bytes
    manifest: bytes
    staging: bytes
    under: Underlay | None = None
    """The snapshot that the source is a clone of."""


def place_of(room: Room, source: bytes, key: str) -> Place:
    """Where things of one source are."""
    staging = room.staging + b"-" + key.encode()
    return Place(source, room.tree(key), room.manifest(key), staging, underlay_of(room.vault, source))


def listing_of(place: Place, said: bytes) -> Listing:
    """What find said of the source, entry by entry."""
    listing = listing_from(place.source, said)
    return seen_through(place.under, listing) if place.under else listing


def list_source(place: Place, *, in_use: bool = False) -> Listing:
    """List the source."""
    return listing_of(place, read_tree(place.source, in_use=in_use))


def begun(place: Place) -> bool:
    """Whether there is a copy that the source can be compared with."""
    return os.path.exists(place.manifest) and os.path.lexists(place.tree)


def wipe(tree: bytes) -> None:
    """Remove a tree, or the one file that stands for it."""
    if os.path.isdir(tree) and not os.path.islink(tree):
        shutil.rmtree(tree)
    elif os.path.lexists(tree):
        os.unlink(tree)
