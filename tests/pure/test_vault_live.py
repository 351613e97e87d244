"""A source that is written to all the time: the warm pass takes what it gets, the cold pass gets it all."""

from __future__ import annotations

import mmap
import os
import random
import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from vaultwork import warming

from tests.pure.vault_bench import Bench
from tests.pure.vault_trees import damage, entries_of, grow, portrait


@contextmanager
def meanwhile(work: Callable[[], None]) -> Iterator[None]:
    """Do something over and over in another thread."""
    enough = threading.Event()

    def again_and_again() -> None:
        while not enough.wait(0.002):
            work()

    thread = threading.Thread(target=again_and_again)
    thread.start()
    try:
        yield
    finally:
        enough.set()
        thread.join()


@pytest.mark.parametrize("seed", range(4))
def test_whatever_happens_during_the_warm_pass_the_cold_copy_is_equal(tmp_path: Path, seed: int) -> None:
    bench, dice = Bench(tmp_path), random.Random(seed)
    grow(bench.source, dice, 60)

    def unrest() -> None:
        damage(bench.source, dice, 3)
        grow(bench.source, dice, 1 if len(entries_of(bench.source)) < 100 else 0)

    with meanwhile(unrest):
        bench.done("warm-copy")
    with meanwhile(unrest):
        bench.done("warm-copy")
    bench.done("cold-copy")
    bench.done("seal")
    assert portrait(bench.copy()) == portrait(bench.source)
    bench.done("verify")
    with meanwhile(unrest):
        bench.done("warm-copy", "r2")
    bench.done("cold-copy", "r2")
    bench.done("seal", "r2")
    assert portrait(bench.copy("r2")) == portrait(bench.source)
    bench.done("verify")


def test_a_warm_copy_is_made_of_what_is_left_where_all_vanishes_meanwhile(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = Bench(tmp_path)
    folder = Path(os.fsdecode(bench.source)) / "folder"
    folder.mkdir()
    (folder / "file").write_text("text")
    vanishing = tmp_path / "bin/sync"  # the vault is flushed once all is copied
    vanishing.parent.mkdir()
    vanishing.write_text(f'#!/bin/sh\ncase "$2" in */vault/*) rm -r {folder}; echo a file >{folder};; esac\n')
    vanishing.chmod(0o755)
    with monkeypatch.context() as patch:
        patch.setenv("PATH", str(vanishing.parent), prepend=os.pathsep)
        bench.done("warm-copy")
    assert folder.is_file()
    bench.snapshot()
    assert portrait(bench.copy()) == portrait(bench.source)


@pytest.mark.parametrize(("program", "over", "asked"), [("sync", "/vault/", "warm-copy"), ("find", "", "measure")])
def test_a_file_that_becomes_a_fifo_after_it_was_seen_keeps_nobody_waiting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, program: str, over: str, asked: str
) -> None:
    bench = Bench(tmp_path)
    only = Path(os.fsdecode(bench.source)) / "file"
    only.write_text("text")
    between = tmp_path / f"bin/{program}"  # it runs after the look and before the trial of shared blocks
    between.parent.mkdir()
    swap = f'case "$*" in *{over}*) rm -f {only}; mkfifo {only};; esac'
    between.write_text(f'#!/bin/sh\n{shutil.which(program)} "$@"\n{swap}\n')
    between.chmod(0o755)
    with monkeypatch.context() as patch:
        patch.setenv("PATH", str(between.parent), prepend=os.pathsep)
        bench.done(asked)
    assert only.is_fifo()


def test_a_copy_that_waits_at_a_fifo_is_given_up_and_made_otherwise(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = Bench(tmp_path)
    grow(bench.source, random.Random(1), 30)
    os.mkfifo(tmp_path / "fifo")
    stuck = tmp_path / "bin/cp"  # as if a file had become a FIFO between its look and its opening
    stuck.parent.mkdir()
    stuck.write_text(f'#!/bin/sh\n{shutil.which("cp")} "$@"\nread line <{tmp_path}/fifo\n')
    stuck.chmod(0o755)
    with monkeypatch.context() as patch:
        patch.setenv("PATH", str(stuck.parent), prepend=os.pathsep)
        patch.setattr(warming, "LOOK_S", 0.05)
        patch.setattr(warming, "STILL_S", 0.2)
        bench.done("warm-copy")
    bench.done("cold-copy")
    bench.done("seal")
    assert portrait(bench.copy()) == portrait(bench.source)


def test_a_cold_copy_of_a_source_that_never_rests_says_what_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = Bench(tmp_path)
    log = Path(os.fsdecode(bench.source)) / "log"
    log.write_text("line\n")
    bench.done("warm-copy")
    restless = tmp_path / "bin/find"  # whenever somebody looks, something was just written
    restless.parent.mkdir()
    restless.write_text(f'#!/bin/sh\necho line >>{log}\nexec {shutil.which("find")} "$@"\n')
    restless.chmod(0o755)
    with monkeypatch.context() as patch:
        patch.setenv("PATH", str(restless.parent), prepend=os.pathsep)
        answer = bench.ask("cold-copy")
    assert answer["trouble"] == {"code": "copy-failed", "what": "Somebody still writes to the data: log."}
    bench.snapshot()


def test_writes_through_a_memory_map_that_stays_open_reach_the_next_snapshot(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    path = Path(os.fsdecode(bench.source)) / "mapped"
    path.write_bytes(bytes(4096))
    with path.open("r+b") as file, mmap.mmap(file.fileno(), 4096) as pages:
        pages[0:3] = b"one"
        bench.snapshot()
        assert bench.copy_of("mapped")[:3] == b"one"
        pages[0:3] = b"two"  # the page is dirty already: this moves no timestamp
        bench.snapshot("r2")
        assert bench.copy_of("mapped", "r2")[:3] == b"two"
    bench.done("verify")
