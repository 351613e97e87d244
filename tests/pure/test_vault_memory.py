"""What only the memory vault can show: it is torn on order and outlives its runner."""

from __future__ import annotations

import pytest

from runner.engine.memory import Fault, MemoryEngine, RunnerDied
from runner.vault.memory import MemoryVault
from runner.vault.port import Room, Source, VaultError, VaultPlace, VaultPort

ROOM = Room(target="app", run="r1")
SOURCES = (Source(key="d0", volume="data", destination="/data"), Source(key="d1", path="/srv/x", destination="/x"))


def machine() -> MemoryEngine:
    engine = MemoryEngine()
    engine.world.add_volume("data")
    engine.data["data"] = {"a": "1", "b": "2"}
    engine.data["/srv/x"] = {"c": "3"}
    return engine


def sealed(engine: MemoryEngine) -> VaultPort:
    vault: VaultPort = MemoryVault(engine)
    vault.write_papers(ROOM, {"plan.json": "{}"})
    vault.warm_copy(ROOM, SOURCES)
    vault.cold_copy(ROOM, SOURCES)
    vault.seal(ROOM, SOURCES, {})
    return vault


def test_a_restore_makes_the_data_equal_to_the_snapshot() -> None:
    engine = machine()
    vault = sealed(engine)
    engine.data["data"] = {"a": "changed", "new": "x"}
    vault.restore(ROOM, SOURCES)
    assert engine.data["data"] == {"a": "1", "b": "2"}
    assert vault.rooms(VaultPlace())[0].sealed


def test_the_room_outlives_the_runner() -> None:
    engine = machine()
    sealed(engine)
    assert MemoryVault(engine).sealed(ROOM).entries == 3
    assert MemoryVault(engine).read_papers(ROOM) == {"plan.json": "{}"}


def test_a_torn_copy_is_half_there_and_not_sealed() -> None:
    engine = machine()
    vault = MemoryVault(engine)
    engine.faults = lambda name, _: Fault.TORN if name == "vault.cold_copy" else None
    with pytest.raises(RunnerDied):
        vault.cold_copy(ROOM, SOURCES)
    with pytest.raises(VaultError) as unsealed:
        vault.sealed(ROOM)
    assert unsealed.value.code == "unsealed"
    assert engine.data["refloat-vault"]["app/r1/data/d0/a"] == "1"
    assert "app/r1/data/d0/b" not in engine.data["refloat-vault"]


def test_a_torn_restore_can_be_finished() -> None:
    engine = machine()
    vault = sealed(engine)
    engine.data["data"] = {"a": "x", "b": "y"}
    engine.faults = lambda *_: Fault.TORN
    with pytest.raises(RunnerDied):
        vault.restore(ROOM, SOURCES)
    assert engine.data["data"] == {"a": "1", "b": "y"}
    engine.faults = None
    vault.restore(ROOM, SOURCES)
    assert engine.data["data"] == {"a": "1", "b": "2"}


def test_a_torn_seal_is_no_seal() -> None:
    engine = machine()
    vault = MemoryVault(engine)
    vault.cold_copy(ROOM, SOURCES)
    engine.faults = lambda *_: Fault.TORN
    with pytest.raises(RunnerDied):
        vault.seal(ROOM, SOURCES, {})
    engine.faults = None
    assert not vault.rooms(VaultPlace())[0].sealed


def test_a_damaged_snapshot_is_never_restored() -> None:
    engine = machine()
    vault = sealed(engine)
    engine.data["refloat-vault"]["app/r1/data/d0/a"] = "rotten"
    with pytest.raises(VaultError) as damaged:
        vault.restore(ROOM, SOURCES)
    assert damaged.value.code == "damaged"
    assert engine.data["data"] == {"a": "1", "b": "2"}
