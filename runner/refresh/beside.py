"""Where the defaults store of a tree is kept beside the data, on the same volume; it trusts no link somebody put there.

On the volume it shares the data's fate: a restored snapshot brings back the store that belongs to it.
"""

from __future__ import annotations

import stat
from pathlib import Path

from runner.errors import Refused, UsageError
from runner.refresh import store as stores
from runner.refresh.entries import printable
from runner.refresh.store import Stored, read_store

STORES = ".refloat-defaults"


def store_beside(top: Path, path: str) -> Path:
    """Where the store is for the configuration that its container sees at ``path``; ``top`` is the volume's."""
    return top / STORES / (path.strip("/").replace("/", "~") or "root")


def stored_beside(store: Path, version: str) -> Stored | None:
    """The defaults of exactly this version, where they are kept; anything odd counts as not kept."""
    try:
        found = None if _link_on_the_way(store) else read_store(store)
    except UsageError:
        return None
    return found if found and found.version == version else None


def ensure_place(store: Path) -> None:
    """Make the folder the store goes to; Refused where a link stands in its way."""
    if link := _link_on_the_way(store):
        what = f"{printable(str(link))} is a link: the new defaults cannot be kept there."
        raise Refused("refresh-no-store", what, then="Remove the link, then try again.")
    store.parent.mkdir(mode=0o700, exist_ok=True)


def drafted_by(store: Path) -> str | None:
    """The run whose whole draft waits to be adopted; None where there is none, half of one, or one behind a link."""
    try:
        return None if _link_on_the_way(store) else stores.drafted_by(store)
    except UsageError:
        return None


def _link_on_the_way(store: Path) -> Path | None:
    draft, before = (store.with_name(f".{store.name}.{each}") for each in ("draft", "before"))
    inner = (folder / name for folder in (store, draft, before) for name in ("store.json", "defaults"))
    return next((each for each in (store.parent, store, draft, before, *inner) if _is_link(each)), None)


def _is_link(path: Path) -> bool:
    try:
        return stat.S_ISLNK(path.lstat().st_mode)
    except OSError:
        return False
