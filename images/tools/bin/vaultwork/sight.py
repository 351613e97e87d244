"""What this process saw last of a source and its copy, so that the next look costs what changed; it is never kept.

Every change moves a ctime, so whatever find says the same of is the same. A process that has seen nothing yet looks at
everything.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import NamedTuple

from vaultwork.glance import Moment, fair_share, glance, is_one, moment_at
from vaultwork.listing import (
    Listing,
    Since,
    ctime_s,
    leaders,
    list_paths,
    listing_from,
    listing_since,
    parent_of,
    read_both,
    read_tree,
    whole_groups,
)
from vaultwork.manifest import Manifest, without
from vaultwork.manifest_file import load
from vaultwork.places import Place, listing_of
from vaultwork.trouble import Trouble

FEW = 256
"""Up to so many paths are looked at, or flushed, one by one; more with all that is around them."""


class Look(NamedTuple):
    """Both trees at one moment, what find said of them, and the paths of which it said something else before."""

    said: tuple[bytes, bytes]
    """Nothing of a source that was only glanced at."""
    source: Listing
    tree: Listing
    moved: frozenset[bytes] = frozenset()
    began: Moment | None = None
    """Before the source was listed; None where its ctimes prove nothing."""
    away: tuple[bytes, ...] = ()
    """Half of the source, for two processes to look at it."""


class Sight(NamedTuple):
    """How things were when a pass ended."""

    look: Look
    manifest: Manifest
    file: tuple[int, int, int]
    """Which manifest's file that is: another process may have written a newer one."""
    loose: set[bytes]
    """Paths to be looked at again even where nothing is said to have changed: too young, or not copied well yet."""
    equal: bool
    """The copy was equal to the source, which nobody wrote to."""


_LAST: dict[bytes, Sight] = {}
_PAST: list[Sight] = []


def look(place: Place, before: Look | None, *, in_use: bool) -> Look:
    """List both trees; what is said the same as before is not read again."""
    began = moment_at(place.source)
    said = read_both(place.source, place.tree, in_use=in_use)
    if before is None:
        now = Look(said, listing_of(place, said[0]), listing_from(place.tree, said[1]))
        return now._replace(began=began if is_one(now.source) else None)
    source = _source_since(place, before, said[0])
    tree = listing_since(place.tree, before.tree, before.said[1], said[1])
    moved = frozenset(source.moved | tree.moved)
    return Look(said, source.listing, tree.listing, moved, began if before.began else None, before.away)


def first_look(place: Place, last: Sight | None, *, in_use: bool) -> Look:
    """List both trees; only the source where this process knows the copy, which is looked at before it is used.

    A source that nobody uses, for which somebody waits, is only glanced at where that tells enough.
    """
    if last is None:
        return look(place, None, in_use=in_use)
    before, began = last.look, moment_at(place.source)
    source, said = None if in_use else _glanced_at(place, before, began), b""
    if source is None:
        said = read_tree(place.source, in_use=in_use)
        source = _source_since(place, before, said)
    return before._replace(
        said=(said, before.said[1]), source=source.listing, moved=frozenset(source.moved),
        began=began if before.began else None,
    )  # fmt: skip


def _glanced_at(place: Place, before: Look, began: Moment | None) -> Since | None:
    if place.under or not began or not before.began or not os.path.isdir(place.source):
        return None
    try:
        return glance(place.source, before.source, before.began, began, before.away)
    except Trouble:
        return None  # a look at everything says what it was


def look_at_copy(place: Place, before: Look) -> Look:
    """List the copy again; of the source stays what was seen before."""
    said = read_tree(place.tree)
    tree = listing_since(place.tree, before.tree, before.said[1], said)
    return before._replace(said=(before.said[0], said), tree=tree.listing, moved=frozenset(tree.moved))


def look_again(place: Place, before: Look, paths: set[bytes]) -> Look:
    """Look at what was just copied; where that is much, at everything."""
    if len(paths) > FEW or place.under or not os.path.isdir(place.source):
        return look(place, before, in_use=False)
    source, tree = without(before.source, paths), without(before.tree, paths)
    source |= list_paths(place.source, paths)
    tree |= list_paths(place.tree, paths)
    return before._replace(source=source, tree=tree, moved=frozenset(paths))


def is_same(now: Look, before: Look) -> bool:
    """Whether nothing is other than before, where ``now`` is what was looked at next."""
    return all(
        now.source.get(path) == before.source.get(path) and now.tree.get(path) == before.tree.get(path)
        for path in now.moved
    )


def _source_since(place: Place, before: Look, said: bytes) -> Since:
    """A clone is read as a whole: what shows through depends on more than what find says."""
    if before.said[0] and (not place.under or said == before.said[0]):
        return listing_since(place.source, before.source, before.said[0], said)
    now = listing_of(place, said)
    return Since(now, {path for path, _ in before.source.items() ^ now.items()})


def remember(place: Place, seen: Look, manifest: Manifest, loose: set[bytes], *, equal: bool) -> None:
    """Keep how things are now, for the next pass of this process."""
    kept = seen if equal else _ready(seen)
    _LAST[place.manifest] = Sight(kept, manifest, _identity(place.manifest), loose, equal)


def _ready(seen: Look) -> Look:
    """With all that the next look needs and that takes long to find out: while the service is up, nobody waits."""
    return seen._replace(away=fair_share(seen.source), began=seen.began if is_one(seen.source) else None)


def recall(place: Place) -> Sight | None:
    """What was seen last, if it is still about this manifest."""
    last = _LAST.get(place.manifest)
    return last if last and last.file == _identity(place.manifest) else None


def forget(place: Place) -> None:
    """Before anything is changed."""
    if place.manifest in _LAST:
        _PAST.append(_LAST.pop(place.manifest))


def let_go() -> None:
    """Give back the memory of what was forgotten: of many files that takes long, so not while somebody waits."""
    _PAST.clear()


def known_of(place: Place, last: Sight | None) -> Manifest | None:
    """The manifest, read only where it is not remembered."""
    return last.manifest if last else load(place.manifest)


def _identity(manifest: bytes) -> tuple[int, int, int]:
    """Whoever writes a manifest makes another file of it, or a longer one."""
    try:
        seen = os.stat(manifest)
    except FileNotFoundError:
        return (0, 0, 0)
    return (seen.st_ino, seen.st_mtime_ns, seen.st_size)


def young(manifest: Manifest, paths: Iterable[bytes]) -> set[bytes]:
    """Those of these paths that could have changed since and look the same, or are not known at all."""
    known = manifest.known
    return {path for path in paths if path not in known or ctime_s(known[path].ident) >= manifest.settled_s}


def scope_since(last: Look, now: Look, manifest: Manifest, loose: set[bytes]) -> set[bytes]:
    """What may differ by now: what changed on either side, what is loose, hard links to it, and the folders above."""
    changed = {*now.moved, *loose}
    if any(_linked(now.source, path) or _linked(last.source, path) for path in changed):
        for groups in (leaders(now.source), leaders(now.tree), manifest.leaders()):
            changed = whole_groups(changed, groups)
    return changed | {parent_of(path) for path in changed if path}


def _linked(listing: Listing, path: bytes) -> bool:
    return path in listing and listing[path].kind != b"d" and b" 1 " not in listing[path].ident
