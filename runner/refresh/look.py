"""Reading trees: defaults as a whole, the user's only where a default is or was; it changes nothing."""

from __future__ import annotations

import hashlib
import os
import stat
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace

from runner.errors import Refused
from runner.refresh.entries import Entry, Kind, Tree, printable
from runner.refresh.root import Root, names_in, open_file

AREA = ".refloat-refresh"  # where a refresh keeps what it needs to undo itself, inside the tree
_CHUNK_BYTES = 1024 * 1024
_HASH_LIMIT_BYTES = 64 * 1024 * 1024
_RENDER_LIMIT_BYTES = 16 * 1024 * 1024
_NEVER_RENDERED = (".png", ".pdf")

Hashes = Callable[[str, int], bool]  # whether the file of this size at this path is worth reading
Tokens = tuple[tuple[bytes, bytes], ...]


@dataclass(frozen=True)
class Defaults:
    """A tree of defaults: where it is, which tokens are replaced in it, and modes that are said elsewhere."""

    root: Root
    tokens: Tokens = ()
    modes: Mapping[str, int] = field(default_factory=dict)

    def text(self, path: str) -> bytes:
        """Read a default file as it is to be installed."""
        with self.root.reading(path) as fd:
            return self._rendered(path, _all_of(fd))

    def chunks(self, path: str) -> Iterator[bytes]:
        """Read a default file as it is to be installed, piece by piece where it is not rendered."""
        with self.root.reading(path) as fd:
            if self.renders(path, os.fstat(fd).st_size):
                yield self._rendered(path, _all_of(fd))
                return
            while chunk := os.read(fd, _CHUNK_BYTES):
                yield chunk

    def renders(self, path: str, size: int) -> bool:
        """Whether tokens are replaced in this file."""
        return bool(self.tokens) and size <= _RENDER_LIMIT_BYTES and not path.endswith(_NEVER_RENDERED)

    def _rendered(self, path: str, text: bytes) -> bytes:
        if self.renders(path, len(text)):
            for token, value in self.tokens:
                text = text.replace(token, value)
        return text


def read_defaults(defaults: Defaults) -> dict[str, Entry]:
    """Read a tree of defaults from the top."""
    found: dict[str, Entry] = {}
    waiting = [""]
    while waiting:
        inside = _read_directory(defaults.root, waiting.pop(), None, lambda _path, _size: True)
        found |= inside
        waiting.extend(path for path, entry in inside.items() if entry.kind is Kind.DIRECTORY)
    return {path: _as_installed(defaults, path, entry) for path, entry in found.items()}


def read_user(root: Root, old: Tree, new: Tree) -> dict[str, Entry]:
    """Read the user's tree where a default is or was, and nowhere else; what is not there is left out."""
    wanted: dict[str, list[str]] = defaultdict(list)
    for path in dict.fromkeys((*new, *old)):
        above, _, name = path.rpartition("/")
        wanted[above].append(name)
    found: dict[str, Entry] = {}

    def hashes(path: str, size: int) -> bool:
        return _could_equal(size, old.get(path), new.get(path))

    for above, names in wanted.items():
        found |= _read_directory(root, above, names, hashes)
    return found


def text_of(root: Root, path: str) -> bytes:
    """Read one of the user's files."""
    with root.reading(path) as fd:
        return _all_of(fd)


def names_below(root: Root, path: str) -> tuple[str, ...]:
    """List everything under a directory; nothing for what is no directory."""
    with refusing_what_cannot_be_read(root, path):
        return tuple(inner for inner, _ in root.below(path))


@contextmanager
def refusing_what_cannot_be_read(root: Root, above: str) -> Iterator[None]:
    """Turn a failure to read into a refusal that names the path."""
    try:
        yield
    except OSError as error:
        where = printable(str(root.path / above / os.fsdecode(error.filename or "")))
        what = f"{where} cannot be read: {error.strerror or error}."
        raise Refused("refresh-unreadable", what, then="Make it readable for this user, then try again.") from error


def _as_installed(defaults: Defaults, path: str, entry: Entry) -> Entry:
    if path in defaults.modes:
        entry = replace(entry, mode=defaults.modes[path])
    if entry.kind is Kind.FILE and defaults.renders(path, entry.size):
        text = defaults.text(path)
        entry = replace(entry, size=len(text), digest=hashlib.sha256(text).hexdigest())
    return entry


def _could_equal(size: int, *defaults: Entry | None) -> bool:
    return size <= _HASH_LIMIT_BYTES or any(default and default.size == size for default in defaults)


def _read_directory(root: Root, above: str, names: list[str] | None, hashes: Hashes) -> dict[str, Entry]:
    found: dict[str, Entry] = {}
    absent = suppress(FileNotFoundError, NotADirectoryError)
    with refusing_what_cannot_be_read(root, above), absent, root.directory(above) as fd:
        for name in names_in(fd) if names is None else names:
            path = f"{above}/{name}" if above else name
            if path != AREA and (entry := _entry(fd, name, path, hashes)):
                found[path] = entry
    return found


def _entry(fd: int, name: str, path: str, hashes: Hashes) -> Entry | None:
    try:
        seen = os.stat(name, dir_fd=fd, follow_symlinks=False)
    except FileNotFoundError:
        return None
    mode = stat.S_IMODE(seen.st_mode)
    if stat.S_ISLNK(seen.st_mode):
        return Entry(Kind.LINK, 0o777, target=os.readlink(name, dir_fd=fd))
    if stat.S_ISDIR(seen.st_mode):
        return Entry(Kind.DIRECTORY, mode, names=_count_names(fd, name))
    if not stat.S_ISREG(seen.st_mode):
        return Entry(Kind.SPECIAL, mode)
    # A huge file of another size than any default differs anyway; its age is enough to know it again.
    digest = _digest(fd, name) if hashes(path, seen.st_size) else f"changed at {seen.st_mtime_ns}"
    return Entry(Kind.FILE, mode, seen.st_size, digest)


def _count_names(fd: int, name: str) -> int:
    inner = os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=fd)
    try:
        return len(names_in(inner))
    finally:
        os.close(inner)


def _digest(directory_fd: int, name: str) -> str:
    digest = hashlib.sha256()
    with open_file(directory_fd, name) as fd:
        while chunk := os.read(fd, _CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()


def _all_of(fd: int) -> bytes:
    return b"".join(iter(lambda: os.read(fd, _CHUNK_BYTES), b""))
