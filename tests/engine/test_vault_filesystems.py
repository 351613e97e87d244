"""The vault on filesystems that share blocks: copies cost nothing there, it says so, and all stays faithful."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from runner.engine.docker import connect_engine
from runner.vault.port import VaultPlace
from tests.engine.loop_disks import MIB, disk, used_bytes
from tests.engine.test_vault import ODD_FILES
from tests.engine.vault_bench import Bench, laid_out
from tests.pure.vault_bench import Bench as Trees

SIZE_BYTES = 320 * MIB


@pytest.fixture(params=["xfs", "btrfs"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Path]:
    with disk(tmp_path, request.param, SIZE_BYTES) as mounted:
        yield mounted


@pytest.fixture
def bench(place: Path, engine_host: str, leftovers: str) -> Iterator[Bench]:
    """A bench with its data, and its vault at a path, on the same filesystem."""
    with laid_out(connect_engine(engine_host), leftovers) as laid:
        yield on(laid, place)


def on(bench: Bench, place: Path) -> Bench:
    for name in ("data", "vault"):
        (place / name).mkdir()
    bench.use_data(bench.volume("here", {"type": "none", "device": f"{place}/data", "o": "bind"}))
    bench.place = VaultPlace(path=f"{place}/vault")
    return bench


def test_a_snapshot_shares_its_blocks_with_the_data_and_says_so(bench: Bench, place: Path) -> None:
    bench.shell(bench.data, f"{ODD_FILES}\nhead -c 100M /dev/urandom >big")
    before, used = bench.portrait(bench.data), used_bytes(place)
    room = bench.room()
    assert bench.vault.warm_copy(room, bench.sources).how == "reflink"
    bench.vault.cold_copy(room, bench.sources)
    bench.vault.seal(room, bench.sources, {})
    assert used_bytes(place) - used < 20 * MIB
    bench.shell(bench.data, "rm -rf plain sparse; echo other >>big; chmod 700 unreadable; touch added")
    bench.vault.restore(room, bench.sources)
    assert used_bytes(place) - used < 20 * MIB
    assert bench.portrait(bench.data) == before
    bench.vault.verify(room)


def test_random_damage_is_undone_in_every_respect_from_either_of_two_snapshots(bench: Bench) -> None:
    bench.python(bench.data, "grow(b'/v', random.Random(7), 60)")
    before = bench.portrait(bench.data)
    room = bench.snapshot()
    bench.python(bench.data, "damage(b'/v', random.Random(7), 40)")
    after = bench.portrait(bench.data)
    later = bench.room("r2")
    bench.vault.warm_copy(later, bench.sources)
    bench.vault.cold_copy(later, bench.sources)
    bench.vault.seal(later, bench.sources, {})
    bench.vault.restore(room, bench.sources)
    assert bench.portrait(bench.data) == before
    bench.vault.restore(later, bench.sources)
    assert bench.portrait(bench.data) == after


def test_a_clone_is_an_overlay_there_too_and_the_snapshot_stays(bench: Bench) -> None:
    bench.shell(bench.data, ODD_FILES)
    room = bench.snapshot()
    clone = bench.volume("clone")
    bench.engine.remove_volume(clone)
    assert bench.vault.clone(room, {"d0": clone}, {}) == "overlay"
    bench.shell(clone, "rm -r plain/hard empty; echo other >plain/file; mv sparse moved; echo 1 >added")
    bench.vault.verify(room)


def test_a_clone_that_has_to_be_copied_shares_its_blocks_and_says_so(place: Path) -> None:
    trees = Trees(place)
    (place / "sources/d0/big").write_bytes(random.Random(1).randbytes(5 * MIB))
    trees.snapshot()
    (place / "clone/d0").mkdir(parents=True)
    used = used_bytes(place)
    filled = trees.done("fill-clone", mounts=str(place / "clone"), names={"d0": "any"})
    assert filled == {"how": "reflink"}
    assert (place / "clone/d0/big").read_bytes() == (place / "sources/d0/big").read_bytes()
    assert used_bytes(place) - used < 2 * MIB


def test_data_from_another_filesystem_is_copied_and_not_called_shared(bench: Bench) -> None:
    elsewhere = bench.volume("elsewhere")
    bench.shell(elsewhere, "head -c 1M /dev/urandom >big")
    bench.use_data(elsewhere)
    assert bench.vault.warm_copy(bench.room(), bench.sources).how == "copy"
