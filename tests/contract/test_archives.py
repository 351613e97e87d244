"""What archives promise, the same in memory and in the tools container: in a volume, a folder, a restic repository."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest
from pydantic import SecretStr

from runner.engine.memory import MemoryEngine
from runner.vault.archive_port import Archive, ArchivePort, Depot
from runner.vault.archives import DockerArchives
from runner.vault.memory_archives import MemoryArchives
from runner.vault.port import Room, Source, VaultError
from tests.contract.conftest import Bench
from tests.contract.test_vaults import Data, data

__all__ = ["data"]

PASSWORD = "correct-horse-battery"


@dataclass
class Store:
    """Data with a snapshot, and a place for archives of it."""

    data: Data
    archives: ArchivePort
    depot: Depot

    @property
    def bench(self) -> Bench:
        return self.data.bench

    def export(self, run: str = "r1") -> Archive:
        """The snapshot as an archive."""
        return Archive(depot=self.depot, name=self.archives.export(self.data.room, self.depot, run).name)

    @property
    def incoming(self) -> Room:
        return self.data.room.model_copy(update={"run": f"{self.bench.own}-in"})


@pytest.fixture
def store(data: Data, request: pytest.FixtureRequest) -> Iterator[Store]:
    """Three kinds of places, each with a snapshot to export."""
    bench, volume = data.bench, data.bench.name("depot")
    bench.engine.create_volume(volume, labels=bench.labels)
    memory = isinstance(bench.engine, MemoryEngine)
    archives = MemoryArchives(bench.engine) if isinstance(bench.engine, MemoryEngine) else DockerArchives(bench.engine)
    folder = f"/srv/{volume}" if memory else bench.engine.volume(volume).mountpoint
    secrets = {"RESTIC_PASSWORD": SecretStr(PASSWORD)}
    depots = {
        "volume": Depot(volume=volume),
        "folder": Depot(path=folder),
        "restic": Depot(restic=folder, secrets=secrets),
    }
    made = Store(data, archives, depots[request.param])
    data.snapshot()
    archives.check(made.depot, init=True)
    yield made
    for run in (data.room.run, made.incoming.run):
        data.vault.close(run)
        archives.close(run)


@pytest.mark.parametrize("store", ["volume", "folder", "restic"], indirect=True)
def test_an_archive_comes_back_as_a_sealed_snapshot_and_replaces_the_data(store: Store) -> None:
    archive = store.export()
    seen = store.archives.verify(archive, "app")
    assert (seen.target, seen.entries > 0, seen.wrong) == ("app", True, "")
    assert [one.name for one in store.archives.archives(store.depot)] == [archive.name]
    store.data.vault.discard(store.data.room)
    sealed = store.archives.bring_in(archive, store.incoming, store.data.sources)
    assert (sealed.room, sealed.sources) == (store.incoming, store.data.sources)
    store.data.write({"a": "changed", "new": "3"})
    told = store.data.vault.restore(store.incoming, store.data.sources)
    assert (told.removed_entries, told.removed) == (1, ("new",))
    assert store.data.read() == {"a": "1", "b": "2"}


@pytest.mark.parametrize("store", ["restic"], indirect=True)
def test_the_newest_of_a_target_needs_no_name_in_a_repository(store: Store) -> None:
    store.export("r1")
    newest = store.export("r2")
    assert store.archives.verify(Archive(depot=store.depot, name=""), "app").target == "app"
    by_run = store.archives.bring_in(Archive(depot=store.depot, name="r2"), store.incoming, store.data.sources)
    assert by_run.entries == store.archives.verify(newest).entries


@pytest.mark.parametrize("store", ["volume", "restic"], indirect=True)
def test_what_is_foreign_missing_or_unsealed_is_refused_by_name(store: Store) -> None:
    other = (Source(key="d0", volume=store.data.sources[0].volume, destination="/elsewhere"),)
    mine, missing = store.export(), Archive(depot=store.depot, name="app-20200101-000000-000000.tar.zst")
    archives = store.archives
    assert refusal(lambda: archives.bring_in(mine, store.incoming, other)) == "foreign"
    assert refusal(lambda: store.data.vault.sealed(store.incoming)) == "unsealed"
    assert refusal(lambda: archives.export(store.incoming, store.depot, "r9")) == "unsealed"
    assert refusal(lambda: archives.verify(missing, "app")) == "no-archive"
    assert refusal(lambda: archives.bring_in(missing, store.incoming, store.data.sources)) == "no-archive"
    assert [one.name for one in archives.archives(store.depot)] == [mine.name]


@pytest.mark.parametrize("store", ["volume"], indirect=True)
def test_no_place_is_made_silently(store: Store) -> None:
    nowhere = store.bench.name("nowhere")
    secrets = {"RESTIC_PASSWORD": SecretStr("x")}
    assert refusal(lambda: store.archives.check(Depot(volume=nowhere))) == "no-volume"
    assert refusal(lambda: store.archives.check(Depot(restic=f"/{nowhere}", secrets=secrets))).startswith("no-")
    assert nowhere not in {volume.name for volume in store.bench.engine.volumes()}


def refusal(work: Callable[[], object]) -> str:
    with pytest.raises(VaultError) as no:
        work()
    return no.value.code
