"""Archives kept in memory, beside the contents the memory engine holds; they outlive the runner, as on disk."""

from __future__ import annotations

import json

from runner.engine.memory.engine import MemoryEngine
from runner.errors import NOTHING_TOUCHED
from runner.facts import Fact
from runner.vault.archive_port import Archive, ArchiveSeen, Depot, Exported
from runner.vault.depot_names import DEFAULT_VOLUME, archive_name
from runner.vault.memory import MemoryVault, at
from runner.vault.memory_contents import Contents, below
from runner.vault.port import Room, Sealed, Source, VaultError


class _Packed(Fact):
    """One archive: what was sealed, each tree by its destination, and a token that changes with it."""

    sealed: Sealed
    run: str
    trees: dict[str, Contents]


class MemoryArchives:
    """ArchivePort; everything durable lives in the engine's world."""

    def __init__(self, engine: MemoryEngine) -> None:
        self._engine = engine
        self._vault = MemoryVault(engine)

    def check(self, depot: Depot, *, init: bool = False) -> None:
        """See the port."""
        if depot.volume == DEFAULT_VOLUME:
            self._engine.world.add_volume(depot.volume, {"refloat.role": "archives"})
        if depot.restic and init:
            self._engine.data.setdefault(_key(depot), {})
        self._contents(depot)

    def export(self, room: Room, depot: Depot, run: str) -> Exported:
        """See the port."""
        sealed, contents = self._vault.verify(room), self._contents(depot)
        name = run if depot.restic else archive_name(room.target, run)
        if name in contents:
            raise VaultError("name-taken", f"There is an archive {name} already.")
        stored = self._engine.data[room.place.path or room.place.volume]
        trees = {one.destination: below(stored, at(room, f"data/{one.key}/")) for one in sealed.sources}
        contents[name] = _Packed(sealed=sealed, run=run, trees=trees).model_dump_json()
        return Exported(name=name, size_bytes=0 if depot.restic else len(contents[name]), sha256="", seconds=0)

    def archives(self, depot: Depot) -> tuple[ArchiveSeen, ...]:
        """See the port."""
        if depot.volume == DEFAULT_VOLUME and depot.volume not in self._engine.world.volumes:
            return ()
        seen = [self.verify(Archive(depot=depot, name=name)) for name in self._contents(depot)]
        return tuple(sorted(seen, key=lambda each: (each.made_at, each.name), reverse=True))

    def verify(self, archive: Archive, target: str = "") -> ArchiveSeen:
        """See the port."""
        packed = self._packed(archive, target)
        sealed = packed.sealed
        return ArchiveSeen(
            name=archive.name, target=sealed.room.target, run=sealed.room.run, made_at=sealed.sealed_at,
            data_bytes=sealed.size_bytes, entries=sealed.entries,
        )  # fmt: skip

    def bring_in(self, archive: Archive, room: Room, sources: tuple[Source, ...]) -> Sealed:
        """See the port."""
        packed = self._packed(archive, room.target)
        if packed.trees.keys() != {each.destination for each in sources}:
            raise VaultError("foreign", f"{archive.spoken}: it does not fit.")
        return self._vault.keep(room, sources, {each.key: packed.trees[each.destination] for each in sources})

    def close(self, run: str) -> None:
        """See the port."""
        del run

    def _packed(self, archive: Archive, target: str) -> _Packed:
        contents = self._contents(archive.depot)
        names = [name for name in contents if _is_of(contents[name], target)]
        name = archive.name or max(names, default="")
        if name not in contents:
            raise VaultError("no-archive", f"There is no {name or f'archive of {target}'}.")
        try:
            return _Packed.model_validate_json(contents[name])
        except ValueError:
            raise VaultError("damaged", f"{archive.spoken} is damaged.", NOTHING_TOUCHED) from None

    def _contents(self, depot: Depot) -> Contents:
        if depot.volume and depot.volume not in self._engine.world.volumes:
            raise VaultError("no-volume", f"There is no volume {depot.volume}.")
        if depot.restic and _key(depot) not in self._engine.data:
            raise VaultError("no-repository", f"{depot.spoken}: there is no restic repository.")
        return self._engine.data.setdefault(_key(depot), {})


def _key(depot: Depot) -> str:
    return f"restic:{depot.restic}" if depot.restic else depot.volume or depot.path


def _is_of(text: str, target: str) -> bool:
    return bool(json.loads(text)["sealed"]["room"]["target"] == target)
