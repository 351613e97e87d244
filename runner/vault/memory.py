"""The vault kept in memory, over the contents the memory engine holds; a room outlives the runner, as on disk.

A room is a part of the vault volume's contents: ``TARGET/RUN/papers/NAME``, ``TARGET/RUN/data/KEY/PATH``, and the seal.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

from runner.engine.memory.engine import MemoryEngine
from runner.engine.memory.faults import Faults, call
from runner.facts import Json
from runner.labels import DRAFT, ROLE, RUN, VAULT_ROLE
from runner.vault.configuration import Refreshed, RefreshOrder
from runner.vault.memory_contents import Contents, below, changed, different, digest_of, measured, put_right
from runner.vault.memory_refresh import contents_of, outcomes_of, refresh_trees
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


class MemoryVault:
    """VaultPort; everything durable lives in the engine's world."""

    prefix = "vault."

    def __init__(self, engine: MemoryEngine, free_bytes: int = 10**12, free_inodes: int = 10**9) -> None:
        self._engine = engine
        self.torn = False
        self.space = Space(free_bytes=free_bytes, free_inodes=free_inodes)

    @property
    def calls(self) -> list[tuple[str, tuple[object, ...]]]:
        """All calls of the engine and the vault so far."""
        return self._engine.calls

    @property
    def faults(self) -> Faults | None:
        """The engine's."""
        return self._engine.faults

    def refused(self, what: str) -> VaultError:
        """Yield the error of a copy that failed."""
        return VaultError("copy-failed", what, "The sources are as they were.")

    @call
    def measure(
        self, place: VaultPlace, sources: tuple[Source, ...], target: str = "", run: str = ""
    ) -> tuple[tuple[Measured, ...], Space]:
        """See the port."""
        del place, target, run
        return tuple(measured(each, self._source(each)) for each in sources), self.space

    @call
    def write_papers(self, room: Room, papers: dict[str, str], sources: tuple[Source, ...] = ()) -> None:
        """See the port."""
        del sources
        stored = self._room(room)
        stored.setdefault(at(room, "made"), self._engine.world.now())
        for name in self._portion(papers):
            stored[at(room, f"papers/{name}")] = papers[name]

    @call
    def read_papers(self, room: Room) -> dict[str, str]:
        """See the port."""
        return below(self._place(room.place), at(room, "papers/"))

    @call
    def rooms(self, place: VaultPlace) -> tuple[RoomSeen, ...]:
        """See the port."""
        stored = self._place(place)
        seen = [self._seen(place, path) for path in stored if path.endswith("/made")]
        return tuple(sorted(seen, key=lambda each: (each.made_at, each.room.run), reverse=True))

    @call
    def warm_copy(self, room: Room, sources: tuple[Source, ...]) -> Copied:
        """See the port."""
        return self._copy(room, sources)

    @call
    def cold_copy(self, room: Room, sources: tuple[Source, ...]) -> Copied:
        """See the port."""
        return self._copy(room, sources)

    @call
    def seal(self, room: Room, sources: tuple[Source, ...], taken_from: Json) -> Sealed:
        """See the port."""
        for each in sources:
            self._must_be_equal(room, each)
        if at(room, "seal") in self._place(room.place):
            return self._verified(room)
        tree = [token for each in sources for token in self._tree(room, each).values()]
        stored = self._room(room)
        stored[at(room, "manifest")] = json.dumps(taken_from, sort_keys=True)
        seal = self._seal_over(room, sources, tree)
        if not self.torn:
            stored[at(room, "seal")] = seal.model_dump_json()
        return seal

    def keep(self, room: Room, sources: tuple[Source, ...], trees: dict[str, Contents]) -> Sealed:
        """Seal trees (by source key) that come from elsewhere than the sources."""
        stored = self._room(room)
        stored.setdefault(at(room, "made"), self._engine.world.now())
        for key, tree in trees.items():
            stored.update({at(room, f"data/{key}/{path}"): token for path, token in tree.items()})
        seal = self._seal_over(room, sources, [token for tree in trees.values() for token in tree.values()])
        stored[at(room, "seal")] = seal.model_dump_json()
        return seal

    @call
    def sealed(self, room: Room) -> Sealed:
        """See the port."""
        return self._read_seal(room)

    @call
    def verify(self, room: Room) -> Sealed:
        """See the port."""
        return self._verified(room)

    @call
    def restore(self, room: Room, sources: tuple[Source, ...]) -> Copied:
        """See the port."""
        known = self._verified(room).sources
        if foreign := [each for each in sources if each not in known]:
            raise VaultError("foreign", f"The snapshot of run {room.run} was not taken of {foreign[0].spoken}.")
        surplus = tuple(path for each in sources for path in self._source(each) if path not in self._tree(room, each))
        done = sum(self._make_equal(self._source(each), self._tree(room, each)) for each in sources)
        return Copied(copied_entries=done, copied_bytes=done, seconds=0, how="copy", removed_entries=len(surplus),
                      removed=surplus[:5])  # fmt: skip

    @call
    def changes(self, room: Room, sources: tuple[Source, ...]) -> tuple[Changed, ...]:
        """See the port."""
        self._read_seal(room)
        return tuple(changed(each, self._tree(room, each), self._source(each)) for each in sources)

    @call
    def preview_refresh(self, sources: tuple[Source, ...], order: RefreshOrder) -> Refreshed:
        """See the port."""
        return refresh_trees(order, {each.key: self._source(each) for each in sources}, self._ships())[1]

    @call
    def prepare_refresh(self, room: Room, sources: tuple[Source, ...], order: RefreshOrder) -> Refreshed:
        """See the port; both images stay where they are here, so nothing needs to be kept."""
        del room
        return refresh_trees(order, {each.key: self._source(each) for each in sources}, self._ships())[1]

    @call
    def draft_refresh(self, room: Room, sources: tuple[Source, ...], order: RefreshOrder,
                      names: Mapping[str, str]) -> dict[str, str]:  # fmt: skip
        """See the port."""
        trees, came = refresh_trees(order, {each.key: self._source(each) for each in sources}, self._ships())
        if came.open:
            raise VaultError("refresh-unanswered", f"{came.open[0].path} is a conflict nobody has answered.")
        for place in order.places:
            self._engine.world.add_volume(names[place.path], {RUN: room.run, ROLE: DRAFT})
            self._engine.data[names[place.path]] = contents_of(place, trees)
        return outcomes_of(order, trees)

    @call
    def refresh(self, room: Room, sources: tuple[Source, ...], order: RefreshOrder) -> Refreshed:
        """See the port; what is refreshed is what was sealed, so it may be done again at any point."""
        self._read_seal(room)
        wanted, came = refresh_trees(order, {each.key: self._tree(room, each) for each in sources}, self._ships())
        if came.open:
            raise VaultError("refresh-unanswered", f"{came.open[0].path} is a conflict nobody has answered.")
        for each in sources:
            self._make_equal(self._source(each), wanted[each.key])
        return came.model_copy(update={"outcomes": outcomes_of(order, wanted)})

    def _ships(self) -> dict[str, dict[str, str]]:
        return {image: behaviour.ships for image, behaviour in self._engine.world.behaviours.items()}

    @call
    def clone(self, room: Room, names: dict[str, str], labels: dict[str, str]) -> str:
        """See the port."""
        for source in self._read_seal(room).sources:
            if source.key in names:
                self._engine.world.add_volume(names[source.key], labels)
                self._make_equal(self._engine.data[names[source.key]], self._tree(room, source))
        return "copy"

    @call
    def duplicate(self, run: str, sources: tuple[Source, ...], names: dict[str, str],
                  labels: dict[str, str]) -> tuple[Duplicated, ...]:  # fmt: skip
        """See the port; nothing here is one file, or big."""
        del run
        for source in sources:
            self._engine.world.add_volume(names[source.key], labels)
            self._make_equal(self._engine.data[names[source.key]], self._source(source))
        return tuple(Duplicated(key=source.key, copied=True) for source in sources)

    @call
    def drop_clone(self, room: Room, names: dict[str, str]) -> None:
        """See the port."""
        del room
        for name in names.values():
            self._engine.world.volumes.pop(name, None)
            self._engine.data.pop(name, None)

    @call
    def discard(self, room: Room) -> None:
        """See the port."""
        stored = self._place(room.place)
        # The seal goes first: a room that is half gone must not pass for a snapshot.
        gone = [path for path in (at(room, "seal"), *stored) if path.startswith(at(room, "")) and path in stored]
        for path in self._portion(dict.fromkeys(gone, "")):
            stored.pop(path, None)

    @call
    def close(self, run: str) -> None:
        """See the port."""
        del run

    def _place(self, place: VaultPlace) -> Contents:
        return self._engine.data.get(place.path or place.volume, {})

    def _room(self, room: Room) -> Contents:
        if not room.place.path:
            self._engine.world.add_volume(room.place.volume, {ROLE: VAULT_ROLE})
        return self._engine.data.setdefault(room.place.path or room.place.volume, {})

    def _source(self, source: Source) -> Contents:
        if source.volume and source.volume not in self._engine.world.volumes:
            raise VaultError("no-source", f"The volume {source.volume} is not there any more.")
        return self._engine.data.setdefault(source.volume or source.path, {})

    def _tree(self, room: Room, source: Source) -> Contents:
        return below(self._place(room.place), at(room, f"data/{source.key}/"))

    def _portion(self, things: Contents) -> tuple[str, ...]:
        """Yield the names to work on: half of them when this call is to be torn."""
        names = tuple(things)
        return names[: len(names) // 2] if self.torn else names

    def _copy(self, room: Room, sources: tuple[Source, ...]) -> Copied:
        stored, done = self._room(room), 0
        if at(room, "seal") in stored:  # a sealed snapshot is never written to
            return Copied(copied_entries=0, copied_bytes=0, seconds=0)
        stored.setdefault(at(room, "made"), self._engine.world.now())
        for each in sources:
            prefix, whole = at(room, f"data/{each.key}/"), dict(stored)
            wanted = {path: token for path, token in whole.items() if not path.startswith(prefix)}
            wanted |= {f"{prefix}{path}": token for path, token in self._source(each).items()}
            done += self._make_equal(stored, wanted)
        return Copied(copied_entries=done, copied_bytes=done, seconds=0, how="copy")

    def _make_equal(self, here: Contents, wanted: Contents) -> int:
        """Make one tree equal to another; half of the way when torn. Yields how many entries changed."""
        other = different(here, wanted)
        put_right(here, wanted, self._portion(other))
        return len(other)

    def _must_be_equal(self, room: Room, source: Source) -> None:
        if not any(path.startswith(at(room, "")) for path in self._place(room.place)):
            raise VaultError("unsealed", "There is no copy to seal: it was not finished.")
        if self._tree(room, source) != self._source(source):
            raise VaultError("copy-failed", f"The data of {source.spoken} changed after it was copied.")

    def _read_seal(self, room: Room) -> Sealed:
        text = self._place(room.place).get(at(room, "seal"))
        if text is None:
            raise VaultError("unsealed", f"There is no sealed snapshot of run {room.run}.")
        return Sealed.model_validate_json(text)

    def _verified(self, room: Room) -> Sealed:
        seal = self._read_seal(room)
        if self._digest(room, seal.sources) != seal.digest:
            raise VaultError("damaged", f"The snapshot of run {room.run} is not what was sealed.")
        return seal

    def _seal_over(self, room: Room, sources: tuple[Source, ...], tokens: list[str]) -> Sealed:
        now, digest = self._engine.world.now(), self._digest(room, sources)
        return Sealed(room=room, sealed_at=now, digest=digest, sources=sources, size_bytes=sum(map(len, tokens)),
                      entries=len(tokens))  # fmt: skip

    def _digest(self, room: Room, sources: tuple[Source, ...]) -> str:
        return digest_of({each.key: self._tree(room, each) for each in sources})

    def _seen(self, place: VaultPlace, path: str) -> RoomSeen:
        target, run, _ = path.split("/", 2)
        room, stored = Room(place=place, target=target, run=run), self._place(place)
        size = sum(len(token) for name, token in stored.items() if name.startswith(at(room, "data/")))
        return RoomSeen(room=room, sealed=at(room, "seal") in stored, unique_bytes=size, made_at=stored[path])


def at(room: Room, path: str) -> str:
    """Yield where something of a room is in the vault."""
    return f"{room.target}/{room.run}/{path}"
