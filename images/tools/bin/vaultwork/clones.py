"""Throwaway views: writable ones of a sealed snapshot, copies of what is only read; mounting is the engine's work."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
from pathlib import Path

from vaultwork.copying import copy_meta
from vaultwork.rooms import Room
from vaultwork.trouble import Trouble, complaint

_FEATURES = Path("/sys/module/overlay/parameters")
_WANTED = ("index", "redirect_dir")
"""Without them a name that is written to loses its hard links, and no folder of the snapshot can be renamed."""
_OVERLAY_ABLE = frozenset({"ext4", "xfs", "btrfs", "f2fs"})


FILE = b"/file"
"""What a source that is one file is called in the volume that stands for it."""


def single_files(room: Room, names: dict[str, str]) -> list[str]:
    """Which of these sources are one file each: an overlay is mounted over a folder only."""
    return [key for key in names if not os.path.isdir(room.tree(key))]


def prepare(room: Room, names: dict[str, str]) -> str:
    """Make upper and work folders for each clone (source key → volume); ``overlay``, or ``copy`` where it cannot be."""
    if filesystem_of(room.folder) not in _OVERLAY_ABLE:
        return "copy"
    for key in names.keys() - set(single_files(room, names)):
        tree, name = room.tree(key), names[key]
        folder = room.folder / "clones" / name
        shutil.rmtree(folder, ignore_errors=True)
        (folder / "work").mkdir(parents=True)
        (folder / "upper").mkdir()
        copy_meta(tree, bytes(folder / "upper"), os.lstat(tree))
    return "overlay"


def features() -> list[str]:
    """The options of an overlay that make it more like a plain filesystem, as far as this kernel knows them."""
    return [f"{name}=on" for name in _WANTED if (_FEATURES / name).exists()]


def fill(room: Room, key: str, target: bytes) -> str:
    """Copy a tree into an empty volume, sharing blocks where that is possible."""
    return _copied(room.tree(key), target)


def duplicate(source: bytes, target: bytes, limit_bytes: int, limit_entries: int) -> dict[str, object]:
    """Copy what may be in use into an empty volume, unless it is more than this; what is mounted inside is left out."""
    size_bytes, entries = _size(source, limit_bytes, limit_entries)
    if size_bytes > limit_bytes or entries > limit_entries:
        return {"copied": False, "is_file": False}
    _copied(source, target, b"-x")
    return {"copied": True, "is_file": not os.path.isdir(source)}


def _size(source: bytes, limit_bytes: int, limit_entries: int) -> tuple[int, int]:
    """Bytes and entries, counted no further than it matters."""
    size_bytes, entries = os.lstat(source).st_blocks * 512, 1
    for folder, folders, files in os.walk(source):
        entries += len(folders) + len(files)
        for name in files:
            with contextlib.suppress(FileNotFoundError):
                size_bytes += os.lstat(os.path.join(folder, name)).st_blocks * 512
        if size_bytes > limit_bytes or entries > limit_entries:
            break
    return size_bytes, entries


def _copied(source: bytes, target: bytes, *more: bytes) -> str:
    target = target if os.path.isdir(source) else target + FILE
    argv = [b"cp", b"-a", b"--sparse=auto", b"-T", *more]
    for how in (b"always", b"auto"):
        done = subprocess.run([*argv, b"--reflink=" + how, source, target], capture_output=True, check=False)
        if done.returncode == 0:
            return "reflink" if how == b"always" else "copy"
    raise Trouble("copy-failed", f"The clone could not be filled: {complaint(done.stderr)}")


def drop(room: Room, names: list[str]) -> None:
    """Remove what the clones hold."""
    for name in names:
        shutil.rmtree(room.folder / "clones" / name, ignore_errors=True)


def left_in(room: Room) -> list[str]:
    """The clones that still have folders here."""
    folder = room.folder / "clones"
    return sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []


def filesystem_of(path: Path) -> str:
    """The type of the filesystem a path is on."""
    argv = ["stat", "--file-system", "--format=%T", str(path)]
    name = subprocess.run(argv, capture_output=True, text=True, check=False).stdout.strip()
    return "ext4" if name == "ext2/ext3" else name
