"""Makes one tree equal to another by touching only the paths it is told to; it never decides which those are."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
from collections.abc import Mapping
from typing import NamedTuple

from vaultwork.copying import copy_content, copy_entry, copy_meta, kind_of
from vaultwork.listing import Listing, at, parent_of, whole_groups

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})
"""What stops a copy for good; all else may be an entry that vanished or became another since it was listed."""


class Side(NamedTuple):
    """A tree and what is in it."""

    root: bytes
    listing: Listing


class Done(NamedTuple):
    """What was written: paths, and bytes of content."""

    paths: set[bytes]
    copied_bytes: int


_NONE = Done(set(), 0)


class _Work(NamedTuple):
    source: Side
    copy: Side
    leaders: Mapping[bytes, bytes]
    staging: bytes
    in_use: bool
    may_remove_first: bool


def make_equal(
    source: Side, copy: Side, leaders: Mapping[bytes, bytes], rewrite: set[bytes], staging: bytes, *, in_use: bool,
    may_remove_first: bool = False,
) -> Done:  # fmt: skip
    """Remove from ``copy`` what ``source`` has not, and make these paths (and those hard linked to them) anew.

    ``staging`` is a folder on the copy's filesystem: a file appears under its name whole or not at all, and a file
    that other snapshots share is never written into. Where ``in_use``, sources may vanish. ``may_remove_first`` lets a
    file that is to be made anew go before, where there is no room for both.
    """
    work = _Work(source, copy, leaders, staging, in_use, may_remove_first)
    removed = _remove_surplus(work)
    chosen = whole_groups(rewrite, leaders)
    folders = sorted(path for path in chosen if source.listing[path].kind == b"d")
    for path in folders:
        _ensure_folder(at(copy.root, path))
    files = chosen.difference(folders)
    written = _write_files(work, files)
    touched = {parent_of(path) for path in (*removed, *files, *folders) if path}
    _fix_folders(work, touched.union(folders))
    return Done(written.paths.union(folders), written.copied_bytes)


def _remove_surplus(work: _Work) -> list[bytes]:
    wanted = work.source.listing
    doomed = [
        path
        for path, entry in work.copy.listing.items()
        if path not in wanted or (entry.kind != wanted[path].kind and b"d" in (entry.kind, wanted[path].kind))
    ]
    for path in sorted(doomed, reverse=True):  # children before their folder
        remove = os.rmdir if work.copy.listing[path].kind == b"d" else os.unlink
        try:
            remove(at(work.copy.root, path))
        except FileNotFoundError:
            continue
    return doomed


def _ensure_folder(path: bytes) -> None:
    try:
        os.mkdir(path, 0o700)
    except FileExistsError:
        return


def _write_files(work: _Work, files: set[bytes]) -> Done:
    if files == {b""}:
        return _write_root_file(work)
    by_leader: dict[bytes, list[bytes]] = {}
    for path in sorted(files):
        by_leader.setdefault(work.leaders.get(path, path), []).append(path)
    if by_leader:
        ensure_empty(work.staging)
    done = [_write_group(work, paths) for paths in by_leader.values()]
    return Done(set().union(*(each.paths for each in done)), sum(each.copied_bytes for each in done))


def _write_group(work: _Work, paths: list[bytes]) -> Done:
    """One file under all its names."""
    fresh, named = at(work.staging, b"fresh"), at(work.staging, b"named")
    if work.may_remove_first and not _has_room(work, paths[0]):
        for path in paths:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(at(work.copy.root, path))
    try:
        copied_bytes = copy_entry(at(work.source.root, paths[0]), fresh)
        if kind_of(fresh) != work.source.listing[paths[0]].kind:
            raise FileNotFoundError(errno.ENOENT, "It became another", paths[0])
        for path in paths[1:]:
            os.link(fresh, named, follow_symlinks=False)
            os.rename(named, at(work.copy.root, path))
        os.rename(fresh, at(work.copy.root, paths[0]))
    except OSError as error:
        if not work.in_use or error.errno in _FULL:
            raise
        ensure_empty(work.staging)
        return _NONE
    return Done(set(paths), copied_bytes)


def _has_room(work: _Work, path: bytes) -> bool:
    space = os.statvfs(work.staging)
    return work.source.listing[path].size_bytes < space.f_bavail * space.f_frsize


def _write_root_file(work: _Work) -> Done:
    """The source is one mounted file: a mount point cannot be renamed over."""
    source, copy = work.source.root, work.copy.root
    if os.path.lexists(copy) and os.lstat(copy).st_nlink > 1 and not os.path.ismount(copy):
        os.unlink(copy)  # shared with an older snapshot
    copied_bytes = copy_content(source, copy, os.O_CREAT | os.O_TRUNC)
    copy_meta(source, copy, os.lstat(source))
    return Done({b""}, copied_bytes)


def _fix_folders(work: _Work, paths: set[bytes]) -> None:
    """Give folders back the times that working in them moved, deepest first."""
    for path in sorted(paths, reverse=True):
        if path not in work.source.listing or work.source.listing[path].kind != b"d":
            continue
        source = at(work.source.root, path)
        try:
            copy_meta(source, at(work.copy.root, path), os.lstat(source))
        except OSError as error:
            if not work.in_use or error.errno in _FULL:
                raise


def ensure_empty(folder: bytes) -> None:
    """Make a folder, or empty it; nothing that its parent hands down stays on it."""
    if os.path.lexists(folder):
        shutil.rmtree(folder)
    os.makedirs(folder, 0o700)
    for name in os.listxattr(folder):
        os.removexattr(folder, name)
