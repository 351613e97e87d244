"""What can be asked about archives, one function a request: export, list, verify, bring in; folder or repository."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TypedDict

from vaultwork import depots, repositories, rooms, sealing
from vaultwork.checking import check_stream
from vaultwork.packing import Flow, Head, packed
from vaultwork.repositories import Facts, Repo
from vaultwork.rooms import Room
from vaultwork.sealing import Seal, SourceTold
from vaultwork.trouble import Trouble
from vaultwork.unpacking import Opener, bring_in, head_of

Answer = dict[str, object]


class ArchiveRequest(TypedDict, total=False):
    """One request; which fields it has depends on ``op``."""

    op: str
    vault: str
    target: str
    run: str
    sources: list[SourceTold]
    depot: str
    """A folder, or restic's location of a repository."""
    restic: bool
    secrets: dict[str, str]
    init: bool
    name: str
    """Of an archive in a folder; of a repository a snapshot id, a run, or nothing for a target's newest."""


def _room(request: ArchiveRequest) -> Room:
    return rooms.room_named(Path(request["vault"]), request["target"], request["run"])


def _repo(request: ArchiveRequest) -> Repo:
    return Repo(request["depot"], request["secrets"])


def _folder(request: ArchiveRequest) -> Path:
    return Path(request["depot"])


def _check_depot(request: ArchiveRequest) -> Answer:
    if request["restic"]:
        repositories.insist_on(_repo(request), init=request["init"])
    else:
        depots.insist_on_writing(_folder(request))
    return {}


def _export(request: ArchiveRequest) -> Answer:
    began, room = time.monotonic(), _room(request)
    with rooms.alone_in(room, shared=True):
        content = sealing.sealed(room)
        written = (_export_to_repo if request["restic"] else _export_to_folder)(request, room, content)
    return {**written, "seconds": round(time.monotonic() - began, 3)}


def _export_to_folder(request: ArchiveRequest, room: Room, content: Seal) -> Answer:
    depots.sweep(_folder(request))
    with packed(room, content) as flow:
        written = depots.put(_folder(request), request["name"], flow)
    return {"name": written.name, "size_bytes": written.size_bytes, "sha256": written.sha256}


def _export_to_repo(request: ArchiveRequest, room: Room, content: Seal) -> Answer:
    repo, facts = _repo(request), Facts(room.target, request["name"], content["size_bytes"], content["entries"])
    try:
        with packed(room, content) as flow:
            repositories.put(repo, facts, flow.stream)
            flow.finish()
        return {"name": repositories.accept(repo, facts), "size_bytes": 0, "sha256": ""}
    except Trouble:
        with contextlib.suppress(Trouble):
            repositories.forget_unfinished(repo, facts.run)
        raise


def _archives(request: ArchiveRequest) -> Answer:
    if request["restic"]:
        return {"archives": [_told_of_stored(one) for one in repositories.stored(_repo(request))]}
    folder = _folder(request)
    return {"archives": [_told_of_file(folder, name) for name in depots.names_in(folder)]}


def _told_of_stored(one: repositories.Stored) -> Answer:
    facts = one.facts
    return {"name": one.id, "target": facts.target, "run": facts.run, "made_at": one.at, "size_bytes": 0,
            "data_bytes": facts.data_bytes, "entries": facts.entries, "wrong": ""}  # fmt: skip


def _told_of_file(folder: Path, name: str) -> Answer:
    """What a file says at its beginning; whether the rest is whole, only verifying tells."""
    told: Answer = {"name": name, "size_bytes": (folder / name).stat().st_size}
    try:
        return {**told, **_told_of_head(head_of(lambda: depots.read(folder, name))), "wrong": ""}
    except Trouble as trouble:
        blank = {"target": "", "run": "", "made_at": "", "data_bytes": 0, "entries": 0}
        return {**told, **blank, "wrong": trouble.what}


def _told_of_head(head: Head) -> Answer:
    seal = head.seal
    return {"target": seal["target"], "run": seal["run"], "made_at": seal["sealed_at"],
            "data_bytes": seal["size_bytes"], "entries": seal["entries"]}  # fmt: skip


def _opener(request: ArchiveRequest) -> Opener:
    if not request["restic"]:
        return lambda: depots.read(_folder(request), request["name"])
    repo = _repo(request)
    one = repositories.found(repo, request["name"], request["target"])

    def opened() -> AbstractContextManager[Flow]:
        return repositories.read(repo, one)

    return opened


def _verify_archive(request: ArchiveRequest) -> Answer:
    opened = _opener(request)
    head = head_of(opened)
    with opened() as flow:
        check_stream(flow.stream, head)
        flow.finish()
    return {**_told_of_head(head), "name": request["name"]}


def _bring_in(request: ArchiveRequest) -> Answer:
    room, opened = _room(request), _opener(request)
    rooms.ensure_room(room)
    with rooms.alone_in(room):
        return {"seal": bring_in(room, opened, request["sources"])}


OPERATIONS: dict[str, Callable[[ArchiveRequest], Answer]] = {
    "check-depot": _check_depot,
    "export": _export,
    "archives": _archives,
    "verify-archive": _verify_archive,
    "bring-in": _bring_in,
}
