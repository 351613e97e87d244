"""How fast snapshots are made, made again, cloned and restored, beside a plain cp -a; it knows nothing of tables."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from benchmarks.ground import Ground
from benchmarks.loads import CHANGED_EVERY, Load
from runner.engine.docker import connect_engine
from runner.vault.port import Copied, Room, Source, VaultPlace
from runner.vault.vault import DockerVault


@dataclass(frozen=True)
class Copies:
    """Seconds for each, on one load; a snapshot is copied, hashed, verified and sealed, and starts its container."""

    cp_s: float
    cp_and_sync_s: float
    unflushed_copy_s: float
    """The warm pass until all is copied and hashed, as cp leaves it; its container is up by then, as in a run."""
    first_copy_s: float
    """The same until it is on the disk."""
    first_snapshot_s: float
    second_snapshot_s: float
    clone_s: float
    restore_s: float


def measure_copies(ground: Ground, load: Load) -> Copies:
    """All of it once, on a vault that is new."""
    try:
        return _measured(ground, load)
    finally:
        ground.empty("/spare")
        ground.drop_vault()


def _measured(ground: Ground, load: Load) -> Copies:
    vault = DockerVault(connect_engine())
    place = VaultPlace(volume=ground.vault)
    first, second = (Room(place=place, target="bench", run=f"{ground.mark}-{each}") for each in ("r1", "r2"))
    sources = (Source(key="d0", volume=ground.data, destination="/data"),)
    clones = {"d0": f"{ground.mark}-clone"}
    try:
        cp_s = ground.work_itself("cp", "-a", "/data/.", "/spare")
        sync_s = ground.work_itself("sync", "--file-system", "/spare")
        whole_s, copied = _snapshot(vault, first, sources)
        ground.work(*load.writing(every=CHANGED_EVERY))
        second_s, _ = _snapshot(vault, second, sources)
        clone_s = _seconds(lambda: vault.clone(second, clones, {}))
        vault.drop_clone(second, clones)
        ground.empty("/data")
        restore_s = _seconds(lambda: vault.restore(second, sources))
    finally:
        vault.close(first.run)
        vault.close(second.run)
    unflushed_s = copied.seconds - copied.flush_s
    return Copies(cp_s, cp_s + sync_s, unflushed_s, copied.seconds, whole_s, second_s, clone_s, restore_s)


def _snapshot(vault: DockerVault, room: Room, sources: tuple[Source, ...]) -> tuple[float, Copied]:
    """Seconds of all of it, and what the warm pass said of itself."""
    begun = time.monotonic()
    copied = vault.warm_copy(room, sources)
    vault.cold_copy(room, sources)
    vault.seal(room, sources, {"image": "sha256:1"})
    return time.monotonic() - begun, copied


def _seconds(do: Callable[[], object]) -> float:
    begun = time.monotonic()
    do()
    return time.monotonic() - begun
