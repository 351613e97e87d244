"""The warm and the cold pass: a room's trees follow their sources; nothing here seals or writes to a source."""

from __future__ import annotations

import os
import shutil
import subprocess
from typing import NamedTuple

from vaultwork.copying import attributes_digest, shares_blocks
from vaultwork.equal import Done, Side, make_equal
from vaultwork.listing import Entry, Listing, at, differences, leaders, list_both, list_tree, mark_now, parent_of
from vaultwork.listing import whole_groups as whole
from vaultwork.manifest import Known, Manifest, known_from, load, save, with_content
from vaultwork.rooms import Room
from vaultwork.trouble import Trouble, complaint, spoken

_ROUNDS = 3
_FEW = 256


class Pass(NamedTuple):
    """What one pass over one source did."""

    copied_entries: int
    copied_bytes: int
    how: str


class Place(NamedTuple):
    """One source, its tree and its manifest in a room."""

    source: bytes
    tree: bytes
    manifest: bytes
    staging: bytes


def place_of(room: Room, source: bytes, key: str) -> Place:
    """Where things of one source are."""
    return Place(source, room.tree(key), room.manifest(key), room.staging + b"-" + key.encode())


def warm(place: Place, older: Place | None) -> Pass:
    """Copy a source that is in use; what vanishes or changes meanwhile is the cold pass's."""
    if begun(place):
        return follow(place, in_use=True)
    _wipe(place.tree)
    settled_s = mark_now(place.source, flush=True)
    listing = list_tree(place.source, in_use=True)
    settled = _settled_in(older)
    linked: dict[bytes, Known] = {}
    if older and settled:
        linked = _link_unchanged(place, older, settled, listing)
        done, how = _copy_rest(place, listing, linked), "links"
    else:
        done, how = _copy_all(place, listing), "copy"
    _record(place, listing, linked, settled_s)
    return Pass(len(done.paths), done.copied_bytes, _how_copied(place, listing) if how == "copy" else how)


def begun(place: Place) -> bool:
    """Whether there is a copy that the source can be compared with."""
    return os.path.exists(place.manifest) and os.path.lexists(place.tree)


def _settled_in(older: Place | None) -> dict[bytes, Known]:
    manifest = load(older.manifest) if older else None
    return manifest.settled() if manifest else {}


def _wipe(tree: bytes) -> None:
    if os.path.isdir(tree) and not os.path.islink(tree):
        shutil.rmtree(tree)
    elif os.path.lexists(tree):
        os.unlink(tree)


def _copy_all(place: Place, listing: Listing) -> Done:
    argv = [b"cp", b"-a", b"--reflink=auto", b"--sparse=auto", b"-T", place.source, place.tree]
    done = subprocess.run(argv, capture_output=True, check=False, env={"LC_ALL": "C", "PATH": os.environ["PATH"]})
    if b"No space left on device" in done.stderr or b"Disk quota exceeded" in done.stderr:
        raise Trouble("no-space", "There is no space left where the vault is.")
    if not os.path.lexists(place.tree):
        raise Trouble("copy-failed", f"Nothing could be copied: {complaint(done.stderr)}")
    return Done(set(listing), sum(entry.size_bytes for entry in listing.values()))


def _link_unchanged(place: Place, older: Place, settled: dict[bytes, Known], listing: Listing) -> dict[bytes, Known]:
    """Make hard links to what an older snapshot has and the source still has unchanged; folders are made anew."""
    leader_of = leaders(listing)
    changed = {path for path, entry in listing.items() if not _unchanged(entry, settled.get(path), leader_of.get(path))}
    keep = listing.keys() - whole(changed, leader_of)
    for path in sorted(path for path, entry in listing.items() if entry.kind == b"d"):
        os.mkdir(at(place.tree, path), 0o700)
    linked = {}
    for path in keep:
        if listing[path].kind != b"d" and _link(at(older.tree, path), at(place.tree, path)):
            linked[path] = settled[path]
    return linked


def _unchanged(entry: Entry, known: Known | None, leader: bytes | None) -> bool:
    return known is not None and known.describes(entry) and known.leader == (leader or b"")


def _link(old: bytes, new: bytes) -> bool:
    try:
        os.link(old, new, follow_symlinks=False)
    except OSError:
        return False  # the filesystem's limit of links: it is copied instead
    return True


def _copy_rest(place: Place, listing: Listing, linked: dict[bytes, Known]) -> Done:
    there = list_tree(place.tree)
    sides = Side(place.source, listing), Side(place.tree, there)
    done = make_equal(*sides, leaders(listing), listing.keys() - linked.keys(), place.staging, in_use=True)
    _wipe(place.staging)
    files = {path for path in done.paths if listing[path].kind != b"d"}
    return Done(files, done.copied_bytes)


def _record(place: Place, listing: Listing, linked: dict[bytes, Known], settled_s: int) -> None:
    """Write down what was copied well: where the copy looks as the source did before copying began."""
    leader_of = leaders(listing)
    other, _ = differences(listing, list_tree(place.tree), leader_of)
    known = dict(linked)
    for path in listing.keys() - whole(other, leader_of) - linked.keys():
        fresh = known_from(listing[path], leader_of.get(path, b""), at(place.tree, path))
        if _attributes_agree(at(place.source, path), fresh):
            known[path] = fresh
    known = {path: each for path, each in known.items() if not each.leader or each.leader in known}
    subprocess.run([b"sync", b"-f", place.tree], check=False, capture_output=True)
    save(place.manifest, Manifest(settled_s, with_content(place.tree, known)))


def _attributes_agree(source: bytes, fresh: Known) -> bool:
    try:
        return attributes_digest(source) == fresh.attributes
    except OSError:
        return False


def _how_copied(place: Place, listing: Listing) -> str:
    """Whether this filesystem shares blocks: tried with one file that was copied."""
    for path, entry in listing.items():
        if entry.size_bytes and os.path.exists(at(place.tree, path)):
            trial = place.staging + b"-trial"
            with open(at(place.tree, path), "rb") as reading, open(trial, "wb") as writing:
                shared = shares_blocks(reading.fileno(), writing.fileno())
            os.unlink(trial)
            return "reflink" if shared else "copy"
    return "copy"


def follow(place: Place, *, in_use: bool) -> Pass:
    """Bring a tree up to its source: what changed since the manifest was written, and what the tree has otherwise."""
    settled_s = mark_now(place.source, flush=in_use)
    before = load(place.manifest)
    known = before.settled() if before else {}
    fresh: set[bytes] = set()
    copied_bytes = 0
    for _ in range(1 if in_use else _ROUNDS):
        listing, there = list_both(place.source, place.tree, in_use=in_use)
        rewrite, surplus = _stale(listing, there, known)
        if not rewrite and not surplus:
            break
        sides = Side(place.source, listing), Side(place.tree, there)
        done = make_equal(*sides, leaders(listing), rewrite, place.staging, in_use=in_use)
        copied_bytes += done.copied_bytes
        fresh |= done.paths
        known = _relearned(place, listing, known, done.paths)
    else:
        if not in_use:
            raise Trouble("copy-failed", f"Somebody still writes to the data: {spoken(min(rewrite | surplus))}.")
    if before is None or fresh or len(known) != len(before.known):
        _keep(place, known, fresh, settled_s)
    return Pass(sum(1 for path in fresh if path in known and known[path].meta[:1] != b"d"), copied_bytes, "")


def _stale(listing: Listing, there: Listing, known: dict[bytes, Known]) -> tuple[set[bytes], set[bytes]]:
    """What must be copied again, and what must go."""
    leader_of = leaders(listing)
    rewrite, surplus = differences(listing, there, leader_of)
    rewrite |= {path for path, entry in listing.items() if not _unchanged(entry, known.get(path), leader_of.get(path))}
    return whole(rewrite, leader_of), surplus


def _relearned(place: Place, listing: Listing, known: dict[bytes, Known], paths: set[bytes]) -> dict[bytes, Known]:
    leader_of = leaders(listing)
    kept = {path: each for path, each in known.items() if path in listing and path not in paths}
    made = {path: known_from(listing[path], leader_of.get(path, b""), at(place.tree, path)) for path in paths}
    return {**kept, **made}


def _keep(place: Place, known: dict[bytes, Known], fresh: set[bytes], settled_s: int) -> None:
    """Make what was copied durable before the manifest says that it is there."""
    _wipe(place.staging)
    known = {path: each for path, each in known.items() if not each.leader or each.leader in known}
    if len(fresh) > _FEW:
        subprocess.run([b"sync", b"-f", place.tree], check=False, capture_output=True)
    else:
        _sync_each(place.tree, {path for path in fresh if known[path].meta[:1] in b"fd"})
    save(place.manifest, Manifest(settled_s, with_content(place.tree, known)))


def _sync_each(tree: bytes, paths: set[bytes]) -> None:
    for path in paths | {parent_of(path) for path in paths if path}:
        number = os.open(at(tree, path), os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        try:
            os.fsync(number)
        finally:
            os.close(number)
