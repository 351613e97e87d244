"""Grows, damages and portrays trees of files; standard library only, since it also runs inside containers."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import random
import shutil
import socket
import stat
import struct
import time
from collections.abc import Iterator

Portrait = dict[bytes, tuple[object, ...]]

ROOT = os.geteuid() == 0
NAMES = [b"a", b"b", b"new\nline", b"\xff\xfe", b" space ", b"-rf", b"quote'\"", b"\\n", "ü".encode(), b"x" * 255, b"*"]


def portrait(root: bytes) -> Portrait:
    """Everything that must survive, of every entry: what the copying program knows is not asked."""
    paths = [root]
    for folder, folders, files in os.walk(root):
        paths += [os.path.join(folder, name) for name in (*folders, *files)]
    sharing: dict[tuple[int, int], list[bytes]] = {}
    for path in paths:
        seen = os.lstat(path)
        sharing.setdefault((seen.st_dev, seen.st_ino), []).append(path[len(root) :])
    return {path[len(root) :]: _features(path, sharing) for path in paths}


def _features(path: bytes, sharing: dict[tuple[int, int], list[bytes]]) -> tuple[object, ...]:
    seen = os.lstat(path)
    content: bytes | str = b""
    if stat.S_ISREG(seen.st_mode):
        with open(path, "rb") as file:
            content = hashlib.file_digest(file, "sha256").hexdigest()
    elif stat.S_ISLNK(seen.st_mode):
        content = os.readlink(path)
    names = sorted(os.listxattr(path, follow_symlinks=False))
    return (
        oct(seen.st_mode),
        seen.st_uid,
        seen.st_gid,
        seen.st_mtime_ns,
        seen.st_size if stat.S_ISREG(seen.st_mode) else 0,
        seen.st_rdev if stat.S_ISCHR(seen.st_mode) or stat.S_ISBLK(seen.st_mode) else 0,
        content,
        tuple(sorted(sharing[seen.st_dev, seen.st_ino])),
        tuple((name, os.getxattr(path, name, follow_symlinks=False)) for name in names),
    )


def entries_of(root: bytes) -> list[bytes]:
    """Every path below the root, in a fixed order."""
    return sorted(os.path.join(folder, name) for folder, folders, files in os.walk(root) for name in (*folders, *files))


def grow(root: bytes, dice: random.Random, count: int) -> None:
    """Add entries of every kind, in random places."""
    for _ in range(count):
        folders = [root, *(path for path in entries_of(root) if os.path.isdir(path) and not os.path.islink(path))]
        path = os.path.join(dice.choice(folders), dice.choice(NAMES) + b"%d" % dice.randrange(20))[:4000]
        path = os.path.join(os.path.dirname(path), os.path.basename(path)[:255])
        if not os.path.lexists(path) and len(path) < 3000:
            add_one(root, path, dice)


def add_one(root: bytes, path: bytes, dice: random.Random) -> None:
    """Make one entry of a random kind, with random owner, mode, attributes and times."""
    kinds = ["file", "file", "file", "folder", "folder", "sparse", "symlink", "fifo", "socket", "hardlink"]
    match dice.choice([*kinds, "device"] if ROOT else kinds):
        case "folder":
            os.mkdir(path)
        case "sparse":
            with open(path, "wb") as file:
                file.seek(dice.randrange(1 << 20))
                file.write(b"end")
        case "symlink":
            os.symlink(dice.choice([b"nowhere", b"..", b"a", b"/etc/passwd", b"\xff\n"]), path)
        case "fifo":
            os.mkfifo(path)
        case "socket":
            os.mknod(path, stat.S_IFSOCK | 0o600)
        case "device":
            os.mknod(path, stat.S_IFCHR | 0o600, os.makedev(1, dice.choice([3, 5])))
        case "hardlink":
            files = [each for each in entries_of(root) if stat.S_ISREG(os.lstat(each).st_mode)]
            write(path, dice) if not files else os.link(dice.choice(files), path)
        case _:
            write(path, dice)
    dress(path, dice)


def write(path: bytes, dice: random.Random) -> None:
    """Give a file other content."""
    with open(path, "wb") as file:
        file.write(dice.randbytes(dice.choice([0, 1, 100, 5000, 70000])))


def dress(path: bytes, dice: random.Random) -> None:
    """Give an entry other features."""
    mode = os.lstat(path).st_mode
    if ROOT:
        os.chown(path, dice.randrange(5), dice.randrange(70000), follow_symlinks=False)
    if not stat.S_ISLNK(mode):
        bits = [0o644, 0o600, 0o4755, 0o2750, 0o1777, *([0, 0o111] if ROOT else [])]
        os.chmod(path, dice.choice([0o700, 0o755, 0o2770, 0o1777] if stat.S_ISDIR(mode) else bits))
    if stat.S_ISREG(mode) or stat.S_ISDIR(mode):
        with without_support():
            _attribute(path, mode, dice)
    times = [0, 1, 999_999_999, 1_000_000_000_123_456_789, -1, -1_250_000_000]
    os.utime(path, ns=(0, dice.choice(times)), follow_symlinks=False)


@contextlib.contextmanager
def without_support() -> Iterator[None]:
    """Filesystems in memory know no attributes on older kernels."""
    try:
        yield
    except OSError as error:
        if error.errno != errno.EOPNOTSUPP:
            raise


def _attribute(path: bytes, mode: int, dice: random.Random) -> None:
    match dice.randrange(6):
        case 0:
            os.setxattr(path, "user.note", dice.randbytes(20))
        case 1:
            name = "system.posix_acl_default" if stat.S_ISDIR(mode) else "system.posix_acl_access"
            os.setxattr(path, name, acl(dice.randrange(1000, 2000)))
        case 2 if ROOT and stat.S_ISREG(mode):
            os.setxattr(path, "security.capability", bytes.fromhex("0100000200200000000000000000000000000000"))
        case _:
            pass


def acl(user: int) -> bytes:
    """A POSIX ACL: user::rwx, user:<user>:r-x, group::r-x, mask::rwx, other::---."""
    rules = [(1, 7, 0xFFFFFFFF), (2, 5, user), (4, 5, 0xFFFFFFFF), (16, 7, 0xFFFFFFFF), (32, 0, 0xFFFFFFFF)]
    return struct.pack("<I", 2) + b"".join(struct.pack("<HHI", *rule) for rule in rules)


def damage(root: bytes, dice: random.Random, count: int) -> None:
    """Change a tree in ways that programs do, and in mean ones."""
    for _ in range(count):
        paths = entries_of(root)
        if not paths:
            return
        hurt(root, dice.choice(paths), dice)


def hurt(root: bytes, path: bytes, dice: random.Random) -> None:
    """One change."""
    match dice.randrange(9):
        case 0:
            remove(path)
        case 1:
            rewrite_secretly(path, dice)
        case 2:
            dress(path, dice)
        case 3:
            grow(root, dice, 2)
        case 4:
            remove(path)
            add_one(root, path, dice)
        case 5:
            move(path, dice.choice(entries_of(root)))
        case 6:
            become_link(path, dice.choice(entries_of(root)))
        case 7 if stat.S_ISREG(os.lstat(path).st_mode):
            os.truncate(path, dice.randrange(1000))
        case _:
            os.utime(path, ns=(0, dice.randrange(10**18)), follow_symlinks=False)


def rewrite_secretly(path: bytes, dice: random.Random) -> None:
    """Change a file's content in place, keeping size and mtime."""
    seen = os.lstat(path)
    if stat.S_ISREG(seen.st_mode) and seen.st_size < 1 << 18:
        with open(path, "r+b") as file:
            file.write(dice.randbytes(seen.st_size))
        os.utime(path, ns=(seen.st_atime_ns, seen.st_mtime_ns))


def remove(path: bytes) -> None:
    """Remove an entry of any kind."""
    if os.path.isdir(path) and not os.path.islink(path):
        shutil.rmtree(path)
    else:
        os.unlink(path)


def move(path: bytes, other: bytes) -> None:
    """Rename over another entry, where the kernel lets us."""
    with contextlib.suppress(OSError):
        os.rename(path, other)


def await_next_stamp(folder: bytes) -> None:
    """Return once what changes from now on gets a later ctime than all before: files have a clock of their own.

    It ticks every few milliseconds, on a virtual machine that waits for its processor tens of them.
    """
    path = os.path.join(folder, b".stamp")
    with open(path, "wb"):
        first = os.stat(path).st_ctime_ns
        while os.stat(path).st_ctime_ns <= first:
            time.sleep(0.001)
            os.utime(path)
    os.unlink(path)


def become_link(path: bytes, other: bytes) -> None:
    """Put a symlink to another entry in an entry's place: what was within a folder seems to be there still."""
    remove(path)
    os.symlink(os.path.relpath(other, os.path.dirname(path)), path)


def listen(path: bytes) -> None:
    """A socket as a server makes it."""
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(path)
