"""Unpacking a tar of defaults into a folder of our own; it follows no link and never leaves that folder.

An image's files are no more to be trusted than anybody's: a tar may name ``../``, or lead a file through a link.
"""

from __future__ import annotations

import io
import os
import shutil
import stat
import tarfile
from contextlib import suppress
from pathlib import Path
from typing import IO

from runner.refresh.root import Root


def unpack(packed: bytes, folder: Path) -> dict[str, int]:
    """Unpack what lies below the tar's one top folder, and yield the modes; ``tarfile.TarError`` where it is none."""
    modes: dict[str, int] = {}
    folder.mkdir(mode=0o700)
    with tarfile.open(fileobj=io.BytesIO(packed)) as tar, Root(folder) as root:
        for member in tar:
            path = member.name.rstrip("/").partition("/")[2]
            if path and _can_be(path):
                # What cannot have its place (below a file, through a link) is no default anybody could install.
                with suppress(FileNotFoundError, NotADirectoryError, FileExistsError):
                    _put(root, path, tar, member)
                    modes[path] = stat.S_IMODE(member.mode)
    return modes


def holds_something(packed: bytes) -> bool:
    """Whether there is anything below the tar's top folder; an empty text is no tar and holds nothing."""
    if not packed:
        return False
    with tarfile.open(fileobj=io.BytesIO(packed)) as tar:
        return any(member.name.rstrip("/").partition("/")[2] for member in tar)


def only_file(packed: bytes) -> bytes | None:
    """The text of the one file in a tar; None where it is no file, and where there is no tar at all."""
    if not packed:
        return None
    with tarfile.open(fileobj=io.BytesIO(packed)) as tar:
        first = tar.next()
        opened = tar.extractfile(first) if first and first.isfile() else None
        return opened.read() if opened else None


def _can_be(path: str) -> bool:
    return not any(name in ("", ".", "..") for name in path.split("/"))


def _put(root: Root, path: str, tar: tarfile.TarFile, member: tarfile.TarInfo) -> None:
    with root.parent(path) as (fd, name):
        if member.isdir():
            os.mkdir(name, 0o700, dir_fd=fd)
        elif member.issym():
            os.symlink(member.linkname, name, dir_fd=fd)
        elif member.isfile() or member.islnk():
            _write(fd, name, _opened(tar, member))
        else:
            os.mkfifo(name, 0o600, dir_fd=fd)  # devices and sockets: all the same to a refresh, which ignores them


def _opened(tar: tarfile.TarFile, member: tarfile.TarInfo) -> IO[bytes]:
    try:
        opened = tar.extractfile(member)
    except KeyError:
        opened = None
    if opened is None:
        raise FileNotFoundError(member.linkname)  # a hard link to what is not in the tar
    return opened


def _write(fd: int, name: str, content: IO[bytes]) -> None:
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    with os.fdopen(os.open(name, flags, 0o600, dir_fd=fd), "wb") as file:
        shutil.copyfileobj(content, file)
