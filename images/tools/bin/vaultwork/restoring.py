"""Makes a source equal to its sealed copy, touching only what differs; it never changes the snapshot."""

from __future__ import annotations

from typing import NamedTuple

from vaultwork.copying import attributes_digest, content_digest
from vaultwork.equal import Done, Side, make_equal
from vaultwork.listing import Listing, at, differences, list_tree, whole_groups
from vaultwork.manifest import Known, Manifest
from vaultwork.manifest_file import load
from vaultwork.places import Pass, Place, list_source
from vaultwork.trouble import Trouble, spoken

STAGING = b".refloat-restoring"
"""In the source's root while a restore is at work; what a cut-off one leaves is surplus for the next."""


class _Found(NamedTuple):
    listing: Listing
    rewrite: set[bytes]
    surplus: set[bytes]


def restore(place: Place) -> Pass:
    """Make the source what it was, and check that it is."""
    manifest = load(place.manifest)
    if manifest is None:
        raise Trouble("damaged", "The snapshot's manifest is missing.")
    found = _what_differs(place, manifest, manifest.settled())
    _insist_on_whole(place, manifest, found.rewrite)
    done = _put_back(place, manifest, found)
    # Looked at a second time: what was untouched before still is, all else is compared by content.
    left = _what_differs(place, manifest, manifest.settled())
    if left.rewrite or left.surplus:
        wrong = spoken(min(left.rewrite | left.surplus))
        raise Trouble("restore-failed", f"The data is still not as it was after restoring it: {wrong}.")
    entries = len(found.surplus) + sum(1 for path in done.paths if manifest.known[path].meta[:1] != b"d")
    removed = sorted(path for path in found.surplus if path.partition(b"/")[0] != STAGING)
    return Pass(entries, done.copied_bytes, "", tuple(removed))


def _what_differs(place: Place, manifest: Manifest, settled: dict[bytes, Known]) -> _Found:
    listing = list_source(place)
    rewrite, surplus = differences(manifest.listing(), listing, manifest.leaders())
    for path in manifest.known.keys() - rewrite:
        sure = settled.get(path)
        if not (sure and sure.describes(listing[path])) and not _same(at(place.source, path), manifest.known[path]):
            rewrite.add(path)
    return _Found(listing, rewrite, surplus)


def _same(path: bytes, known: Known) -> bool:
    """Attributes and content are as sealed."""
    if attributes_digest(path) != known.attributes:
        return False
    return known.meta[:1] != b"f" or content_digest(path) == known.content


def _insist_on_whole(place: Place, manifest: Manifest, paths: set[bytes]) -> None:
    """See that what is to be put back is what was sealed, before anything is touched."""
    chosen = whole_groups(paths, manifest.leaders())
    there = list_tree(place.tree) if chosen else {}
    for path in sorted(chosen):
        known, entry = manifest.known[path], there.get(path)
        if entry is None or entry[:2] != known[:2] or not _same(at(place.tree, path), known):
            what = f"The snapshot is damaged: {spoken(path)} is not what was sealed; the data was left as it is."
            raise Trouble("damaged", what)


def _put_back(place: Place, manifest: Manifest, found: _Found) -> Done:
    if not found.rewrite and not found.surplus:
        return Done(set(), 0)
    leader_of = manifest.leaders()
    staging = at(place.source, STAGING)
    tree = Side(place.tree, manifest.listing())
    rewrite = whole_groups(found.rewrite, leader_of)
    source = Side(place.source, found.listing)
    done = make_equal(tree, source, leader_of, rewrite, staging, in_use=False, may_remove_first=True)
    _tidy(place, manifest)
    return done


def _tidy(place: Place, manifest: Manifest) -> None:
    """Take the staging folder away again; that moves the root's mtime, so the root comes last."""
    there = list_tree(place.source)
    left = {path: entry for path, entry in there.items() if path == STAGING or path.startswith(STAGING + b"/")}
    if left and STAGING not in manifest.known:
        kept = {path: entry for path, entry in there.items() if path in manifest.known} | left
        tree = Side(place.tree, manifest.listing())
        make_equal(tree, Side(place.source, kept), {}, {b""}, b"", in_use=False)
