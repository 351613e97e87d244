"""The undo area of a refresh: what was taken away, and the list of changes, until all is done; it decides nothing.

The list is written whole, before the first change. Undoing reads it backwards and trusts only what it finds: a path
taken away is put back from the area, a path made is removed, a mode is set back. So undoing may itself be interrupted
and started again. The list is removed first when all is done: an area without a list holds nothing of value.
"""

from __future__ import annotations

import hashlib
import json
import os
import stat
from collections.abc import Iterator
from contextlib import suppress

from runner.errors import Stuck
from runner.refresh.entries import Entry, Kind, printable
from runner.refresh.look import AREA
from runner.refresh.root import Root
from runner.refresh.settlement import Change, SetMode, Swap

LIST = f"{AREA}/changes.json"
_DRAFT = f"{AREA}/changes.draft"


def begin(root: Root, changes: tuple[Change, ...]) -> None:
    """Make the area and write the list of what is about to be changed."""
    root.remove_all(AREA)
    with root.parent(AREA) as (fd, name):
        os.mkdir(name, 0o700, dir_fd=fd)
    text = json.dumps([_plain(change) for change in changes]).encode()
    with root.parent(_DRAFT) as (fd, name):
        write_new_file(fd, name, iter((text,)))
        os.rename(name, LIST.rpartition("/")[2], src_dir_fd=fd, dst_dir_fd=fd)
        os.fsync(fd)
    os.fsync(root.fd)


def saved(number: int) -> str:
    """Where the change of this number keeps what it took away."""
    return f"{AREA}/{number}"


def made(number: int) -> str:
    """Where the change of this number makes what is new, before it is moved to its place."""
    return f"{AREA}/new-{number}"


def is_unfinished(root: Root) -> bool:
    """Whether a refresh was interrupted here and left a list."""
    return root.status(LIST) is not None


def accept(root: Root) -> None:
    """Accept all changes: from here on there is no way back."""
    with root.parent(LIST) as (fd, name):
        os.unlink(name, dir_fd=fd)
        with suppress(OSError):  # the list is gone for everybody who looks; undoing now would find none
            os.fsync(fd)


def clean(root: Root) -> None:
    """Remove the area once its list is gone; what cannot be removed now goes with the next refresh."""
    with suppress(OSError):
        root.remove_all(AREA)


def undo_all(root: Root) -> None:
    """Put everything back as it was before the first change, then remove the area."""
    try:
        changes = _read_list(root) if is_unfinished(root) else []
        for number, change in reversed([*enumerate(changes)]):
            undo_one(root, number, change)
        if is_unfinished(root):
            accept(root)
    except (OSError, ValueError, KeyError, TypeError) as error:
        what = f"The interrupted refresh of {printable(str(root.path))} cannot be undone: {error}."
        stands = f"What was taken away is in {printable(str(root.path / AREA))}, listed in changes.json there."
        raise Stuck("refresh-stuck", what, stands, "Remove the cause, then run the same command again.") from error
    clean(root)


def undo_one(root: Root, number: int, change: Change) -> None:
    """Put one path back; what was never done is left alone."""
    if isinstance(change, SetMode):
        _undo_mode(root, change)
    elif not change.had:
        _take_away_ours(root, change)
    elif root.status(saved(number)):
        _take_away_ours(root, change)
        move(root, saved(number), change.path)


def _take_away_ours(root: Root, change: Swap) -> None:
    """Remove what we made, known by its kind and size; what somebody else put there meanwhile stays."""
    found = root.status(change.path)
    if found is None:
        return
    ours = change.new is not None and _kind_of(found) is change.new.kind
    if ours and change.new and (change.new.kind is not Kind.FILE or found.st_size == change.new.size):
        with root.parent(change.path) as (fd, name):
            (os.rmdir if stat.S_ISDIR(found.st_mode) else os.unlink)(name, dir_fd=fd)
    elif change.had:
        raise OSError(f"{printable(change.path)} was put there by somebody else")


def _kind_of(found: os.stat_result) -> Kind:
    if stat.S_ISDIR(found.st_mode):
        return Kind.DIRECTORY
    if stat.S_ISLNK(found.st_mode):
        return Kind.LINK
    return Kind.FILE if stat.S_ISREG(found.st_mode) else Kind.SPECIAL


def move(root: Root, source: str, target: str) -> None:
    """Move a path inside the tree as it is: owner, mode, times and attributes go with it."""
    with root.parent(source) as (from_fd, old_name), root.parent(target) as (to_fd, new_name):
        os.rename(old_name, new_name, src_dir_fd=from_fd, dst_dir_fd=to_fd)


def set_mode(root: Root, path: str, mode: int) -> None:
    """Set a file's or directory's permissions; never those of what a link leads to."""
    with root.parent(path) as (fd, name):
        found = os.stat(name, dir_fd=fd, follow_symlinks=False)
        if not (stat.S_ISREG(found.st_mode) or stat.S_ISDIR(found.st_mode)):
            raise OSError(f"{printable(path)} is no file or directory any more")
        os.chmod(name, mode, dir_fd=fd)


def write_new_file(directory_fd: int, name: str, chunks: Iterator[bytes], *, sync: bool = True) -> str:
    """Write a file that must not exist yet, see to it that it is on the disk, and yield its digest."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    digest = hashlib.sha256()
    with os.fdopen(os.open(name, flags, 0o600, dir_fd=directory_fd), "wb") as file:
        for chunk in chunks:
            digest.update(chunk)
            file.write(chunk)
        file.flush()
        if sync:
            os.fsync(file.fileno())
    return digest.hexdigest()


def _undo_mode(root: Root, change: SetMode) -> None:
    found = root.status(change.path)
    if found and stat.S_IMODE(found.st_mode) != change.before and not stat.S_ISLNK(found.st_mode):
        set_mode(root, change.path, change.before)


def _plain(change: Change) -> dict[str, object]:
    if isinstance(change, SetMode):
        return {"path": change.path, "before": change.before, "after": change.after}
    new = change.new
    return {"path": change.path, "had": change.had, "kind": new and new.kind, "size": new.size if new else 0}


def _read_list(root: Root) -> list[Change]:
    with root.reading(LIST) as fd, os.fdopen(os.dup(fd), "rb") as file:
        found = json.load(file)
    return [_change_from(item) for item in found]


def _change_from(item: dict[str, object]) -> Change:
    path, before, after, kind, size = (item.get(name) for name in ("path", "before", "after", "kind", "size"))
    if not isinstance(path, str):
        raise TypeError("changes.json names no path")
    if isinstance(before, int) and isinstance(after, int):
        return SetMode(path, before, after)
    new = Entry(Kind(kind), 0, size) if isinstance(kind, str) and isinstance(size, int) else None
    return Swap(path, item.get("had") is True, new)
