"""A directory whose inside is reached name by name; it never follows a link and never leaves the directory.

Every operation opens the parent directories one after another without following links, then acts on the last name.
So a link to ``/etc`` in the middle of a path is an error (``NotADirectoryError``), not a way out.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType

_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
# O_NONBLOCK: opening a FIFO somebody put in a file's place must not wait for a writer.
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


class Root:
    """An open directory. The caller closes it, best by ``with``."""

    def __init__(self, path: Path, fd: int | None = None) -> None:
        self.path = path
        self.fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC) if fd is None else fd

    def __enter__(self) -> Root:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the directory."""
        os.close(self.fd)

    def inner(self, path: str) -> Root:
        """Open a directory below as a root of its own; no link on the way to it is followed."""
        with self.directory(path) as fd:
            return Root(self.path / path, os.dup(fd))

    @contextmanager
    def directory(self, path: str) -> Iterator[int]:
        """Open a directory below (or the root itself for the empty path)."""
        fd = os.dup(self.fd)
        try:
            for name in _names_of(path):
                fd, above = _open_directory(fd, name), fd
                os.close(above)
            yield fd
        finally:
            os.close(fd)

    @contextmanager
    def parent(self, path: str) -> Iterator[tuple[int, str]]:
        """Open the directory a path lies in; yield it with the last name."""
        above, _, name = path.rpartition("/")
        if not _names_of(name):
            raise ValueError(f"not a path inside a tree: {path!r}")
        with self.directory(above) as fd:
            yield fd, name

    def status(self, path: str) -> os.stat_result | None:
        """Yield what is at a path, or None where nothing is, a link or file in the middle included."""
        try:
            with self.parent(path) as (fd, name):
                return os.stat(name, dir_fd=fd, follow_symlinks=False)
        except (FileNotFoundError, NotADirectoryError):
            return None

    @contextmanager
    def reading(self, path: str) -> Iterator[int]:
        """Open a regular file for reading; anything else is an ``OSError``."""
        with self.parent(path) as (fd, name), open_file(fd, name) as file_fd:
            yield file_fd

    def below(self, path: str) -> Iterator[tuple[str, bool]]:
        """Yield everything under a directory from the top down, and whether it is a directory itself."""
        waiting = [path]
        while waiting:
            above = waiting.pop()
            for name, is_directory in sorted(self._inside(above)):
                inner = f"{above}/{name}" if above else name
                yield inner, is_directory
                if is_directory:
                    waiting.append(inner)

    def remove_all(self, path: str) -> None:
        """Remove a path, a directory with all it holds; links are removed, not followed."""
        found = self.status(path)
        if found is None:
            return
        for inner, is_directory in reversed([*self.below(path)]):
            self._remove(inner, is_directory)
        self._remove(path, stat.S_ISDIR(found.st_mode))

    def _inside(self, path: str) -> list[tuple[str, bool]]:
        try:
            with self.directory(path) as fd, os.scandir(fd) as found:
                return [(entry.name, entry.is_dir(follow_symlinks=False)) for entry in found]
        except (FileNotFoundError, NotADirectoryError):
            return []

    def _remove(self, path: str, is_directory: bool) -> None:
        with self.parent(path) as (fd, name):
            if is_directory:
                os.rmdir(name, dir_fd=fd)
            else:
                os.unlink(name, dir_fd=fd)


def names_in(directory_fd: int) -> list[str]:
    """List an open directory."""
    with os.scandir(directory_fd) as found:
        return [entry.name for entry in found]


@contextmanager
def open_file(directory_fd: int, name: str) -> Iterator[int]:
    """Open a regular file in an open directory."""
    fd = os.open(name, _FILE, dir_fd=directory_fd)
    try:
        if not stat.S_ISREG(os.fstat(fd).st_mode):
            raise OSError(errno.EINVAL, "not a regular file", name)
        yield fd
    finally:
        os.close(fd)


def _open_directory(above: int, name: str) -> int:
    try:
        return os.open(name, _DIRECTORY, dir_fd=above)
    except OSError as error:
        if error.errno == errno.ELOOP:  # what some systems say of a link instead of "not a directory"
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), name) from error
        raise


def _names_of(path: str) -> list[str]:
    names = path.split("/") if path else []
    if any(name in ("", ".", "..") for name in names):
        raise ValueError(f"not a path inside a tree: {path!r}")
    return names
