"""Brings a copy up to its source: what changed since, and no more; it never seals, nor writes to a source."""

from __future__ import annotations

import os
import subprocess
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

from vaultwork.equal import Side, make_equal
from vaultwork.glance import forget, recall, remember
from vaultwork.listing import Listing, at, differences, leaders, listing_from, mark_now, parent_of, read_both
from vaultwork.listing import whole_groups as whole
from vaultwork.manifest import Known, Manifest, known_from, load, save, unchanged, with_content, without
from vaultwork.places import Pass, Place, remember_glance, wipe
from vaultwork.trouble import Trouble, spoken

_ROUNDS = 3
_FEW = 256
"""Up to so many files are flushed one by one; more with all else on their filesystem."""


class _Trail(NamedTuple):
    """What a pass knows so far, and has copied so far."""

    known: dict[bytes, Known]
    fresh: set[bytes]
    copied_bytes: int


def follow(place: Place, *, in_use: bool) -> Pass:
    """Bring a tree up to its source: what changed since the manifest was written, and what the tree has otherwise.

    A source at rest is not flushed again, so what is settled stays what was settled at the last warm pass: a process
    that is only paused may go on writing to pages that are dirty already.
    """
    settled_s = mark_now(place.source) if in_use else 0
    raw = read_both(place.source, place.tree, in_use=in_use)
    seen = recall(place.manifest)
    if seen and seen.settled and seen.matches(*raw):
        remember(place.manifest, seen._replace(equal=not in_use))
        return Pass(0, 0, "")
    forget(place.manifest)
    before = load(place.manifest)
    trail = _Trail(before.settled() if before else {}, set(), 0)
    for _ in range(1 if in_use else _ROUNDS):
        listing, there = listing_from(place.source, raw[0]), listing_from(place.tree, raw[1])
        leader_of = leaders(listing)
        rewrite, surplus = _stale(listing, there, leader_of, trail.known)
        if not rewrite and not surplus:
            break
        sides = Side(place.source, listing), Side(place.tree, there)
        done = make_equal(*sides, leader_of, rewrite, place.staging, in_use=in_use)
        known = _relearned(place, listing, leader_of, trail.known, done.paths)
        trail = _Trail(known, trail.fresh | done.paths, trail.copied_bytes + done.copied_bytes)
        raw = read_both(place.source, place.tree, in_use=in_use)
    else:
        if not in_use:
            raise Trouble("copy-failed", f"Somebody still writes to the data: {spoken(min(rewrite | surplus))}.")
    manifest = _kept(place, before, trail, settled_s if in_use or before is None else before.settled_s)
    if not in_use:
        remember_glance(place, raw, manifest, equal=True)
    return Pass(sum(1 for path in trail.fresh if _is_no_folder(manifest, path)), trail.copied_bytes, "")


def _is_no_folder(manifest: Manifest, path: bytes) -> bool:
    return path in manifest.known and manifest.known[path].meta[:1] != b"d"


def _stale(
    listing: Listing, there: Listing, leader_of: dict[bytes, bytes], known: dict[bytes, Known]
) -> tuple[set[bytes], set[bytes]]:
    """What must be copied again, and what must go."""
    rewrite, surplus = differences(listing, there, leader_of)
    rewrite |= {path for path, entry in listing.items() if not unchanged(entry, known.get(path), leader_of.get(path))}
    return whole(rewrite, leader_of), surplus


def _relearned(
    place: Place, listing: Listing, leader_of: dict[bytes, bytes], known: dict[bytes, Known], paths: set[bytes]
) -> dict[bytes, Known]:
    kept = without(known, known.keys() - listing.keys())
    made = {path: known_from(listing[path], leader_of.get(path, b""), at(place.tree, path)) for path in paths}
    return {**kept, **made}


def _kept(place: Place, before: Manifest | None, trail: _Trail, settled_s: int) -> Manifest:
    """Make what was copied durable before the manifest says that it is there."""
    known, fresh = trail.known, trail.fresh
    if before and not fresh and len(known) == len(before.known):
        return before
    wipe(place.staging)
    known = {path: each for path, each in known.items() if not each.leader or each.leader in known}
    if len(fresh) > _FEW:
        subprocess.run([b"sync", b"-f", place.tree], check=False, capture_output=True)
    else:
        _sync_each(place.tree, {path for path in fresh if path in known and known[path].meta[:1] in b"fd"})
    manifest = Manifest(settled_s, with_content(place.tree, known))
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
