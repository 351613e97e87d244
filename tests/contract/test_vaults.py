"""What a vault promises, the same in memory and in the tools container."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import pytest

from runner.engine.memory import MemoryEngine
from runner.facts import Json
from runner.refresh.choices import Conflict
from runner.vault.configuration import ConfigPlace, RefreshOrder
from runner.vault.memory import MemoryVault
from runner.vault.port import Room, Source, VaultError, VaultPlace, VaultPort
from runner.vault.vault import DockerVault
from tests.contract.conftest import BUSYBOX, Bench


@dataclass
class Data:
    """A volume with files in it, and a vault for it."""

    bench: Bench
    vault: VaultPort
    room: Room
    sources: tuple[Source, ...]

    def write(self, files: Mapping[str, str]) -> None:
        """Put files into the volume."""
        self.bench.engine.write_archive(self.holder(self.bench.name("data")), "/data", packed(files))

    def read(self, volume: str = "") -> dict[str, str]:
        """Read all files of the volume."""
        holder = self.holder(volume or self.bench.name("data"))
        return unpacked(self.bench.engine.read_archive(holder, "/data"))

    def empty(self) -> None:
        """Make the volume anew."""
        for container in self.bench.engine.containers({"refloat.contract": self.bench.own}):
            self.bench.engine.remove_container(container.id)
        self.vault.close(self.room.run)
        self.bench.engine.remove_volume(self.bench.name("data"))
        self.bench.engine.create_volume(self.bench.name("data"), labels=self.bench.labels)

    def holder(self, volume: str) -> str:
        """A container that holds a volume at /data and never runs."""
        name = f"{volume}-holder"
        if name not in [each.name for each in self.bench.engine.containers({"refloat.contract": self.bench.own})]:
            mounts: Json = {"Mounts": [{"Type": "volume", "Source": volume, "Target": "/data"}]}
            body: Json = {"Image": BUSYBOX, "Labels": {**self.bench.labels}, "HostConfig": mounts}
            self.bench.engine.create_container(name, body)
        return name

    def snapshot(self) -> None:
        """Copy and seal."""
        self.vault.warm_copy(self.room, self.sources)
        self.vault.cold_copy(self.room, self.sources)
        self.vault.seal(self.room, self.sources, {"image": "x"})


def packed(files: Mapping[str, str]) -> bytes:
    whole = io.BytesIO()
    with tarfile.open(fileobj=whole, mode="w") as tar:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content.encode()))
    return whole.getvalue()


def unpacked(whole: bytes) -> dict[str, str]:
    with tarfile.open(fileobj=io.BytesIO(whole)) as tar:
        files = {member.name: tar.extractfile(member) for member in tar.getmembers() if member.isfile()}
        return {name.removeprefix("data/"): file.read().decode() for name, file in files.items() if file}


@pytest.fixture
def data(bench: Bench) -> Iterator[Data]:
    """A volume of two files and a vault of its own."""
    place, own = VaultPlace(volume=bench.name("vault")), bench.name("data")
    for volume in (place.volume, own):
        bench.engine.create_volume(volume, labels=bench.labels)
    vault = MemoryVault(bench.engine) if isinstance(bench.engine, MemoryEngine) else DockerVault(bench.engine)
    room = Room(place=place, target="app", run=bench.own)
    made = Data(bench, vault, room, (Source(key="d0", volume=own, destination="/data"),))
    made.write({"a": "1", "b": "2"})
    yield made
    vault.drop_clone(room, {"d0": bench.name("clone")})
    vault.close(room.run)


def test_a_snapshot_comes_back_whole_and_nothing_else_with_it(data: Data) -> None:
    data.snapshot()
    data.write({"a": "changed", "new": "3"})
    data.vault.restore(data.room, data.sources)
    assert data.read() == {"a": "1", "b": "2"}
    data.vault.restore(data.room, data.sources)
    assert data.read() == {"a": "1", "b": "2"}


def test_a_snapshot_comes_back_into_an_emptied_volume(data: Data) -> None:
    data.snapshot()
    data.empty()
    assert data.read() == {}
    data.vault.restore(data.room, data.sources)
    assert data.read() == {"a": "1", "b": "2"}


def test_the_cold_copy_takes_what_changed_after_the_warm_one(data: Data) -> None:
    data.vault.warm_copy(data.room, data.sources)
    data.write({"b": "later", "c": "3"})
    data.vault.cold_copy(data.room, data.sources)
    data.vault.seal(data.room, data.sources, {})
    data.write({"b": "lost"})
    data.vault.restore(data.room, data.sources)
    assert data.read() == {"a": "1", "b": "later", "c": "3"}


def test_a_sealed_snapshot_is_never_written_to(data: Data) -> None:
    data.snapshot()
    data.write({"a": "changed"})
    assert data.vault.cold_copy(data.room, data.sources).copied_entries == 0
    data.vault.restore(data.room, data.sources)
    assert data.read()["a"] == "1"


def test_sealing_again_gives_the_same_seal(data: Data) -> None:
    data.snapshot()
    first = data.vault.sealed(data.room)
    assert data.vault.seal(data.room, data.sources, {"image": "x"}) == first
    assert data.vault.verify(data.room) == first
    assert first.sources == data.sources


def test_data_that_changed_after_the_copy_is_not_sealed(data: Data) -> None:
    data.vault.cold_copy(data.room, data.sources)
    data.write({"a": "changed"})
    with pytest.raises(VaultError) as changed:
        data.vault.seal(data.room, data.sources, {})
    assert changed.value.code == "copy-failed"


def test_without_a_seal_there_is_no_snapshot(data: Data) -> None:
    data.vault.cold_copy(data.room, data.sources)
    with pytest.raises(VaultError) as reading:
        data.vault.sealed(data.room)
    with pytest.raises(VaultError) as restoring:
        data.vault.restore(data.room, data.sources)
    with pytest.raises(VaultError) as cloning:
        data.vault.clone(data.room, {"d0": data.bench.name("clone")}, data.bench.labels)
    assert {each.value.code for each in (reading, restoring, cloning)} == {"unsealed"}
    assert data.read() == {"a": "1", "b": "2"}


def test_a_room_knows_its_papers_and_is_listed(data: Data) -> None:
    assert data.vault.rooms(data.room.place) == ()
    assert data.vault.read_papers(data.room) == {}
    data.vault.write_papers(data.room, {"plan.json": "{}", "facts.json": "[]"})
    data.vault.write_papers(data.room, {"plan.json": '{"a": 1}'})
    assert data.vault.read_papers(data.room) == {"plan.json": '{"a": 1}', "facts.json": "[]"}
    assert [(each.room, each.sealed) for each in data.vault.rooms(data.room.place)] == [(data.room, False)]
    data.snapshot()
    assert [each.sealed for each in data.vault.rooms(data.room.place)] == [True]


def test_a_snapshot_of_something_else_is_not_restored(data: Data) -> None:
    data.snapshot()
    other = Source(key="d1", volume=data.bench.name("data"), destination="/other")
    with pytest.raises(VaultError) as foreign:
        data.vault.restore(data.room, (other,))
    assert foreign.value.code == "foreign"


def test_a_volume_that_is_gone_is_not_taken_for_an_empty_one(data: Data) -> None:
    gone = (Source(key="d0", volume=data.bench.name("gone"), destination="/data"),)
    with pytest.raises(VaultError) as missing:
        data.vault.cold_copy(data.room, gone)
    assert missing.value.code == "no-source"


def test_what_was_added_changed_and_deleted_since_a_snapshot_is_told(data: Data) -> None:
    with pytest.raises(VaultError):
        data.vault.changes(data.room, data.sources)
    data.snapshot()
    assert counts(data) == (0, 0, 0)
    data.write({"a": "longer", "c": "333"})
    assert counts(data) == (1, 1, 0)
    (told,) = data.vault.changes(data.room, data.sources)
    assert {(each.kind, each.path, each.before_bytes, each.after_bytes) for each in told.biggest} == {
        ("changed", "a", 1, 6), ("added", "c", 0, 3),
    }  # fmt: skip
    assert (told.added_bytes, told.changed_bytes, told.deleted_bytes, told.size_bytes > 0) == (3, 6, 0, True)
    data.empty()
    assert counts(data) == (0, 0, 2)


def counts(data: Data) -> tuple[int, int, int]:
    (told,) = data.vault.changes(data.room, data.sources)
    return told.added, told.changed, told.deleted


def order_on(data: Data, conflict: Conflict = Conflict.ASK) -> RefreshOrder:
    """From the defaults of one lab image to those of the next."""
    old, new = (data.bench.engine.image(f"refloat-lab/busybox:{tag}").id for tag in ("1", "2"))
    place = ConfigPlace(key="d0", path="/defaults")
    return RefreshOrder(places=(place,), old_image=old, new_image=new, conflict=conflict)


def configuration(data: Data) -> dict[str, str]:
    """What is on the volume, but for the store that is kept beside it."""
    return {path: text for path, text in data.read().items() if not path.startswith(".refloat-")}


def test_a_refresh_is_seen_before_done_once_and_undone_by_a_restore(data: Data) -> None:
    mine = {"a": "1", "b": "2", "same": "mine\n", "version": "1\n"}
    data.write(mine)
    order = order_on(data)
    seen = data.vault.preview_refresh(data.sources, order)
    assert (seen.places, seen.counts, seen.changed, seen.open) == (("/defaults",), {"Updated": 1}, 1, ())
    data.vault.warm_copy(data.room, data.sources)
    assert data.vault.prepare_refresh(data.room, data.sources, order) == seen
    data.snapshot()
    assert configuration(data) == mine
    for _ in range(2):
        assert data.vault.refresh(data.room, data.sources, order).counts == seen.counts
        assert configuration(data) == {**mine, "version": "2\n"}
    data.vault.restore(data.room, data.sources)
    assert data.read() == mine


def test_a_draft_of_a_refresh_is_what_the_refresh_leaves(data: Data) -> None:
    mine = {"a": "1", "version": "1\n"}
    data.write(mine)
    order, draft = order_on(data), data.bench.name("draft")
    data.vault.prepare_refresh(data.room, data.sources, order)
    for _ in range(2):
        drafted = data.vault.draft_refresh(data.room, data.sources, order, {"/defaults": draft})
    assert (data.read(draft), data.read()) == ({"a": "1", "b": "2", "version": "2\n"}, {**mine, "b": "2"})
    data.bench.engine.remove_container(data.holder(draft))
    data.bench.engine.remove_volume(draft)
    data.snapshot()
    assert data.vault.refresh(data.room, data.sources, order).outcomes == drafted


def test_an_open_conflict_refreshes_nothing_and_a_policy_settles_it(data: Data) -> None:
    data.write({"version": "mine\n"})
    order = order_on(data)
    assert [question.path for question in data.vault.prepare_refresh(data.room, data.sources, order).open] == [
        "/defaults/version"
    ]
    data.snapshot()
    with pytest.raises(VaultError) as unanswered:
        data.vault.refresh(data.room, data.sources, order)
    assert unanswered.value.code == "refresh-unanswered"
    assert configuration(data)["version"] == "mine\n"
    data.vault.refresh(data.room, data.sources, order_on(data, Conflict.INSTALL))
    assert configuration(data)["version"] == "2\n"


def test_what_has_no_defaults_in_the_images_is_no_place_to_refresh(data: Data) -> None:
    nowhere = ConfigPlace(key="d0", path="/nowhere")
    order = order_on(data).model_copy(update={"places": (nowhere,)})
    assert data.vault.preview_refresh(data.sources, order).places == ()


def test_a_clone_can_be_written_and_the_snapshot_stays(data: Data) -> None:
    data.snapshot()
    clone = data.bench.name("clone")
    data.vault.clone(data.room, {"d0": clone}, data.bench.labels)
    holder = data.holder(clone)
    data.bench.engine.write_archive(holder, "/data", packed({"a": "tried"}))
    assert data.read(clone) == {"a": "tried", "b": "2"}
    data.bench.engine.remove_container(holder)
    for _ in range(2):
        data.vault.drop_clone(data.room, {"d0": clone})
    assert clone not in [each.name for each in data.bench.engine.volumes(data.bench.labels)]
    assert data.read() == {"a": "1", "b": "2"}
    data.vault.verify(data.room)


def test_what_is_only_read_is_copied_into_a_volume_of_its_own(data: Data) -> None:
    copy = data.bench.name("copy")
    (done,) = data.vault.duplicate(data.room.run, data.sources, {"d0": copy}, data.bench.labels)
    assert (done.key, done.copied, done.is_file) == ("d0", True, False)
    assert data.read(copy) == data.read()
    data.bench.engine.write_archive(data.holder(copy), "/data", packed({"a": "tried"}))
    assert data.read()["a"] == "1"


def test_a_discarded_room_is_gone_and_may_be_discarded_again(data: Data) -> None:
    data.snapshot()
    for _ in range(2):
        data.vault.discard(data.room)
    assert data.vault.rooms(data.room.place) == ()
    assert data.read() == {"a": "1", "b": "2"}


def test_tools_of_a_run_may_be_put_away_twice(data: Data) -> None:
    data.snapshot()
    for _ in range(2):
        data.vault.close(data.room.run)
    assert data.bench.engine.containers({"refloat.run": data.room.run}) == ()


def test_sources_are_measured(data: Data) -> None:
    measured, space = data.vault.measure(data.room.place, data.sources)
    assert [(each.key, each.entries > 0, each.size_bytes > 0) for each in measured] == [("d0", True, True)]
    assert min(space.free_bytes, space.free_inodes) > 0
