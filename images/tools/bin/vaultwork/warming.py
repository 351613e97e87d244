"""The warm pass: a source is copied while it is in use, or linked to an older snapshot; it never writes to a source."""

from __future__ import annotations

import os
import subprocess
import time

from vaultwork.copying import attributes_digest, file_shares_blocks
from vaultwork.equal import Done, Side, make_equal
from vaultwork.following import follow
from vaultwork.glance import moment_at
from vaultwork.hashing import Hashed, hashed_meanwhile
from vaultwork.listing import Entry, Listing, at, differences, leaders, list_tree, listing_from, mark_now, read_tree
from vaultwork.listing import whole_groups as whole
from vaultwork.manifest import Known, Manifest, known_from, unchanged, with_content
from vaultwork.manifest_file import load, save
from vaultwork.places import Pass, Place, begun, listing_of, wipe
from vaultwork.sight import Look, forget, remember, young
from vaultwork.trouble import Trouble, complaint
from vaultwork.underlay import known_through

LOOK_S, STILL_S = 0.5, 15.0
"""How often a copying program is looked at, and how long it may sleep without doing anything."""


def warm(place: Place, older: Place | None) -> Pass:
    """Copy a source that is in use; what vanishes or changes meanwhile is the cold pass's."""
    if begun(place):
        return follow(place, in_use=True)
    forget(place)
    wipe(place.tree)
    settled_s = mark_now(place.source)
    began = moment_at(place.source)
    said = read_tree(place.source, in_use=True)
    listing = listing_of(place, said)
    settled = known_through(place.under, listing) if place.under else _settled_in(older)
    linked: dict[bytes, Known] = {}
    hashed: dict[bytes, Hashed] = {}
    if older and settled:
        linked = _link_unchanged(place, older, settled, listing)
        done, how = _copy_rest(place, listing, linked), "links"
    else:
        with hashed_meanwhile(place.tree, listing) as hashed:
            done, how = _copy_all(place, listing), "copy"
    there = read_tree(place.tree)
    now = Look((said, there), listing, listing_from(place.tree, there), began=began)
    manifest, flush_s = _record(place, now, linked, hashed, settled_s)
    loose = young(manifest, listing) | (now.tree.keys() - listing.keys())
    remember(place, now, manifest, loose, equal=False)
    said_how = _how_copied(place, manifest) if how == "copy" else how
    return Pass(len(done.paths), done.copied_bytes, said_how, flush_s=flush_s)


def _settled_in(older: Place | None) -> dict[bytes, Known]:
    manifest = load(older.manifest) if older else None
    return manifest.settled() if manifest else {}


def _copy_all(place: Place, listing: Listing) -> Done:
    argv = [b"cp", b"-a", b"--reflink=auto", b"--sparse=auto", b"-T", place.source, place.tree]
    said = _unless_stuck(argv)
    if said is None:
        return _copy_rest(place, listing, {})
    if b"No space left on device" in said or b"Disk quota exceeded" in said:
        raise Trouble("no-space", "There is no space left where the vault is.")
    if not os.path.lexists(place.tree):
        raise Trouble("copy-failed", f"Nothing could be copied: {complaint(said)}")
    return Done(set(listing), sum(entry.size_bytes for entry in listing.values()))


def _unless_stuck(argv: list[bytes]) -> bytes | None:
    """What a program complained of; None where it was ended, for it slept without end.

    cp waits for a writer where a file became a FIFO between its look and its opening.
    """
    env = {"LC_ALL": "C", "PATH": os.environ["PATH"]}
    with subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=env) as running:
        before, still_s = _work_of(running.pid), 0.0
        while still_s < STILL_S:
            try:
                return running.communicate(timeout=LOOK_S)[0]  # other than wait(), it notices the end at once
            except subprocess.TimeoutExpired:
                now = _work_of(running.pid)
                still_s = still_s + LOOK_S if now == before and now.startswith(b"S") else 0.0
                before = now
        running.kill()
    return None


def _work_of(pid: int) -> bytes:
    """Its state and the processor time it took; one that waits for a disk is in state D (proc(5))."""
    with open(f"/proc/{pid}/stat", "rb") as file:
        fields = file.read().rpartition(b") ")[2].split()
    return b" ".join((fields[0], *fields[11:13]))


def _link_unchanged(place: Place, older: Place, settled: dict[bytes, Known], listing: Listing) -> dict[bytes, Known]:
    """Make hard links to what an older snapshot has and the source still has unchanged; folders are made anew."""
    leader_of = leaders(listing)
    changed = {path for path, entry in listing.items() if not unchanged(entry, settled.get(path), leader_of.get(path))}
    keep = listing.keys() - whole(changed, leader_of)
    for path in sorted(path for path, entry in listing.items() if entry.kind == b"d"):
        os.mkdir(at(place.tree, path), 0o700)
    linked = {}
    for path in keep:
        if listing[path].kind != b"d" and _link(at(older.tree, path), at(place.tree, path)):
            linked[path] = settled[path]
    return linked


def _link(old: bytes, new: bytes) -> bool:
    try:
        os.link(old, new, follow_symlinks=False)
    except OSError:
        return False  # the filesystem's limit of links: it is copied instead
    return True


def _copy_rest(place: Place, listing: Listing, linked: dict[bytes, Known]) -> Done:
    there = list_tree(place.tree) if os.path.lexists(place.tree) else {}  # a source that is one file, and changed
    sides = Side(place.source, listing), Side(place.tree, there)
    done = make_equal(*sides, leaders(listing), listing.keys() - linked.keys(), place.staging, in_use=True)
    wipe(place.staging)
    files = {path for path in done.paths if listing[path].kind != b"d"}
    return Done(files, done.copied_bytes)


def _record(
    place: Place, now: Look, linked: dict[bytes, Known], hashed: dict[bytes, Hashed], settled_s: int
) -> tuple[Manifest, float]:
    """Write down what was copied well: where the copy looks as the source did before copying began.

    The manifest says so on the disk only once the copy is there. After a crash of the host a file could have its size
    and times and not its content, and the cold pass would believe its digest. So the copy is flushed here, and waited
    for: nobody else could wait. What is still to be flushed once the service is down is downtime, and the seal, which
    promises that all is there, comes then. It is told how long this waited beyond the copying and hashing.
    """
    listing = now.source
    leader_of = leaders(listing)
    other, _ = differences(listing, now.tree, leader_of)
    known = dict(linked)
    for path in listing.keys() - whole(other, leader_of) - linked.keys():
        fresh = known_from(listing[path], leader_of.get(path, b""), at(place.tree, path))
        if _attributes_agree(at(place.source, path), fresh):
            known[path] = _with_digest(fresh, hashed.get(path), now.tree[path])
    known = {path: each for path, each in known.items() if not each.leader or each.leader in known}
    with subprocess.Popen([b"sync", b"-f", place.tree], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL):
        known = with_content(place.tree, known)  # the one waits for the disk, the other computes
        computed = time.monotonic()
    flush_s = time.monotonic() - computed
    manifest = Manifest(settled_s, known)
    save(place.manifest, manifest)
    return manifest, flush_s


def _with_digest(fresh: Known, hashed: Hashed | None, copy: Entry) -> Known:
    return fresh._replace(content=hashed.digest) if hashed and hashed.is_of(copy) else fresh


def _attributes_agree(source: bytes, fresh: Known) -> bool:
    try:
        return attributes_digest(source) == fresh.attributes
    except OSError:
        return False


def _how_copied(place: Place, manifest: Manifest) -> str:
    """Whether source and copy share blocks: tried with one file that was copied well."""
    filled = [path for path, entry in manifest.listing().items() if entry.size_bytes]
    trial = place.staging + b"-trial"
    try:
        shared = bool(filled) and _shares_blocks(at(place.source, filled[0]), trial)
    except OSError:
        return "copy"  # it vanished meanwhile: nobody knows
    return "reflink" if shared else "copy"


def _shares_blocks(path: bytes, trial: bytes) -> bool:
    with open(trial, "wb") as writing:
        os.unlink(trial)
        return file_shares_blocks(path, writing.fileno())
