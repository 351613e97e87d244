"""What can be asked of this program, one function a request; it turns JSON into calls and answers into JSON."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypedDict, cast

from vaultwork import archive_requests, clones, refreshing, rooms, sealing
from vaultwork.alterations import altered
from vaultwork.archive_requests import ArchiveRequest
from vaultwork.following import follow
from vaultwork.listing import list_tree
from vaultwork.measuring import Size, allocated_bytes, free_memory_bytes, measure
from vaultwork.places import Pass, Place, begun, place_of
from vaultwork.restoring import restore
from vaultwork.rooms import Room
from vaultwork.sealing import SourceTold
from vaultwork.trouble import Trouble, spoken, trouble_from
from vaultwork.underlay import underlay_of
from vaultwork.verifying import verify
from vaultwork.warming import warm

Answer = dict[str, object]
_SHOWN = 5


class Request(TypedDict, total=False):
    """One request; which fields it has depends on ``op``."""

    op: str
    vault: str
    mounts: str
    """The folder the sources are mounted in, each under its key."""
    target: str
    run: str
    sources: list[SourceTold]
    papers: dict[str, str]
    taken_from: object
    names: dict[str, str]
    program: str
    limit_bytes: int
    limit_entries: int
    order: object


def _room(request: Request) -> Room:
    return rooms.room_named(Path(request["vault"]), request["target"], request["run"])


def _source(request: Request, told: SourceTold) -> bytes:
    path = os.fsencode(request["mounts"]) + b"/" + told["key"].encode()
    if not os.path.lexists(path):
        raise Trouble("not-mounted", f"{told['volume'] or told['path']} is not mounted here.")
    return path


def _place(request: Request, told: SourceTold) -> Place:
    return place_of(_room(request), _source(request, told), told["key"])


def _measure(request: Request) -> Answer:
    vault = Path(request["vault"])
    seen = [
        {"key": told["key"], "is_file": os.path.isfile(_source(request, told)), **_size(request, told, vault)._asdict()}
        for told in request["sources"]
    ]
    space = os.statvfs(vault)
    free = {"free_bytes": space.f_bavail * space.f_frsize, "free_inodes": space.f_favail}
    return {"measured": seen, **free, "free_memory_bytes": free_memory_bytes()}


def _size(request: Request, told: SourceTold, vault: Path) -> Size:
    """A vault that is not there yet (then ``vault`` is the root) shares nothing and has no older snapshot."""
    source, target = _source(request, told), request.get("target", "")
    if vault == vault.parent:
        return measure(source, None, None, None)
    older = sealing.newest_sealed(Room(vault, target, ""), told) if target else None
    manifest = older.manifest(told["key"]) if older else None
    return measure(source, manifest, bytes(vault), underlay_of(vault, source))


def _write_papers(request: Request) -> Answer:
    rooms.write_papers(_room(request), request["papers"])
    return {}


def _read_papers(request: Request) -> Answer:
    return {"papers": rooms.read_papers(_room(request))}


def _rooms(request: Request) -> Answer:
    told = [sealing.told_of(room) for room in rooms.all_rooms(Path(request["vault"]))]
    return {"rooms": sorted(told, key=lambda each: (each["made_at"], each["run"]), reverse=True)}


def _warm_copy(request: Request) -> Answer:
    return _copied(request, _warm_one)


def _warm_one(request: Request, told: SourceTold) -> Pass:
    return _first_pass(_room(request), _place(request, told), told)


def _first_pass(room: Room, place: Place, told: SourceTold) -> Pass:
    older, key = sealing.newest_sealed(room, told), told["key"]
    if place.under:
        older, key = place.under.room, place.under.key
        sealing.sealed(older)
    if older is None:
        return warm(place, None)
    try:
        with rooms.alone_in(older, shared=True):
            return warm(place, place_of(older, place.source, key))
    except FileNotFoundError:
        if older.folder.exists():
            raise
        return warm(place, None)  # it was discarded meanwhile


def _cold_copy(request: Request) -> Answer:
    return _copied(request, _cold_one)


def _cold_one(request: Request, told: SourceTold) -> Pass:
    """Only what changed since the warm copy; all of it where there was none."""
    place = _place(request, told)
    first = Pass(0, 0, "") if begun(place) else _first_pass(_room(request), place, told)
    then = follow(place, in_use=False)
    return Pass(first.copied_entries + then.copied_entries, first.copied_bytes + then.copied_bytes, first.how)


def _copied(request: Request, copy: Callable[[Request, SourceTold], Pass]) -> Answer:
    """Copy each source into the room, unless it is sealed: a sealed snapshot is never written to."""
    began = time.monotonic()
    room = _room(request)
    rooms.ensure_room(room)
    with rooms.alone_in(room):
        done = [] if room.seal.exists() else [copy(request, told) for told in request["sources"]]
    return _sum_of(done, began)


def _sum_of(done: list[Pass], began: float) -> Answer:
    return {
        "copied_entries": sum(each.copied_entries for each in done),
        "copied_bytes": sum(each.copied_bytes for each in done),
        "seconds": round(time.monotonic() - began, 3),
        "flush_s": round(sum(each.flush_s for each in done), 3),
        "how": ", ".join(sorted({each.how for each in done if each.how})),
        "removed_entries": sum(len(each.removed) for each in done),
        "removed": [spoken(path) for each in done for path in each.removed[:_SHOWN]][:_SHOWN],
    }


def _seal(request: Request) -> Answer:
    room = _room(request)
    with _held(room):
        places = [_place(request, told) for told in request["sources"]]
        return {"seal": sealing.seal(room, request["sources"], places, request["taken_from"])}


def _sealed(request: Request) -> Answer:
    return {"seal": sealing.sealed(_room(request))}


def _verify(request: Request) -> Answer:
    room = _room(request)
    with _held(room, shared=True):
        return {"seal": verify(room)}


def _restore(request: Request) -> Answer:
    began = time.monotonic()
    room = _room(request)
    with _held(room):
        content = sealing.sealed(room)
        for told in request["sources"]:
            if told not in content["sources"]:
                raise Trouble(
                    "foreign", f"The snapshot of run {room.run} was not taken of {told['volume'] or told['path']}."
                )
        return _sum_of([restore(_place(request, told)) for told in request["sources"]], began)


def _changes(request: Request) -> Answer:
    room = _room(request)
    with _held(room, shared=True):
        sealing.sealed(room)
        sources = {told["key"]: _source(request, told) for told in request["sources"]}
        told = [altered(place_of(room, source, key), key) for key, source in sources.items()]
        return {"sources": [{**each, "size_bytes": _all_bytes(sources[each["key"]])} for each in told]}


def _all_bytes(source: bytes) -> int:
    return allocated_bytes(source, list_tree(source, in_use=True))


def _prepare_clone(request: Request) -> Answer:
    room = _room(request)
    with _held(room, shared=True):
        sealing.sealed(room)
        names = request["names"]
        how, files = clones.prepare(room, names), clones.single_files(room, names)
        return {"how": how, "features": clones.features(), "files": files}


def _fill_clone(request: Request) -> Answer:
    room = _room(request)
    with _held(room, shared=True):
        hows = {clones.fill(room, key, _clone_mount(request, key)) for key in request["names"]}
        return {"how": "copy" if "copy" in hows else "reflink"}


def _clone_mount(request: Request, key: str) -> bytes:
    return os.fsencode(request["mounts"]) + b"/" + key.encode()


def _duplicate(request: Request) -> Answer:
    done = [
        {"key": told["key"], **clones.duplicate(_source(request, told), f"/clones/{told['key']}".encode(),
                                                request["limit_bytes"], request["limit_entries"])}
        for told in request["sources"]
    ]  # fmt: skip
    return {"sources": done}


def _drop_clone(request: Request) -> Answer:
    clones.drop(_room(request), list(request["names"].values()))
    return {}


def _discard(request: Request) -> Answer:
    room = _room(request)
    left = clones.left_in(room)
    if not left:
        rooms.discard(room)
    return {"clones": left}


def _refresh(request: Request) -> Answer:
    """Without a room it is a look, and nothing is kept."""
    if "run" not in request:
        return refreshing.refresh(request["program"], request["order"], request["mounts"], None)
    room = _room(request)
    rooms.ensure_room(room)
    with rooms.alone_in(room):
        return refreshing.refresh(request["program"], request["order"], request["mounts"], room.folder / "refresh")


@contextlib.contextmanager
def _held(room: Room, *, shared: bool = False) -> Iterator[None]:
    if not room.folder.is_dir():
        raise Trouble("unsealed", f"There is no snapshot of run {room.run} in the vault.")
    with rooms.alone_in(room, shared=shared):
        yield


OPERATIONS: dict[str, Callable[[Request], Answer]] = {
    "measure": _measure,
    "write-papers": _write_papers,
    "read-papers": _read_papers,
    "rooms": _rooms,
    "warm-copy": _warm_copy,
    "cold-copy": _cold_copy,
    "seal": _seal,
    "sealed": _sealed,
    "verify": _verify,
    "restore": _restore,
    "changes": _changes,
    "prepare-clone": _prepare_clone,
    "fill-clone": _fill_clone,
    "drop-clone": _drop_clone,
    "duplicate": _duplicate,
    "discard": _discard,
    "refresh": _refresh,
}


def answer_to(request: Request) -> Answer:
    """Do what is asked; every failure is an answer too."""
    try:
        if request["op"] in archive_requests.OPERATIONS:
            return archive_requests.OPERATIONS[request["op"]](cast("ArchiveRequest", request))
        return OPERATIONS[request["op"]](request)
    except Trouble as trouble:
        return answer_from(trouble)
    except OSError as error:
        return answer_from(trouble_from(error))


def answer_from(trouble: Trouble) -> Answer:
    """A failure as an answer."""
    told = {"code": trouble.code, "what": trouble.what}
    if isinstance(trouble, refreshing.Refused):
        told |= {"stands": trouble.stands, "then": trouble.then}
    return {"trouble": told}
