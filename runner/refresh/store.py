"""The defaults store: pristine defaults kept beside the data, so that the next refresh needs no old version.

It is written after a refresh succeeded, as a whole and beside the former one, and never half. Files are kept as they
were installed, readable by their owner only; the modes they are installed with are in a list.
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


def write_store(store: Path, defaults: Defaults, tree: Tree, version: str = "") -> None:
    """Keep these defaults, and no others, in the store."""
    ensure_it_may_be_a_store(store)
    with _explained(store):
        draft, before = store.with_name(f".{store.name}.draft"), store.with_name(f".{store.name}.before")
        for leftover in (draft, before):
            shutil.rmtree(leftover, ignore_errors=True)
        (draft / _DEFAULTS).mkdir(parents=True, mode=0o700)
        _fill(draft / _DEFAULTS, defaults, tree)
        modes = {path: entry.mode for path, entry in tree.items()}
        (draft / _LIST).write_text(json.dumps({"format": _FORMAT, "version": version, "modes": modes}))
        os.sync()  # the names change only when all of it is on the disk
        if store.exists():
            store.rename(before)
        draft.rename(store)
        shutil.rmtree(before, ignore_errors=True)


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
        if not (store / _LIST).is_file():
            return None
        found = json.loads((store / _LIST).read_text())
        if found["format"] != _FORMAT:
            raise _no_store(store, "a later refloat wrote it")
        modes = {str(path): int(mode) for path, mode in found["modes"].items()}
        return Stored(store / _DEFAULTS, str(found["version"]), modes)


def stored_defaults(store: Path, version: str = "") -> Stored:
    """Find the defaults of this version; a store of another version must not be taken for it."""
    found = read_store(store)
    if found is None:
        raise _no_store(store, "nothing is kept there yet")
    if found.version != version:
        raise _no_store(store, f"it keeps the defaults of version {found.version!r}, not of {version!r}")
    return found


def _finish_an_interrupted_swap(store: Path) -> None:
    before = store.with_name(f".{store.name}.before")
    if before.exists() and not store.exists():
        before.rename(store)


def _fill(directory: Path, defaults: Defaults, tree: Tree) -> None:
    with Root(directory) as root:
        for path in paths_from_the_top(tree):
            _put(root, defaults, path, tree[path])


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
