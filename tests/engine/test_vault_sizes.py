"""The vault's program on 100,000 files in one folder and a file of 5 GiB; without an engine, in memory if it can be."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.pure.vault_bench import Bench

MEMORY = Path("/dev/shm")
ENOUGH_BYTES = 1 << 30
FILES = 100_000
BIG_BYTES = 5 << 30


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    quick = MEMORY.is_dir() and os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free > ENOUGH_BYTES
    with tempfile.TemporaryDirectory(dir=MEMORY if quick else tmp_path) as folder:
        yield Bench(Path(folder))


def test_a_hundred_thousand_files_in_one_folder(bench: Bench) -> None:
    folder = Path(os.fsdecode(bench.source)) / "many"
    folder.mkdir()
    for number in range(FILES):
        os.mknod(folder / str(number))
    bench.snapshot_of_old_files("r1")
    (folder / "1").unlink()
    (folder / "2").write_text("changed")
    (folder / "more").touch()
    restored = bench.done("restore")
    assert (restored["copied_entries"], restored["removed"]) == (3, ["many/more"])
    assert {path.name for path in folder.iterdir()} == set(map(str, range(FILES)))
    assert (folder / "2").stat().st_size == 0


def test_a_file_of_five_gibibytes_with_a_hole(bench: Bench) -> None:
    path = Path(os.fsdecode(bench.source)) / "big"
    with path.open("wb") as file:
        file.write(b"begin")
        file.seek(BIG_BYTES - 4)
        file.write(b"done")
    bench.snapshot_of_old_files("r1")
    os.truncate(path, BIG_BYTES - 4)
    bench.done("restore")
    seen = path.stat()
    assert (seen.st_size, seen.st_blocks * 512 < 1 << 20) == (BIG_BYTES, True)
    with path.open("rb") as file:
        ends = [file.read(5), file.seek(-4, os.SEEK_END), file.read()]
    assert ends == [b"begin", BIG_BYTES - 4, b"done"]
