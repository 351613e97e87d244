"""The real vault: every promise of the port kept through the program in a tools container; it decides no step."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping

from pydantic import JsonValue

from runner.engine.port import EnginePort
from runner.errors import Conflict, NotFound
from runner.facts import Json
from runner.labels import DRAFT, REFRESH, RESTORE, ROLE, RUN, TOOLS
from runner.vault.answers import (
    ChangesAnswer,
    DuplicatedAnswer,
    HowAnswer,
    LeftAnswer,
    MeasuredAnswer,
    PapersAnswer,
    RoomsAnswer,
    answer_as,
    copied_from,
    request_json,
    sealed_from,
)
from runner.vault.configuration import Refreshed, RefreshOrder
from runner.vault.containers import Containers
from runner.vault.defaults import read_defaults
from runner.vault.port import (
    Changed,
    Copied,
    Duplicated,
    Measured,
    Room,
    RoomSeen,
    Sealed,
    Source,
    Space,
    VaultError,
    VaultPlace,
)
from runner.vault.refreshing import refresh_fields, refreshed_from
from runner.vault.tools import CLONES, DRAFTS, SOURCES, VAULT, Held, held_sources, held_vault

BRIEF_S = 300.0
LONG_S = 86_400.0
"""Copying takes as long as there is data; the deadline is only for a command that will never end."""
COPIED_BYTES, COPIED_ENTRIES = 512 * 1024 * 1024, 50_000
"""What is more than this is not duplicated: nobody waits for a copy of a library that is only read."""


class DockerVault:
    """VaultPort on a container engine."""

    def __init__(
        self, engine: EnginePort, tools_image: str = "refloat/tools:1", tell: Callable[[str], None] = lambda _: None
    ) -> None:
        self._engine = engine
        self._containers = Containers(engine, tools_image, tell)

    # looking

    def measure(
        self, place: VaultPlace, sources: tuple[Source, ...], target: str = "", run: str = ""
    ) -> tuple[tuple[Measured, ...], Space]:
        """See the port."""
        # Where there is no vault yet, it will be where the engine keeps its containers too: looking makes none.
        there = self._is_there(place)
        held = (*((held_vault(place),) if there else ()), *held_sources(sources))
        request = request_json("measure", None, sources, vault=VAULT if there else "/", target=target)
        if run:
            answer = self._containers.ask(run, held, "measure", request, LONG_S)
        else:
            answer = self._containers.ask_once("", TOOLS, held, "measure", request, LONG_S)
        seen = answer_as(MeasuredAnswer, answer)
        return seen.measured, Space(**seen.model_dump(exclude={"measured"}))

    def rooms(self, place: VaultPlace) -> tuple[RoomSeen, ...]:
        """See the port."""
        if not self._is_there(place):
            return ()
        try:
            held = (held_vault(place),)
            answer = self._containers.ask_once("", TOOLS, held, "rooms", request_json("rooms"), LONG_S)
        except VaultError as no:
            if no.code != "no-path":
                raise
            return ()
        return tuple(
            RoomSeen(
                room=Room(place=place, target=each.target, run=each.run),
                **each.model_dump(include={"sealed", "unique_bytes", "shared_bytes", "made_at"}),
            )
            for each in answer_as(RoomsAnswer, answer).rooms
        )

    def _is_there(self, place: VaultPlace) -> bool:
        if place.path:
            return True
        try:
            self._engine.volume(place.volume)
        except NotFound:
            return False
        return True

    # papers

    def write_papers(self, room: Room, papers: dict[str, str], sources: tuple[Source, ...] = ()) -> None:
        """See the port."""
        self._ask(room, "write-papers", sources, papers={**papers})

    def read_papers(self, room: Room) -> dict[str, str]:
        """See the port; the run may be another machine's, so nothing in its name stays behind."""
        if not self._is_there(room.place):
            return {}
        held, request = (held_vault(room.place),), request_json("read-papers", room)
        answer = self._containers.ask_once("", TOOLS, held, "read-papers", request, BRIEF_S)
        return answer_as(PapersAnswer, answer).papers

    # copying

    def warm_copy(self, room: Room, sources: tuple[Source, ...]) -> Copied:
        """See the port."""
        return copied_from(self._ask(room, "warm-copy", sources, timeout_s=LONG_S))

    def cold_copy(self, room: Room, sources: tuple[Source, ...]) -> Copied:
        """See the port."""
        return copied_from(self._ask(room, "cold-copy", sources, timeout_s=LONG_S))

    def seal(self, room: Room, sources: tuple[Source, ...], taken_from: Json) -> Sealed:
        """See the port."""
        return sealed_from(self._ask(room, "seal", sources, timeout_s=LONG_S, taken_from=taken_from), room)

    def sealed(self, room: Room) -> Sealed:
        """See the port."""
        return sealed_from(self._ask(room, "sealed"), room)

    def verify(self, room: Room) -> Sealed:
        """See the port."""
        return sealed_from(self._ask(room, "verify", timeout_s=LONG_S), room)

    def restore(self, room: Room, sources: tuple[Source, ...]) -> Copied:
        """See the port; the only container that may write to sources lives as long as this call."""
        held = (held_vault(room.place), *held_sources(sources, writable=True))
        request = request_json("restore", room, sources)
        return copied_from(self._containers.ask_once(room.run, RESTORE, held, "restore", request, LONG_S))

    def changes(self, room: Room, sources: tuple[Source, ...]) -> tuple[Changed, ...]:
        """See the port."""
        return answer_as(ChangesAnswer, self._ask(room, "changes", sources, timeout_s=LONG_S)).sources

    # configuration

    def preview_refresh(self, sources: tuple[Source, ...], order: RefreshOrder) -> Refreshed:
        """See the port."""
        fields = refresh_fields("", order, read_defaults(self._engine, order), write=False)
        request = request_json("refresh", None, sources, **fields)
        return refreshed_from(self._containers.ask_once("", TOOLS, held_sources(sources), "refresh", request, LONG_S))

    def prepare_refresh(self, room: Room, sources: tuple[Source, ...], order: RefreshOrder) -> Refreshed:
        """See the port."""
        fields = refresh_fields(room.run, order, read_defaults(self._engine, order, room.run), write=False)
        return refreshed_from(self._ask(room, "refresh", sources, timeout_s=LONG_S, **fields))

    def draft_refresh(self, room: Room, sources: tuple[Source, ...], order: RefreshOrder,
                      names: Mapping[str, str]) -> dict[str, str]:  # fmt: skip
        """See the port."""
        for name in names.values():
            self._engine.create_volume(name, labels={RUN: room.run, ROLE: DRAFT})
        at = {path: f"{DRAFTS}/{number}" for number, path in enumerate(names)}
        drafts = (Held(volume=name, at=at[path], writable=True) for path, name in names.items())
        held = (held_vault(room.place), *held_sources(sources), *drafts)
        fields = refresh_fields(room.run, order, None, write=False, drafts=at)
        request = request_json("refresh", room, sources, **fields)
        answer = self._containers.ask_once(room.run, DRAFT, held, "refresh", request, LONG_S)
        return refreshed_from(answer).outcomes

    def refresh(self, room: Room, sources: tuple[Source, ...], order: RefreshOrder) -> Refreshed:
        """See the port; what may write to the sources lives as long as this call."""
        held = (held_vault(room.place), *held_sources(sources, writable=True))
        request = request_json("refresh", room, sources, **refresh_fields(room.run, order, None, write=True))
        return refreshed_from(self._containers.ask_once(room.run, REFRESH, held, "refresh", request, LONG_S))

    # clones

    def clone(self, room: Room, names: dict[str, str], labels: dict[str, str]) -> str:
        """See the port."""
        ready = answer_as(HowAnswer, self._ask(room, "prepare-clone", names={**names}))
        root = self._host_path(room)
        if ready.how != "overlay" or not root:
            return self._copy_clone(room, names, labels)
        for key in names.keys() - {*ready.files}:
            options = overlay_options(root, key, names[key], ready.features)
            self._engine.create_volume(names[key], labels=labels, options=options)
        files = {key: names[key] for key in ready.files}
        how = self._copy_clone(room, files, labels) if files else ready.how
        return how if len(files) == len(names) else ready.how

    def _copy_clone(self, room: Room, names: dict[str, str], labels: dict[str, str]) -> str:
        for name in names.values():
            self._engine.create_volume(name, labels=labels)
        clones = tuple(Held(volume=name, at=f"{SOURCES}/{key}", writable=True) for key, name in names.items())
        request = request_json("fill-clone", room, names={**names})
        whose = labels.get(RUN, room.run)  # several runs may clone one room at the same time
        answer = self._containers.ask_once(
            f"{whose}-clone", TOOLS, (held_vault(room.place), *clones), "fill-clone", request, LONG_S
        )
        return answer_as(HowAnswer, answer).how

    def duplicate(self, run: str, sources: tuple[Source, ...], names: dict[str, str],
                  labels: dict[str, str]) -> tuple[Duplicated, ...]:  # fmt: skip
        """See the port."""
        for name in names.values():
            self._engine.create_volume(name, labels=labels)
        copies = tuple(Held(volume=name, at=f"{CLONES}/{key}", writable=True) for key, name in names.items())
        request = request_json("duplicate", None, sources, limit_bytes=COPIED_BYTES, limit_entries=COPIED_ENTRIES)
        held = (*held_sources(sources), *copies)
        answer = self._containers.ask_once(f"{run}-clone", TOOLS, held, "duplicate", request, LONG_S)
        done = answer_as(DuplicatedAnswer, answer).sources
        for each in done:
            if not each.copied:
                self._engine.remove_volume(names[each.key])
        return done

    def _host_path(self, room: Room) -> str:
        """Where the room is on the engine's host; empty where it is not there always, or cannot be an option."""
        root = room.place.path
        if not root:
            volume = self._engine.volume(room.place.volume)
            root = volume.mountpoint if volume.driver == "local" and not volume.options else ""
        path = f"{root}/{room.target}/{room.run}"
        return path if root and can_be_an_option(path) else ""

    def drop_clone(self, room: Room, names: dict[str, str]) -> None:
        """See the port."""
        for name in names.values():
            with contextlib.suppress(NotFound):
                self._engine.remove_volume(name)
        if self._is_there(room.place):
            self._ask(room, "drop-clone", names={**names})

    # tidying

    def discard(self, room: Room) -> None:
        """See the port."""
        if not self._is_there(room.place):
            return
        left = self._discard(room)
        if left:
            self._drop_left(room, left)
            self._discard(room)

    def _discard(self, room: Room) -> tuple[str, ...]:
        return answer_as(LeftAnswer, self._ask(room, "discard", timeout_s=LONG_S)).clones

    def _drop_left(self, room: Room, left: tuple[str, ...]) -> None:
        """A clone is mounted over the snapshot: it goes first, or the snapshot stays."""
        try:
            self.drop_clone(room, {name: name for name in left})
        except Conflict as used:
            raise VaultError(
                "in-use",
                f"The snapshot of run {room.run} is still in use: {used.what}",
                then=f"See by whom: docker ps --all --filter volume={left[0]}",
            ) from used

    def close(self, run: str) -> None:
        """See the port."""
        self._containers.remove_all_of(run)

    def _ask(
        self, room: Room, op: str, sources: tuple[Source, ...] = (), timeout_s: float = BRIEF_S, **more: JsonValue
    ) -> bytes:
        held = (held_vault(room.place), *held_sources(sources))
        return self._containers.ask(room.run, held, op, request_json(op, room, sources, **more), timeout_s)


def can_be_an_option(path: str) -> bool:
    """Whether an overlay's options take this for a path: a comma ends one, a colon a layer, a backslash hides both."""
    return not set(",:\\") & set(path)


def overlay_options(root: str, key: str, name: str, features: tuple[str, ...]) -> dict[str, str]:
    """The local driver's options for a writable view over a tree of a room."""
    folders = f"lowerdir={root}/data/{key},upperdir={root}/clones/{name}/upper,workdir={root}/clones/{name}/work"
    return {"type": "overlay", "device": "overlay", "o": ",".join((folders, *features))}
