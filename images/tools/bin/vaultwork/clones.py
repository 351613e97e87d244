"""The folders of throwaway writable views of a sealed snapshot; mounting them is the engine's work."""

from __future__ import annotations

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


def prepare(room: Room, names: dict[str, str]) -> str:
    """Make upper and work folders for each clone (source key → volume); ``overlay``, or ``copy`` where it cannot be."""
    folders_only = all(os.path.isdir(room.tree(key)) for key in names)
    if filesystem_of(room.folder) not in _OVERLAY_ABLE or not folders_only:
        return "copy"
    for key, name in names.items():
        tree = room.tree(key)
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
    argv = [b"cp", b"-a", b"--sparse=auto", b"-T"]
    for how in (b"always", b"auto"):
        done = subprocess.run([*argv, b"--reflink=" + how, room.tree(key), target], capture_output=True, check=False)
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
