"""No space left at each stage, on small disks of their own: the old version runs, and what was cut off can go on."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.engine.loop_disks import MIB, disk
from tests.engine.upgrade_bench import UpgradeBench, go_on, laid_out
from tests.lab.engines import ENGINE_SH, Lab


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Path]:
    with disk(tmp_path, "ext4", 24 * MIB) as place:
        yield place


@pytest.fixture
def bench(small: Path, lab_images: str, tmp_path: Path) -> Iterator[UpgradeBench]:
    assert small.is_dir()
    with laid_out(Lab(ENGINE_SH.parent, lab_images), tmp_path) as bench:
        yield bench


def put(bench: UpgradeBench, volume: str, place: Path) -> Path:
    """Make a volume of the bench's in a folder of a disk."""
    folder = place / "volume"
    folder.mkdir()
    options = (f"device={folder}", "type=none", "o=bind")
    bench.lab.docker("volume", "create", *(f"--opt={each}" for each in options), volume)
    return folder


def fill(place: Path, *, leave_bytes: int = 0) -> Path:
    """Take all that is left of a disk, up to the last block."""
    ballast = place / "ballast"
    with ballast.open("wb", buffering=0) as file, contextlib.suppress(OSError):
        space = os.statvfs(place)
        os.posix_fallocate(file.fileno(), 0, space.f_bavail * space.f_frsize - leave_bytes)
    while not leave_bytes and not _is_full(place):
        pass
    return ballast


def _is_full(place: Path) -> bool:
    with (place / "ballast").open("ab", buffering=0) as file:
        try:
            return file.write(bytes(1024)) == 0
        except OSError:
            return True


def test_a_full_vault_while_the_bulk_is_copied_changes_nothing(bench: UpgradeBench, small: Path) -> None:
    put(bench, bench.vault, small)
    bench.run_target("always")
    bench.sh("head -c 3000000 /dev/urandom >/data/big")
    before, line = bench.read_data(), bench.apply_line("2.0")
    with bench.halted_at("meant warm-copy", *line) as running:
        ballast = fill(small, leave_bytes=MIB)
        ran = go_on(running)
    assert ran.status == 5, ran.told
    assert "no space left" in ran.out
    bench.assert_old(before)
    refused = bench.refloat(*line)
    assert refused.status == 3, refused.told
    assert "not in it yet" in refused.err
    ballast.unlink()
    done = bench.refloat(*line)
    assert done.status == 0, done.told


def test_a_vault_that_fills_up_before_the_rest_is_copied_turns_back(bench: UpgradeBench, small: Path) -> None:
    put(bench, bench.vault, small)
    bench.run_target("always")
    with bench.halted_at("did warm-copy", *bench.apply_line("2.0")) as running:
        bench.sh("head -c 3000000 /dev/urandom >/data/late")
        before = bench.read_data()
        fill(small)
        ran = go_on(running)
    assert ran.status == 5, ran.told
    assert "no space left" in ran.out
    bench.assert_old(before)


def test_a_vault_without_one_free_block_still_takes_a_seal_and_a_verdict(bench: UpgradeBench, small: Path) -> None:
    put(bench, bench.vault, small)
    bench.run_target("always")
    before = bench.read_data()
    with bench.halted_at("did stop-container", *bench.apply_line("2.0")) as running:
        fill(small)
        ran = go_on(running)
    assert ran.status == 0, ran.told
    bench.assert_new(before.tree, "2.0")


def test_data_that_does_not_fit_back_is_said_and_restored_once_there_is_room(bench: UpgradeBench, small: Path) -> None:
    folder = put(bench, bench.volume, small)
    bench.run_target("always")
    before = bench.read_data()
    with bench.halted_at("meant undo:restore-data", *bench.apply_line("migrates-then-crashes")) as running:
        (folder / "sub/random").unlink()
        ballast = fill(small)
        ran = go_on(running)
    assert ran.status == 6, ran.told
    assert "no space left" in ran.out
    assert "refloat recover" in ran.out
    ballast.unlink()
    recovered = bench.recover()
    assert recovered.status == 5, recovered.told
    bench.assert_old(before)


def test_a_file_is_restored_where_there_is_no_room_for_a_second_one(bench: UpgradeBench, small: Path) -> None:
    folder = put(bench, bench.volume, small)
    bench.run_target("always")
    bench.sh("head -c 14000000 /dev/urandom >/data/big")
    before = bench.read_data()
    with bench.halted_at("meant undo:restore-data", *bench.apply_line("migrates-then-crashes")) as running:
        with (folder / "big").open("r+b") as file:
            file.write(b"other")
        ran = go_on(running)
    assert ran.status == 5, ran.told
    bench.assert_old(before)
