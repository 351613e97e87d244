"""The vault's program on trees in a temporary folder: copies, seals and restores are equal in every respect."""

from __future__ import annotations

import os
import random
import shutil
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from vaultwork import glance

from tests.pure.vault_bench import SOURCE, Bench, write
from tests.pure.vault_trees import damage, grow, portrait, rewrite_secretly

SEEDS = st.integers(0, 10**9)
COARSE_S = 0.012  # less than passes between the passes
FEW = settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True, database=None)


@pytest.fixture
def bench(tmp_path: Path, request: pytest.FixtureRequest) -> Bench:
    return Bench(tmp_path, forgets=getattr(request, "param", False))


either = pytest.mark.parametrize("bench", [False, True], ids=["in one process", "in several"], indirect=True)


def fresh_bench(parent: Path, *, forgets: bool) -> Bench:
    return Bench(Path(tempfile.mkdtemp(dir=parent)), forgets=forgets)


@FEW
@given(seed=SEEDS, aged=st.booleans(), forgets=st.booleans())
def test_a_random_tree_damaged_at_random_is_restored_in_every_respect(
    tmp_path_factory: pytest.TempPathFactory, seed: int, aged: bool, forgets: bool
) -> None:
    bench, dice = fresh_bench(tmp_path_factory.getbasetemp(), forgets=forgets), random.Random(seed)
    grow(bench.source, dice, 30)
    before = portrait(bench.source)
    bench.done("warm-copy")
    if aged:
        bench.let_time_pass()
    bench.done("cold-copy")
    if aged:
        bench.let_time_pass()
    bench.done("seal")
    assert portrait(bench.copy()) == before
    damage(bench.source, dice, 15)
    bench.done("restore")
    assert portrait(bench.source) == before
    assert bench.done("restore")["copied_entries"] == 0
    bench.done("verify")


@FEW
@given(seed=SEEDS, forgets=st.booleans(), slack_s=st.sampled_from([COARSE_S, glance.SLACK_S]))
def test_the_cold_copy_catches_whatever_changed_since_the_warm_one(
    tmp_path_factory: pytest.TempPathFactory, seed: int, forgets: bool, slack_s: float
) -> None:
    bench, dice = fresh_bench(tmp_path_factory.getbasetemp(), forgets=forgets), random.Random(seed)
    grow(bench.source, dice, 25)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(glance, "SLACK_S", slack_s)  # else all these files are young
        bench.done("warm-copy")
        bench.let_time_pass()
        damage(bench.source, dice, dice.choice([2, 15]))
        bench.done("cold-copy")
        bench.done("seal")
    assert portrait(bench.copy()) == portrait(bench.source)
    bench.done("verify")


@FEW
@given(seed=SEEDS, forgets=st.booleans())
def test_a_later_snapshot_shares_files_with_the_older_one_and_neither_spoils_the_other(
    tmp_path_factory: pytest.TempPathFactory, seed: int, forgets: bool
) -> None:
    bench, dice = fresh_bench(tmp_path_factory.getbasetemp(), forgets=forgets), random.Random(seed)
    grow(bench.source, dice, 25)
    bench.done("warm-copy")
    bench.done("cold-copy")
    bench.let_time_pass()
    bench.done("seal")
    older = portrait(bench.copy())
    damage(bench.source, dice, 6)
    assert bench.done("warm-copy", "r2")["how"] == "links"
    bench.let_time_pass("r2")
    damage(bench.source, dice, 6)
    bench.done("cold-copy", "r2")
    bench.done("seal", "r2")
    assert portrait(bench.copy()) == older
    assert portrait(bench.copy("r2")) == portrait(bench.source)
    bench.done("verify")
    bench.done("verify", "r2")
    bench.done("discard")
    bench.done("verify", "r2")
    bench.done("restore", "r2")


@either
def test_content_that_changed_behind_its_mtime_and_size_is_copied(bench: Bench) -> None:
    path = write(bench, "ledger", "old text")
    bench.done("warm-copy")
    bench.let_time_pass()
    rewrite_secretly(bytes(path), random.Random(1))
    assert bench.done("cold-copy")["copied_entries"] == 1
    bench.done("seal")
    assert portrait(bench.copy()) == portrait(bench.source)


@either
def test_only_what_changed_is_copied_while_the_service_is_down(bench: Bench) -> None:
    for number in range(50):
        write(bench, f"files/{number}", "x" * 100)
    bench.done("warm-copy")
    bench.let_time_pass()
    write(bench, "files/7", "other")
    done = bench.done("cold-copy")
    assert (done["copied_entries"], done["copied_bytes"]) == (1, 5)
    bench.let_time_pass()
    assert bench.done("cold-copy")["copied_entries"] == 0


@either
def test_a_file_too_young_to_be_sure_of_is_copied_again(bench: Bench) -> None:
    young = write(bench, "young", "1")
    bench.done("warm-copy")
    bench.settle(int(young.stat().st_ctime))
    assert bench.done("cold-copy")["copied_entries"] == 1


def test_unchanged_files_of_a_later_snapshot_cost_a_link(bench: Bench) -> None:
    kept, changed = write(bench, "kept", "1"), write(bench, "changed", "1")
    bench.done("warm-copy")
    bench.done("cold-copy")
    bench.let_time_pass()
    bench.done("seal")
    changed.write_text("2")
    bench.snapshot_of_old_files("r2")
    assert (bench.folder / "vault/t/r2/data/d0" / kept.name).stat().st_nlink == 2
    assert (bench.folder / "vault/t/r2/data/d0" / changed.name).stat().st_nlink == 1


@either
def test_a_changed_hard_link_stays_one_file_in_the_copy_and_after_restoring(bench: Bench) -> None:
    first = write(bench, "a", "1")
    (first.parent / "sub").mkdir()
    os.link(first, first.parent / "sub/b")
    bench.done("warm-copy")
    bench.let_time_pass()
    first.parent.joinpath("sub").rename(first.parent / "moved")
    bench.done("cold-copy")
    bench.done("seal")
    before = portrait(bench.source)
    assert portrait(bench.copy()) == before
    (first.parent / "moved/b").unlink()
    (first.parent / "moved/b").write_text("1")
    bench.done("restore")
    assert portrait(bench.source) == before


def test_a_link_planted_in_place_of_a_folder_is_never_followed_when_restoring(bench: Bench) -> None:
    write(bench, "sub/file", "mine")
    bench.snapshot()
    outside = bench.folder / "outside"
    outside.mkdir()
    (outside / "file").write_text("theirs")
    sub = Path(os.fsdecode(bench.source)) / "sub"
    (sub / "file").unlink()
    sub.rmdir()
    sub.symlink_to(outside)
    bench.done("restore")
    assert (outside / "file").read_text() == "theirs"
    assert (sub / "file").read_text() == "mine"
    assert not sub.is_symlink()


def test_a_sparse_file_stays_sparse(bench: Bench) -> None:
    path = Path(os.fsdecode(bench.source)) / "sparse"
    with path.open("wb") as file:
        file.truncate(1 << 26)
        file.seek(1 << 25)
        file.write(b"middle")
    bench.snapshot()
    assert (bench.folder / "vault/t/r1/data/d0/sparse").stat().st_blocks * 512 < 1 << 20
    path.unlink()
    bench.done("restore")
    assert path.stat().st_blocks * 512 < 1 << 20
    assert path.stat().st_size == 1 << 26


def test_a_source_that_is_one_file_is_copied_and_restored_in_place(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    path = Path(os.fsdecode(bench.source))
    path.rmdir()
    path.write_text("setting: 1\n")
    bench.snapshot()
    inode = path.stat().st_ino
    path.write_text("setting: 2\n")
    bench.snapshot("r2")
    bench.done("restore")
    assert (path.read_text(), path.stat().st_ino) == ("setting: 1\n", inode)
    bench.done("restore", "r2")
    assert path.read_text() == "setting: 2\n"
    bench.done("verify")


def test_a_source_that_is_one_file_and_changed_is_copied_into_a_later_snapshot(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    path = Path(os.fsdecode(bench.source))
    path.rmdir()
    path.write_text("setting: 1\n")
    bench.done("warm-copy")
    bench.done("cold-copy")
    bench.let_time_pass()
    bench.done("seal")
    path.write_text("setting: 2\n")
    bench.snapshot("r2")
    bench.done("restore")
    assert path.read_text() == "setting: 1\n"
    bench.done("restore", "r2")
    assert path.read_text() == "setting: 2\n"


def test_an_unfinished_copy_is_no_snapshot(bench: Bench) -> None:
    write(bench, "a", "1")
    assert bench.refused("sealed") == "unsealed"
    assert bench.refused("seal") == "unsealed"
    bench.done("warm-copy")
    assert bench.refused("sealed") == "unsealed"
    bench.done("cold-copy")
    for op in ("sealed", "verify", "restore"):
        assert bench.refused(op) == "unsealed"


@either
def test_data_that_changed_between_the_cold_copy_and_the_seal_is_not_sealed(bench: Bench) -> None:
    write(bench, "a", "1")
    bench.done("warm-copy")
    bench.done("cold-copy")
    write(bench, "b", "2")
    assert bench.refused("seal") == "copy-failed"
    assert bench.refused("sealed") == "unsealed"
    bench.done("cold-copy")
    bench.done("seal")


def test_a_sealed_snapshot_is_never_written_to_again(bench: Bench) -> None:
    write(bench, "a", "1")
    bench.snapshot()
    write(bench, "a", "2")
    assert bench.done("warm-copy")["copied_entries"] == 0
    assert bench.done("cold-copy")["copied_entries"] == 0
    assert bench.refused("seal") == "copy-failed"
    bench.done("restore")
    assert (Path(os.fsdecode(bench.source)) / "a").read_text() == "1"


def test_sealing_twice_gives_the_same_seal(bench: Bench) -> None:
    write(bench, "a", "1")
    bench.snapshot()
    assert bench.done("seal") == bench.done("sealed")


def test_a_restore_that_was_cut_off_is_finished_by_the_next(bench: Bench) -> None:
    write(bench, "a", "1")
    bench.snapshot()
    before = portrait(bench.source)
    write(bench, ".refloat-restoring/fresh", "half a file")
    write(bench, "a", "2")
    bench.done("restore")
    assert portrait(bench.source) == before


def test_a_copy_that_was_cut_off_is_begun_anew(bench: Bench) -> None:
    write(bench, "a", "1")
    (bench.folder / "vault/t/r1/data/d0").mkdir(parents=True)
    (bench.folder / "vault/t/r1/data/d0/torn").write_text("half")
    (bench.folder / "vault/t/r1/manifests").mkdir()
    (bench.folder / "vault/t/r1/manifests/d0.part").write_text("half")
    bench.snapshot()
    assert portrait(bench.copy()) == portrait(bench.source)


def test_a_cold_copy_alone_is_a_whole_copy(bench: Bench) -> None:
    grow(bench.source, random.Random(5), 20)
    bench.done("cold-copy")
    bench.done("seal")
    assert portrait(bench.copy()) == portrait(bench.source)


def test_several_sources_are_sealed_as_one_set(bench: Bench) -> None:
    (bench.folder / "sources/d1").mkdir()
    (bench.folder / "sources/d1/x").write_text("1")
    sources = [SOURCE, {"key": "d1", "volume": "", "path": "/srv/d1", "destination": "/etc/d1"}]
    for op in ("warm-copy", "cold-copy", "seal"):
        bench.done(op, sources=sources)
    (bench.folder / "sources/d1/x").write_text("2")
    bench.done("restore", sources=sources)
    assert (bench.folder / "sources/d1/x").read_text() == "1"


def test_papers_are_kept_as_they_are_and_rooms_are_listed_newest_first(bench: Bench) -> None:
    papers = {"plan.json": '{"a": "ü\\n"}', "facts.json": "x" * 300_000}
    bench.done("write-papers", papers=papers)
    bench.done("write-papers", "r2", papers={"plan.json": "2"})
    assert bench.done("read-papers")["papers"] == papers
    assert bench.done("read-papers", "r9")["papers"] == {}
    told = bench.done("rooms")["rooms"]
    assert isinstance(told, list)
    assert [(each["target"], each["run"], each["sealed"]) for each in told] == [("t", "r2", False), ("t", "r1", False)]


def test_bytes_that_two_snapshots_share_are_told_apart_from_their_own(bench: Bench) -> None:
    write(bench, "big", "x" * 100_000)
    bench.done("warm-copy")
    bench.done("cold-copy")
    bench.let_time_pass()
    bench.done("seal")
    bench.snapshot_of_old_files("r2")
    told = bench.done("rooms")["rooms"]
    assert isinstance(told, list)
    assert all(each["shared_bytes"] >= 100_000 > each["unique_bytes"] for each in told)


def test_discarding_takes_a_room_away_and_may_be_repeated(bench: Bench) -> None:
    write(bench, "a", "1")
    bench.snapshot()
    bench.done("discard")
    bench.done("discard")
    assert bench.done("rooms")["rooms"] == []
    assert bench.refused("sealed") == "unsealed"


def test_measuring_counts_entries_and_allocated_bytes(bench: Bench) -> None:
    write(bench, "sub/a", "x" * 8192)
    told = bench.done("measure")["measured"]
    assert isinstance(told, list)
    assert told[0]["entries"] == 3
    assert 8192 <= told[0]["size_bytes"] < 100_000


def test_measuring_says_what_a_snapshot_would_add(bench: Bench) -> None:
    write(bench, "sub/kept", "x" * 100_000)
    write(bench, "changed", "1")
    assert measured(bench)["new_bytes"] == measured(bench)["size_bytes"]
    assert measured(bench)["new_entries"] == 4
    bench.done("warm-copy")
    bench.done("cold-copy")
    bench.let_time_pass()
    bench.done("seal")
    write(bench, "changed", "2")
    now = measured(bench)
    assert now["new_bytes"] < 100_000 < now["size_bytes"]
    assert now["new_entries"] == 3


def measured(bench: Bench) -> dict[str, int]:
    told = bench.done("measure")["measured"]
    assert isinstance(told, list)
    return dict(told[0])


@pytest.mark.parametrize("name", ["", "..", "a/b", ".hidden"])
def test_a_name_that_is_no_folder_name_is_refused(bench: Bench, name: str) -> None:
    assert bench.refused("read-papers", name) == "bad-name"


@either
def test_a_folder_that_became_a_link_to_its_twin_is_one_in_the_copy(bench: Bench) -> None:
    for name in ("one/deep/file", "two/deep/file"):
        write(bench, name, name)
    bench.done("warm-copy")
    bench.let_time_pass()
    one = Path(os.fsdecode(bench.source), "one")
    shutil.rmtree(one)
    one.symlink_to("two")
    bench.done("cold-copy")
    bench.done("seal")
    assert portrait(bench.copy()) == portrait(bench.source)
    bench.done("verify")
