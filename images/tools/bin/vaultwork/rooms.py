"""The vault's folders: where a room's papers, trees, manifests and seal are, and who may work in it; it copies nothing.

<vault>/<target>/<run>/room.json             what this room is
                      /papers/plan.json …    texts of the run
                      /data/<key>            one tree a source
                      /manifests/<key>       what is known of it (see manifest.py)
                      /taken-from.json       what the snapshot was taken from
                      /seal.json             written last
                      /clones/<volume>/      upper and work folders of clones
                      /spare                 room for the little that must still be written when the disk is full
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import json
import os
import shutil
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import NamedTuple, TypeVar

from vaultwork.manifest_file import FORMAT, write_whole
from vaultwork.trouble import Trouble

T = TypeVar("T")
_SPARE_BYTES = 32 * 1024
_FOLDERS = ("papers", "data", "manifests")


class Room(NamedTuple):
    """The folder of one run of one target."""

    vault: Path
    target: str
    run: str

    @property
    def folder(self) -> Path:
        """Where the room is."""
        return self.vault / self.target / self.run

    @property
    def seal(self) -> Path:
        """The seal's file."""
        return self.folder / "seal.json"

    @property
    def staging(self) -> bytes:
        """Where files are made before they get their name."""
        return bytes(self.folder / "staging")

    @property
    def spare(self) -> Path:
        """What is given up where the disk is full."""
        return self.folder / "spare"

    def tree(self, key: str) -> bytes:
        """The copy of one source."""
        return bytes(self.folder / "data" / key)

    def manifest(self, key: str) -> bytes:
        """What is known of one source."""
        return bytes(self.folder / "manifests" / key)


def room_named(vault: Path, target: str, run: str) -> Room:
    """A room by its names, which must be folder names."""
    for name in (target, run):
        if not name or name.startswith(".") or "/" in name or "\0" in name:
            raise Trouble("bad-name", f"'{name}' cannot be the name of a folder in the vault.")
    return Room(vault, target, run)


def ensure_room(room: Room) -> None:
    """Make the room's folders and say in it what it is."""
    for name in _FOLDERS:
        (room.folder / name).mkdir(parents=True, exist_ok=True, mode=0o700)
    if not (room.folder / "room.json").exists():
        made_at = datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
        write_json(room.folder / "room.json", {
            "format": FORMAT, "target": room.target, "run": room.run, "made_at": made_at,
        })  # fmt: skip
        with room.spare.open("wb") as file:
            os.posix_fallocate(file.fileno(), 0, _SPARE_BYTES)


def sparing(room: Room, write: Callable[[], T]) -> T:
    """Write something small; where the disk is full, with what was set aside for it."""
    try:
        return write()
    except OSError as error:
        if error.errno != errno.ENOSPC or not room.spare.exists():
            raise
    room.spare.unlink()
    return write()


def write_json(path: Path, content: dict[str, object]) -> None:
    """Write a JSON file, whole or not at all."""
    write_whole(bytes(path), json.dumps(content, indent=1, sort_keys=True).encode() + b"\n")


def read_json(path: Path) -> dict[str, object]:
    """Read a JSON file; damaged where it is none."""
    try:
        content = json.loads(path.read_bytes())
    except ValueError:
        content = None
    if not isinstance(content, dict):
        raise Trouble("damaged", f"{path.name} of the snapshot is damaged: it is not what was written.")
    return content


@contextlib.contextmanager
def alone_in(room: Room, *, shared: bool = False) -> Iterator[None]:
    """Hold the room: a command whose caller is gone may still be at work in it."""
    number = os.open(room.folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(number, fcntl.LOCK_SH if shared else fcntl.LOCK_EX)
        yield
    finally:
        os.close(number)


def all_rooms(vault: Path) -> Iterator[Room]:
    """Every room of the vault; it may be a folder that holds other things as well."""
    for target in sorted(vault.iterdir()) if vault.is_dir() else ():
        if not target.name.startswith(".") and target.is_dir():
            rooms = (Room(vault, target.name, run.name) for run in sorted(target.iterdir()) if run.is_dir())
            yield from (room for room in rooms if _is_room(room))


def _is_room(room: Room) -> bool:
    """Whether it says that it is one, or was cut off before it could say."""
    there = {path.name for path in room.folder.iterdir()}
    return bool(there & {"room.json", "seal.json"}) or set() != there <= {*_FOLDERS}


def made_at(room: Room) -> str:
    """When the room was made, or the empty text where it does not say: nothing else depends on it."""
    try:
        return str(read_json(room.folder / "room.json").get("made_at", ""))
    except (FileNotFoundError, Trouble):
        return ""


def write_papers(room: Room, papers: dict[str, str]) -> None:
    """Put texts into the room."""
    ensure_room(room)
    for name, text in papers.items():
        if "/" in name or name.startswith("."):
            raise Trouble("bad-name", f"'{name}' cannot be the name of a paper.")
        content = text.encode("utf-8", "surrogateescape")
        sparing(room, partial(write_whole, bytes(room.folder / "papers" / name), content))


def read_papers(room: Room) -> dict[str, str]:
    """Read the texts of a room."""
    folder = room.folder / "papers"
    names = sorted(path for path in folder.iterdir() if path.suffix != ".part") if folder.is_dir() else []
    return {path.name: path.read_bytes().decode("utf-8", "surrogateescape") for path in names}


def discard(room: Room) -> None:
    """Remove a room; under its own name it is either whole or gone."""
    away = room.vault / ".discarded"
    if room.folder.is_dir():
        with alone_in(room):
            sparing(room, lambda: away.mkdir(exist_ok=True, mode=0o700))
            room.folder.rename(away / f"{room.target}~{room.run}~{time.time_ns()}")
        with contextlib.suppress(OSError):
            room.folder.parent.rmdir()
    shutil.rmtree(away, ignore_errors=True)
