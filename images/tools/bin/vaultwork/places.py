"""Where the pieces of one source are in a room, and what every pass does with them; it copies nothing."""

from __future__ import annotations

import os
import shutil
from typing import NamedTuple

from vaultwork.rooms import Room


class Pass(NamedTuple):
    """What one pass over one source did."""

    copied_entries: int
    copied_bytes: int
    how: str


class Place(NamedTuple):
    """One source, its tree and its manifest in a room."""

    source: bytes
    tree: bytes
    manifest: bytes
    staging: bytes


def place_of(room: Room, source: bytes, key: str) -> Place:
    """Where things of one source are."""
    return Place(source, room.tree(key), room.manifest(key), room.staging + b"-" + key.encode())


def begun(place: Place) -> bool:
    """Whether there is a copy that the source can be compared with."""
    return os.path.exists(place.manifest) and os.path.lexists(place.tree)


def wipe(tree: bytes) -> None:
    """Remove a tree, or the one file that stands for it."""
    if os.path.isdir(tree) and not os.path.islink(tree):
        shutil.rmtree(tree)
    elif os.path.lexists(tree):
        os.unlink(tree)
