"""Seals a room, reads seals and says whether a snapshot is what was sealed; it never changes a tree."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
from datetime import UTC, datetime
from typing import TypedDict, cast

from vaultwork.listing import Listing, differences
from vaultwork.manifest import Manifest
from vaultwork.manifest_file import FORMAT, load, load_totals
from vaultwork.places import Place, begun
from vaultwork.rooms import Room, all_rooms, made_at, read_json, sparing, write_json
from vaultwork.sight import Look, first_look, forget, is_same, look, recall
from vaultwork.trouble import Trouble, spoken


class SourceTold(TypedDict):
    """One source, as the caller names it."""

    key: str
    volume: str
    path: str
    destination: str


class Seal(TypedDict):
    """What a seal says."""

    format: int
    target: str
    run: str
    sealed_at: str
    sources: list[SourceTold]
    digest: str
    size_bytes: int
    entries: int


def seal(room: Room, sources: list[SourceTold], places: list[Place], taken_from: object) -> Seal:
    """Check the copies against their sources and seal them together; the same seal again where there is one."""
    for place in places:
        _check(place)
    if room.seal.exists():
        return sealed(room)
    for place in places:
        shutil.rmtree(place.staging, ignore_errors=True)
    sparing(room, lambda: write_json(room.folder / "taken-from.json", {"taken_from": taken_from}))
    for place in places:
        forget(place)  # nobody writes to it again, and what was seen of millions of files takes memory
    return seal_written(room, sources)


def seal_written(room: Room, sources: list[SourceTold]) -> Seal:
    """Seal what was copied and checked: trees, manifests and what it was taken from are all in their places."""
    totals = [load_totals(room.manifest(told["key"])) for told in sources]
    content: Seal = {
        "format": FORMAT,
        "target": room.target,
        "run": room.run,
        "sealed_at": datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z"),
        "sources": sources,
        "digest": digest_over(room, sources),
        "size_bytes": sum(each.size_bytes for each in totals),
        "entries": sum(each.entries for each in totals),
    }
    write_json(room.seal, cast("dict[str, object]", content))
    return content


def _check(place: Place) -> None:
    """See that source, copy and manifest agree about every entry.

    Where this process left the copy equal, only the source is listed again: nobody else writes to a copy.
    """
    if not begun(place):
        raise Trouble("unsealed", "There is no copy to seal: it was not finished.")
    last = recall(place)
    if not (last and last.equal and is_same(first_look(place, last, in_use=False), last.look)):
        _insist_on_equality(place, look(place, None, in_use=False))


def _insist_on_equality(place: Place, now: Look) -> None:
    manifest = load(place.manifest) or Manifest(0, {})
    listing, there, known = now.source, now.tree, manifest.known
    moved = {path for path in listing.keys() & known.keys() if not known[path].describes(listing[path])}
    wrong = moved | (listing.keys() ^ known.keys()) | _changed(manifest, there)
    if wrong:
        raise Trouble("copy-failed", f"The data changed after it was copied: {spoken(min(wrong))}.")


def _changed(manifest: Manifest, there: Listing) -> set[bytes]:
    other, surplus = differences(manifest.listing(), there, manifest.leaders())
    return other | surplus


def digest_over(room: Room, sources: list[SourceTold]) -> str:
    """One digest over what the snapshot is: the sources, their manifests, what it was taken from."""
    digests = []
    for path in [room.folder / "taken-from.json", *(room.folder / "manifests" / told["key"] for told in sources)]:
        if not path.exists():
            raise Trouble("damaged", f"The snapshot of run {room.run} is damaged: {path.name} is missing.")
        digests.append(hashlib.sha256(path.read_bytes()).digest())
    return digest_of(room.target, room.run, sources, digests)


def digest_of(target: str, run: str, sources: list[SourceTold], digests: list[bytes]) -> str:
    """The same from the SHA-256 of each of those papers."""
    whole = hashlib.sha256(json.dumps([FORMAT, target, run, sources], sort_keys=True).encode())
    for digest in digests:
        whole.update(digest)
    return f"sha256:{whole.hexdigest()}"


def sealed(room: Room) -> Seal:
    """Read the seal and check it against the manifests."""
    if not room.seal.exists():
        raise Trouble("unsealed", f"The snapshot of run {room.run} is not sealed: it was never finished.")
    content = cast("Seal", read_json(room.seal))
    if (content.get("format"), content.get("target"), content.get("run")) != (FORMAT, room.target, room.run):
        named = f"{content.get('target')} (run {content.get('run')}, format {content.get('format')})"
        raise Trouble("foreign", f"The seal in the room of run {room.run} belongs to another snapshot: {named}.")
    if not _whole(content) or content["digest"] != digest_over(room, content["sources"]):
        raise Trouble("damaged", f"The snapshot of run {room.run} is damaged: its manifests are not what was sealed.")
    missing = [told["key"] for told in content["sources"] if not _there(room, told["key"])]
    if missing:
        raise Trouble("damaged", f"The snapshot of run {room.run} is damaged: the data of {missing[0]} is missing.")
    return content


def _whole(content: Seal) -> bool:
    return content.keys() >= Seal.__required_keys__ and isinstance(content["sources"], list)


def _there(room: Room, key: str) -> bool:
    return (room.folder / "data" / key).exists()


def newest_sealed(room: Room, told: SourceTold) -> Room | None:
    """The newest other room of this target whose seal covers this very source."""
    fitting = []
    for other in all_rooms(room.vault):
        if other.target == room.target and other.run != room.run and other.seal.exists():
            try:
                content = sealed(other)
            except Trouble:
                continue
            if told in content["sources"]:
                fitting.append((content["sealed_at"], other))
    return max(fitting)[1] if fitting else None


class RoomTold(TypedDict):
    """One room, as the list of rooms tells it."""

    target: str
    run: str
    sealed: bool
    made_at: str
    unique_bytes: int
    shared_bytes: int


def told_of(room: Room) -> RoomTold:
    """Say what a room is, and which of its bytes other rooms share."""
    unique_bytes, shared_bytes = _room_bytes(room)
    return {
        "target": room.target,
        "run": room.run,
        "sealed": room.seal.exists(),
        "made_at": made_at(room),
        "unique_bytes": unique_bytes,
        "shared_bytes": shared_bytes,
    }


def _room_bytes(room: Room) -> tuple[int, int]:
    """A file with more links than this room has is shared with an older or newer snapshot."""
    argv = ["find", str(room.folder), "-type", "f", "-printf", "%i %n %b\n"]
    lines = subprocess.run(argv, capture_output=True, check=False).stdout.split(b"\n")[:-1]
    seen: dict[bytes, int] = {}
    for line in lines:
        seen[line] = seen.get(line, 0) + 1
    unique_bytes = shared_bytes = 0
    for line, times in seen.items():
        _, links, blocks = map(int, line.split())
        if links > times:
            shared_bytes += blocks * 512
        else:
            unique_bytes += blocks * 512
    return unique_bytes, shared_bytes
