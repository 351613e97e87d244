"""The defaults store: pristine defaults kept beside the data, so that the next refresh needs no old version.

It is written as a whole, as a draft beside the former one, and takes that one's place when the refresh is accepted;
never half. Files are kept as they were installed, readable by their owner only; their modes are in a list.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from runner.errors import UsageError
from runner.refresh.entries import Entry, Kind, Tree, paths_from_the_top, printable
from runner.refresh.look import Defaults
from runner.refresh.root import Root
from runner.refresh.undo import write_new_file

_LIST, _DEFAULTS, _FORMAT = "store.json", "defaults", 1


@dataclass(frozen=True)
class Stored:
    """Defaults found in a store: where they are, of which version, and with which modes they were installed."""

    directory: Path
    version: str
    modes: dict[str, int]
    run: str = ""  # the upgrade that kept them, where it was one


def write_store(store: Path, defaults: Defaults, tree: Tree, version: str = "") -> None:
    """Keep these defaults, and no others, in the store."""
    draft_store(store, defaults, tree, version)
    adopt_draft(store)


def draft_store(store: Path, defaults: Defaults, tree: Tree, version: str, run: str = "") -> None:
    """Write what the store is to be beside it, durable, so that taking its place is all that is left to do."""
    ensure_it_may_be_a_store(store)
    with _explained(store):
        drop_draft(store)
        draft = _draft(store)
        modes = {path: entry.mode for path, entry in tree.items()}
        found = {"format": _FORMAT, "version": version, "run": run, "modes": modes}
        try:
            (draft / _DEFAULTS).mkdir(parents=True, mode=0o700)
            _fill(draft / _DEFAULTS, defaults, tree)
            (draft / _LIST).write_text(json.dumps(found))
            _flush(draft)  # the names change only when all of it is on the disk
        except OSError:
            drop_draft(store)  # half of one would only keep a full disk full
            raise


def adopt_draft(store: Path) -> None:
    """Let the draft take the store's place."""
    with _explained(store):
        before = _before(store)
        shutil.rmtree(before, ignore_errors=True)
        if store.exists():
            store.rename(before)
        _draft(store).rename(store)
        shutil.rmtree(before, ignore_errors=True)


def drop_draft(store: Path) -> None:
    """Remove a draft that nobody adopted."""
    shutil.rmtree(_draft(store), ignore_errors=True)


def drafted_by(store: Path) -> str | None:
    """The run whose whole draft waits to be adopted; None where there is none, or only a part of one."""
    found = _described(_draft(store))
    return None if found is None else found.run


def _draft(store: Path) -> Path:
    return store.with_name(f".{store.name}.draft")


def _before(store: Path) -> Path:
    return store.with_name(f".{store.name}.before")


def ensure_it_may_be_a_store(store: Path) -> None:
    """Refuse a directory that holds something else, before there is anything to keep."""
    with _explained(store):
        if store.exists() and read_store(store) is None and any(store.iterdir()):
            raise _no_store(store, "it holds something else")
        if not store.parent.is_dir():
            raise _no_store(store, "the directory it is to be in is not there")


def read_store(store: Path) -> Stored | None:
    """Find the defaults in a store; None where there is none yet."""
    with _explained(store):
        _finish_an_interrupted_swap(store)
        return _described(store)


def _described(store: Path) -> Stored | None:
    if not (store / _LIST).is_file():
        return None
    with _explained(store):
        found = json.loads((store / _LIST).read_text())
        if found["format"] != _FORMAT:
            raise _no_store(store, "a later refloat wrote it")
        modes = {str(path): int(mode) for path, mode in found["modes"].items()}
        return Stored(store / _DEFAULTS, str(found["version"]), modes, str(found.get("run", "")))


def stored_defaults(store: Path, version: str = "") -> Stored:
    """Find the defaults of this version; a store of another version must not be taken for it."""
    found = read_store(store)
    if found is None:
        raise _no_store(store, "nothing is kept there yet")
    if found.version != version:
        raise _no_store(store, f"it keeps the defaults of version {found.version!r}, not of {version!r}")
    return found


def _finish_an_interrupted_swap(store: Path) -> None:
    if _before(store).exists() and not store.exists():
        _before(store).rename(store)


def _fill(directory: Path, defaults: Defaults, tree: Tree) -> None:
    with Root(directory) as root:
        for path in paths_from_the_top(tree):
            _put(root, defaults, path, tree[path])


def _flush(tree: Path) -> None:
    """This tree alone: flushing everything would wait, in the downtime, for whoever else writes on this machine."""
    for path in (*tree.rglob("*"), tree):
        if path.is_symlink():
            continue  # it is in its folder
        fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
        try:
            os.fsync(fd)
        finally:
            os.close(fd)


def _put(root: Root, defaults: Defaults, path: str, entry: Entry) -> None:
    with root.parent(path) as (fd, name):
        match entry.kind:
            case Kind.DIRECTORY:
                os.mkdir(name, 0o700, dir_fd=fd)
            case Kind.LINK:
                os.symlink(entry.target, name, dir_fd=fd)
            case Kind.FILE:
                write_new_file(fd, name, defaults.chunks(path), sync=False)
            case Kind.SPECIAL:
                pass  # never refreshed, so nobody will look for it


@contextmanager
def _explained(store: Path) -> Iterator[None]:
    try:
        yield
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise _no_store(store, str(error)) from error


def _no_store(store: Path, reason: str) -> UsageError:
    what = f"The defaults store {printable(str(store))} cannot be used: {printable(reason)}."
    return UsageError("refresh-no-store", what, then="Name the old defaults with --old, or another --store.")
