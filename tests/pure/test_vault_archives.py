"""A sealed snapshot as a tar stream: it comes back equal in every respect, and what is not whole is refused by name."""

from __future__ import annotations

import os
import random
import stat
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import given
from vaultwork.checking import check_stream, nanoseconds_in_tar
from vaultwork.listing import nanoseconds
from vaultwork.packing import Flow, packed
from vaultwork.rooms import Room
from vaultwork.sealing import SourceTold, sealed
from vaultwork.trouble import Trouble
from vaultwork.unpacking import bring_in, head_of

from tests.pure.test_vault_copies import FEW, SEEDS
from tests.pure.vault_bench import Bench
from tests.pure.vault_trees import grow, portrait

MINE: SourceTold = {"key": "d0", "volume": "other", "path": "", "destination": "/data"}


class Archive:
    """One archive of a bench, as a plain file."""

    def __init__(self, bench: Bench) -> None:
        bench.snapshot()
        self.vault = bench.folder / "vault"
        self.path = bench.folder / "archive.tar"
        room = Room(self.vault, "t", "r1")
        with packed(room, sealed(room)) as flow, self.path.open("wb") as file:
            while chunk := flow.stream.read(1 << 20):
                file.write(chunk)
            flow.finish()

    @contextmanager
    def opened(self) -> Iterator[Flow]:
        with self.path.open("rb") as file:
            yield Flow(file, lambda: None)

    def check(self) -> None:
        head = head_of(self.opened)
        with self.opened() as flow:
            check_stream(flow.stream, head)

    def bring_in(self, run: str = "in", told: SourceTold = MINE) -> bytes:
        """Make a room of it; its tree."""
        room = Room(self.vault, "mine", run)
        bring_in(room, self.opened, [told])
        assert sealed(room)["sources"] == [told]
        return room.tree(told["key"])


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def in_source(bench: Bench, name: str) -> Path:
    return Path(os.fsdecode(bench.source), name)


def refused(work: Callable[[], object]) -> tuple[str, str]:
    with pytest.raises(Trouble) as trouble:
        work()
    return trouble.value.code, trouble.value.what


@FEW
@given(seed=SEEDS)
def test_any_tree_comes_back_equal_in_every_respect(seed: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        bench, dice = Bench(Path(folder)), random.Random(seed)
        grow(bench.source, dice, 60)
        archive = Archive(bench)
        archive.check()
        assert portrait(archive.bring_in()) == portrait(bench.source)


def test_holes_stay_holes(bench: Bench) -> None:
    with in_source(bench, "big").open("wb") as file:
        file.seek(64 << 20)
        file.write(b"end")
    archive = Archive(bench)
    archive.check()
    assert archive.path.stat().st_size < 1 << 20
    assert Path(os.fsdecode(archive.bring_in()), "big").stat().st_blocks < 2048


def test_what_was_brought_in_goes_back_to_the_data_and_trusts_no_ctime_of_another_place(bench: Bench) -> None:
    in_source(bench, "a").write_text("1")
    before = portrait(bench.source)
    bench.snapshot_of_old_files("r1")
    archive = Archive(bench)
    archive.bring_in()
    in_source(bench, "b").write_text("2")
    bench.done("restore", "in", target="mine", sources=[MINE])
    assert portrait(bench.source) == before


@pytest.mark.parametrize("where", [0.3, 0.6, 0.99])
def test_the_beginning_of_an_archive_is_none(bench: Bench, where: float) -> None:
    for number in range(40):
        in_source(bench, f"f{number}").write_bytes(os.urandom(5000))
    archive = Archive(bench)
    os.truncate(archive.path, int(archive.path.stat().st_size * where) - 9000)
    assert refused(archive.check)[0] == "damaged"
    assert refused(archive.bring_in)[0] == "damaged"
    assert not (archive.vault / "mine/in/seal.json").exists()


def test_a_changed_byte_is_named(bench: Bench) -> None:
    in_source(bench, "ledger").write_text("balance: 100000\n" * 100)
    archive = Archive(bench)
    archive.path.write_bytes(archive.path.read_bytes().replace(b"balance: 100000\n", b"balance: 900000\n", 1))
    for work in (archive.check, archive.bring_in):
        code, what = refused(work)
        assert (code, "ledger" in what) == ("damaged", True)


def test_other_papers_than_the_sealed_ones_are_seen(bench: Bench) -> None:
    archive = Archive(bench)
    archive.path.write_bytes(archive.path.read_bytes().replace(b"sha256:1", b"sha256:2", 1))
    assert refused(archive.check) == ("damaged", "It is not what was sealed: its manifests have another digest.")


def test_any_other_file_is_no_archive(bench: Bench) -> None:
    archive = Archive(bench)
    archive.path.write_bytes(b"something else entirely" * 1000)
    assert refused(archive.check)[0] == "damaged"


def test_data_of_other_mounts_is_foreign_by_name(bench: Bench) -> None:
    archive = Archive(bench)
    told: SourceTold = {"key": "d0", "volume": "other", "path": "", "destination": "/elsewhere"}
    code, what = refused(lambda: archive.bring_in(told=told))
    assert (code, "/data" in what, "/elsewhere" in what) == ("foreign", True, True)


def test_a_tree_takes_the_key_of_the_mount_it_is_for(bench: Bench) -> None:
    in_source(bench, "a").write_text("1")
    tree = Archive(bench).bring_in(told={"key": "d7", "volume": "v", "path": "", "destination": "/data"})
    assert tree.endswith(b"/d7")
    assert Path(os.fsdecode(tree), "a").read_text() == "1"


@pytest.mark.parametrize(
    ("in_tar", "found", "ns"),
    [("5", b"5.0000000000", 5 * 10**9), ("-1", b"-1.0000000000", -(10**9)), ("-0.25", b"-1.7500000000", -250_000_000),
     ("1000000000.1234567890", b"1000000000.1234567890", 1_000_000_000_123_456_789)],
)  # fmt: skip
def test_times_are_exact_as_tar_writes_them_and_as_find_does(in_tar: str, found: bytes, ns: int) -> None:
    assert (nanoseconds_in_tar(in_tar), nanoseconds(found)) == (ns, ns)


def test_what_is_older_than_1970_comes_back_with_its_time(bench: Bench) -> None:
    for name in ("file", "socket"):
        path = in_source(bench, name)
        path.touch() if name == "file" else os.mknod(path, stat.S_IFSOCK | 0o600)
        os.utime(path, ns=(0, -500_000_000))
    archive = Archive(bench)
    archive.check()
    assert portrait(archive.bring_in()) == portrait(bench.source)
