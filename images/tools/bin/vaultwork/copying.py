"""Copies one entry with all that belongs to it: content, holes, owner, mode, attributes, times; it decides nothing."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import hashlib
import os
import stat
from collections.abc import Iterator

_FICLONE = 0x40049409
_UNCLONABLE = frozenset({errno.EOPNOTSUPP, errno.EXDEV, errno.EINVAL, errno.ENOTTY, errno.EPERM, errno.ENOSYS})
_CHUNK_BYTES = 1 << 30
_SMALL_BYTES, _PIECE_BYTES = 1 << 16, 1 << 18
"""What is read at once of a file that is hashed: at first little, for most files are small; then what stays in a
processor's cache until it is hashed, and in memory that need not be asked for each time."""
_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_WRITE = os.O_WRONLY | os.O_NOFOLLOW | os.O_CLOEXEC
FOREIGN_ATTRIBUTES = frozenset({"security.selinux", "security.evm", "security.ima"})
"""Set by the kernel's policy for the place a file is in; they are no part of the data."""


def copy_entry(source: bytes, copy: bytes) -> int:
    """Make a new entry like the source's, which is no directory; how many bytes its content has."""
    seen = os.lstat(source)
    size_bytes = 0
    if stat.S_ISDIR(seen.st_mode):
        raise IsADirectoryError(errno.EISDIR, "It became a folder", source)
    if stat.S_ISREG(seen.st_mode):
        size_bytes = copy_content(source, copy, os.O_CREAT | os.O_EXCL)
    elif stat.S_ISLNK(seen.st_mode):
        os.symlink(os.readlink(source), copy)
    else:
        os.mknod(copy, stat.S_IFMT(seen.st_mode) | 0o600, seen.st_rdev)
    copy_meta(source, copy, seen)
    return size_bytes


def kind_of(path: bytes) -> bytes:
    """What an entry is, in find's letters."""
    return stat.filemode(os.lstat(path).st_mode)[0].replace("-", "f").encode()


def copy_content(source: bytes, copy: bytes, flags: int) -> int:
    """Write the source's content into the copy, sharing blocks where the filesystem can, keeping holes."""
    with _opened(source, _READ) as reading, _opened(copy, _WRITE | flags) as writing:
        size_bytes = os.fstat(reading).st_size
        if size_bytes and not shares_blocks(reading, writing):
            os.ftruncate(writing, size_bytes)
            for start, end in _extents(reading, size_bytes):
                _send(reading, writing, start, end)
        return size_bytes


@contextlib.contextmanager
def _opened(path: bytes, flags: int) -> Iterator[int]:
    number = os.open(path, flags, 0o600)
    try:
        yield number
    finally:
        os.close(number)


def file_shares_blocks(source: bytes, writing: int) -> bool:
    """Try the same with a file by its name; one that became a FIFO meanwhile shares none and keeps nobody waiting."""
    with _opened(source, _READ) as reading:
        return shares_blocks(reading, writing)


def shares_blocks(reading: int, writing: int) -> bool:
    """Try to make one file a reflink of another."""
    try:
        fcntl.ioctl(writing, _FICLONE, reading)
    except OSError as error:
        if error.errno not in _UNCLONABLE:
            raise
        return False
    return True


def _extents(number: int, size_bytes: int) -> Iterator[tuple[int, int]]:
    """Where a file has data."""
    end = 0
    while end < size_bytes:
        try:
            start = os.lseek(number, end, os.SEEK_DATA)
        except OSError as error:
            if error.errno == errno.ENXIO:
                return
            start, end = end, size_bytes
        else:
            end = os.lseek(number, start, os.SEEK_HOLE)
        yield start, end


def _send(reading: int, writing: int, start: int, end: int) -> None:
    os.lseek(writing, start, os.SEEK_SET)
    while start < end:
        sent = os.sendfile(writing, reading, start, min(end - start, _CHUNK_BYTES))
        if not sent:
            return  # it was cut off meanwhile: its ctime tells, and the next pass copies it again
        start += sent


def copy_meta(source: bytes, copy: bytes, seen: os.stat_result) -> None:
    """Give an entry the owner, mode, attributes and times of another; the order matters.

    A change of owner takes setuid bits and file capabilities away, and every write moves the mtime.
    """
    os.chown(copy, seen.st_uid, seen.st_gid, follow_symlinks=False)
    if not stat.S_ISLNK(seen.st_mode):
        os.chmod(copy, stat.S_IMODE(seen.st_mode))
    _set_attributes(copy, attributes(source))
    os.utime(copy, ns=(seen.st_atime_ns, seen.st_mtime_ns), follow_symlinks=False)


def attributes(path: bytes) -> dict[str, bytes]:
    """The extended attributes, POSIX ACLs and file capabilities among them."""
    try:
        names = os.listxattr(path, follow_symlinks=False)
    except OSError as error:
        if error.errno == errno.EOPNOTSUPP:
            return {}
        raise
    return {name: os.getxattr(path, name, follow_symlinks=False) for name in names if name not in FOREIGN_ATTRIBUTES}


def _set_attributes(path: bytes, wanted: dict[str, bytes]) -> None:
    there = attributes(path)
    for name in there.keys() - wanted.keys():
        os.removexattr(path, name, follow_symlinks=False)
    for name, value in wanted.items():
        if there.get(name) != value:
            os.setxattr(path, name, value, follow_symlinks=False)


def attributes_digest(path: bytes) -> bytes:
    """A digest over the extended attributes; empty where there are none."""
    return digest_of_attributes(attributes(path))


def digest_of_attributes(found: dict[str, bytes]) -> bytes:
    """The same of attributes already read; those that are no part of the data must be left out."""
    if not found:
        return b""
    text = b"".join(b"%s\0%d\0%s" % (os.fsencode(name), len(found[name]), found[name]) for name in sorted(found))
    return hashlib.sha256(text).hexdigest()[:32].encode()


@contextlib.contextmanager
def opened_quietly(path: bytes) -> Iterator[int]:
    """Without moving the atime where that is allowed, or the next flush would have an inode to write for each file."""
    try:
        number = os.open(path, _READ | os.O_NOATIME)
    except PermissionError:  # it is somebody else's, and we are not root
        number = os.open(path, _READ)
    try:
        yield number
    finally:
        os.close(number)


def content_digest(path: bytes) -> bytes:
    """The SHA-256 of a file's content."""
    with opened_quietly(path) as number:
        return digest_of_open(number)


def digest_of_open(number: int) -> bytes:
    """The same of an open file that nobody has read yet."""
    digest = hashlib.sha256(os.read(number, _SMALL_BYTES))
    while more := os.read(number, _PIECE_BYTES):
        digest.update(more)
    return digest.hexdigest().encode()
