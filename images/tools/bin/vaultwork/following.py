"""Brings a copy up to its source: what changed since, and no more; it never seals, nor writes to a source."""

from __future__ import annotations

import os
import subprocess
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

from vaultwork.equal import Side, make_equal
from vaultwork.listing import Listing, at, differences, leaders, mark_now, parent_of
from vaultwork.listing import whole_groups as whole
from vaultwork.manifest import Known, Manifest, known_from, unchanged, with_content, without
from vaultwork.manifest_file import save, save_changes
from vaultwork.places import Pass, Place, wipe
from vaultwork.sight import (
    FEW,
    Look,
    first_look,
    forget,
    known_of,
    look_again,
    look_at_copy,
    recall,
    remember,
    scope_since,
    young,
)
from vaultwork.trouble import Trouble, spoken

_ROUNDS = 3
_PART = 4
"""Of a manifest of which less than one in so many entries changed, only those are written."""


class _Trail(NamedTuple):
    """What a pass looks at closely, what it knows of that, and what it has copied of that."""

    scope: set[bytes]
    known: dict[bytes, Known]
    fresh: set[bytes]
    copied_bytes: int


class _Part(NamedTuple):
    """What is looked at closely of both trees; what of it must be copied again, and what must go."""

    source: Listing
    tree: Listing
    leaders: dict[bytes, bytes]
    rewrite: set[bytes]
    surplus: set[bytes]


def follow(place: Place, *, in_use: bool) -> Pass:
    """Bring a tree up to its source: what changed since the manifest was written, and what the tree has otherwise.

    A source at rest is not flushed again, so what is settled stays what was settled at the last warm pass: a process
    that is only paused may go on writing to pages that are dirty already.
    """
    settled_s = mark_now(place.source) if in_use else 0
    last = recall(place)
    before = known_of(place, last) or Manifest(0, {})
    forget(place)
    now = first_look(place, last, in_use=in_use)
    scope = scope_since(last.look, now, before, last.loose) if last else {*now.source, *now.tree, *before.known}
    trail = _widened(_Trail(set(), {}, set(), 0), before, scope)
    now, trail = (_after_one if in_use else _after_all)(place, before, now, trail)
    manifest = _kept(place, before, trail, settled_s if in_use else before.settled_s)
    part = _part(now, trail)
    loose = young(manifest, part.source) | part.rewrite | part.surplus
    remember(place, now, manifest, loose, equal=not in_use)
    return Pass(sum(1 for path in trail.fresh if _is_no_folder(manifest, path)), trail.copied_bytes, "")


def _after_one(place: Place, before: Manifest, now: Look, trail: _Trail) -> tuple[Look, _Trail]:
    """One round, with a source in use: what becomes of it meanwhile is for the next pass to find."""
    part = _part(now, trail)
    if not part.rewrite and not part.surplus:
        return now, trail
    trail = _copied(place, part, trail, in_use=True)
    then = look_at_copy(place, now)
    return then, _widened(trail, before, scope_since(now, then, before, set()))


def _after_all(place: Place, before: Manifest, now: Look, trail: _Trail) -> tuple[Look, _Trail]:
    """As many rounds as it takes until source and copy agree where something was copied; the seal looks at the rest."""
    part = _part(now, trail)
    for _ in range(_ROUNDS):
        if not part.rewrite and not part.surplus:
            return now, trail
        trail = _copied(place, part, trail, in_use=False)
        touched = part.rewrite | part.surplus
        then = look_again(place, now, touched | {parent_of(path) for path in touched if path})
        trail = _widened(trail, before, scope_since(now, then, before, set()))
        now, part = then, _part(then, trail)
    if part.rewrite or part.surplus:
        raise Trouble("copy-failed", f"Somebody still writes to the data: {spoken(min(part.rewrite | part.surplus))}.")
    return now, trail


def _widened(trail: _Trail, before: Manifest, scope: set[bytes]) -> _Trail:
    """Look closely at more; what is too young to be sure of counts as unknown."""
    more = scope - trail.scope
    sure = more & before.known.keys()
    sure -= young(before, sure)
    return trail._replace(
        scope=trail.scope | more, known={**trail.known, **{path: before.known[path] for path in sure}}
    )


def _part(now: Look, trail: _Trail) -> _Part:
    """What of that must be copied again, and what must go."""
    source = {path: now.source[path] for path in trail.scope if path in now.source}
    tree = {path: now.tree[path] for path in trail.scope if path in now.tree}
    leader_of = leaders(source)
    rewrite, surplus = differences(source, tree, leader_of)
    known = trail.known
    rewrite |= {path for path, entry in source.items() if not unchanged(entry, known.get(path), leader_of.get(path))}
    return _Part(source, tree, leader_of, whole(rewrite, leader_of), surplus)


def _copied(place: Place, part: _Part, trail: _Trail, *, in_use: bool) -> _Trail:
    sides = Side(place.source, part.source), Side(place.tree, part.tree)
    done = make_equal(*sides, part.leaders, part.rewrite, place.staging, in_use=in_use)
    kept = {path: known for path, known in trail.known.items() if path in part.source}
    made = {
        path: known_from(part.source[path], part.leaders.get(path, b""), at(place.tree, path)) for path in done.paths
    }
    return _Trail(trail.scope, {**kept, **made}, trail.fresh | done.paths, trail.copied_bytes + done.copied_bytes)


def _is_no_folder(manifest: Manifest, path: bytes) -> bool:
    return path in manifest.known and manifest.known[path].meta[:1] != b"d"


def _kept(place: Place, before: Manifest, trail: _Trail, settled_s: int) -> Manifest:
    """Make what was copied durable before the manifest says that it is there."""
    known, fresh = trail.known, trail.fresh
    if not fresh and known.keys() == trail.scope & before.known.keys():
        return before
    wipe(place.staging)
    known = {path: each for path, each in known.items() if not each.leader or each.leader in known}
    if len(fresh) > FEW:
        subprocess.run([b"sync", b"-f", place.tree], check=False, capture_output=True)
    else:
        _sync_each(place.tree, {path for path in fresh if path in known and known[path].meta[:1] in b"fd"})
    now = without(before.known, trail.scope) | with_content(place.tree, known)
    manifest = Manifest(settled_s, now)
    if settled_s == before.settled_s and len(trail.scope) < len(now) // _PART:
        save_changes(place.manifest, before, manifest, trail.scope)
    else:
        save(place.manifest, manifest)
    return manifest


def _sync_each(tree: bytes, paths: set[bytes]) -> None:
    """Side by side: the filesystem then writes its journal once for all."""
    if paths:
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda path: _sync(at(tree, path)), paths | {parent_of(path) for path in paths if path}))


def _sync(path: bytes) -> None:
    number = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    try:
        os.fsync(number)
    finally:
        os.close(number)
