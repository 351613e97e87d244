"""Which snapshot the user means, and whether it is whole; it changes none."""

from __future__ import annotations

from difflib import get_close_matches

from runner.errors import Refused
from runner.vault.port import Room, Sealed, VaultPlace, VaultPort


def find_snapshot(vault: VaultPort, place: VaultPlace, text: str) -> Room:
    """The sealed snapshot of a run, or the newest of a target; Refused ``no-such-snapshot`` names the nearest."""
    rooms = tuple(seen.room for seen in vault.rooms(place) if seen.sealed)
    for room in rooms:
        if text in (room.run, room.target):
            return room
    nearest = get_close_matches(text, (*(room.run for room in rooms), *(room.target for room in rooms)), n=1)
    meant = f"Did you mean {nearest[0]}? " if nearest else ""
    what = f"There is no snapshot of {text} in the vault."
    raise Refused("no-such-snapshot", what, then=f"{meant}List them: refloat ls --snapshots")


def verify(vault: VaultPort, room: Room) -> Sealed:
    """Hash every file of it again; VaultError ``damaged`` names the first that differs."""
    try:
        return vault.verify(room)
    finally:
        vault.close(room.run)
