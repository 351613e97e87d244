"""A snapshot that is not what was sealed is refused; every entry that is wrong is named, and how."""

from __future__ import annotations

import os
import random
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.pure.vault_bench import SOURCE, Bench, write
from tests.pure.vault_trees import portrait, rewrite_secretly, without_support


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


@pytest.mark.parametrize("piece", ["manifests/d0", "taken-from.json", "seal.json"])
def test_a_damaged_paper_of_the_seal_is_found_before_any_use(bench: Bench, piece: str) -> None:
    write(bench, "a", "1")
    bench.snapshot()
    path = bench.folder / "vault/t/r1" / piece
    path.write_bytes(path.read_bytes().replace(b"a", b"b", 1)[:-3])
    for op in ("sealed", "verify", "restore"):
        assert bench.refused(op) == "damaged"


def test_a_room_whose_note_is_damaged_is_listed_with_the_others_and_its_snapshot_stays_good(bench: Bench) -> None:
    write(bench, "a", "1")
    bench.snapshot()
    bench.snapshot("r2")
    (bench.folder / "vault/t/r1/room.json").write_text("")
    told = bench.done("rooms")["rooms"]
    assert isinstance(told, list)
    assert [(each["run"], each["made_at"] == "", each["sealed"]) for each in told] == [
        ("r2", False, True), ("r1", True, True),
    ]  # fmt: skip
    bench.done("verify")


def test_folders_of_others_in_the_vault_are_no_rooms_and_one_that_was_cut_off_early_is(bench: Bench) -> None:
    for name in ("photos/2019/may", "photos/empty", "t/r1/papers"):
        (bench.folder / "vault" / name).mkdir(parents=True)
    told = bench.done("rooms")["rooms"]
    assert isinstance(told, list)
    assert [(each["target"], each["run"]) for each in told] == [("t", "r1")]


def test_a_missing_manifest_or_tree_is_damage(bench: Bench) -> None:
    write(bench, "a", "1")
    bench.snapshot()
    (bench.folder / "vault/t/r1/data/d0").rename(bench.folder / "away")
    assert bench.refused("sealed") == "damaged"
    (bench.folder / "vault/t/r1/manifests/d0").unlink()
    assert bench.refused("sealed") == "damaged"


def test_verifying_hashes_every_file_again(bench: Bench) -> None:
    write(bench, "deep/er/file", "content")
    bench.snapshot()
    bench.done("verify")
    rewrite_secretly(bench.copy() + b"/deep/er/file", random.Random(2))
    bench.done("sealed")
    answer = bench.ask("verify")
    assert answer["trouble"] == {
        "code": "damaged", "what": "The snapshot of run r1 is damaged: deep/er/file of d0 has other content.",
    }  # fmt: skip


def test_a_seal_in_another_runs_room_is_foreign(bench: Bench) -> None:
    write(bench, "a", "1")
    bench.snapshot()
    (bench.folder / "vault/t/r1").rename(bench.folder / "vault/t/r2")
    assert bench.refused("sealed", "r2") == "foreign"
    assert bench.refused("restore", "r2") == "foreign"


def test_a_snapshot_is_not_restored_into_data_it_was_not_taken_of(bench: Bench) -> None:
    write(bench, "a", "1")
    bench.snapshot()
    assert bench.refused("restore", sources=[{**SOURCE, "volume": "other"}]) == "foreign"


def relink(path: Path) -> None:
    path.unlink()
    path.symlink_to("elsewhere")


def part(path: Path, twin: Path) -> None:
    """Make two files of one that had two names."""
    twin.unlink()
    shutil.copy2(path, twin)


DAMAGES: dict[str, tuple[str, Callable[[Path], object]]] = {
    "flip": ("a of d0 has other content", lambda tree: rewrite_secretly(bytes(tree / "a"), random.Random(3))),
    "miss": ("sub/b of d0 is missing", lambda tree: (tree / "sub/b").unlink()),
    "add": ("sub/new\\nline of d0 was added", lambda tree: (tree / "sub/new\nline").touch()),
    "mode": ("a of d0 has another mode", lambda tree: (tree / "a").chmod(0o606)),
    "time": ("a of d0 has another mode, owner, size or time", lambda tree: os.utime(tree / "a", ns=(0, 1))),
    "cut": ("a of d0 has another mode, owner, size or time", lambda tree: os.truncate(tree / "a", 1)),
    "link": ("link of d0", lambda tree: relink(tree / "link")),
    "unlinked": ("twin of d0", lambda tree: part(tree / "a", tree / "twin")),
    "folder time": ("sub of d0 has another mode, owner, size or time", lambda tree: os.utime(tree / "sub", ns=(0, 1))),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_every_kind_of_damage_is_named(bench: Bench, damage: str) -> None:
    said, do = DAMAGES[damage]
    first = write(bench, "a", "content")
    write(bench, "sub/b", "1")
    os.link(first, first.parent / "twin")
    (first.parent / "link").symlink_to("a")
    bench.snapshot()
    do(Path(os.fsdecode(bench.copy())))
    trouble = bench.ask("verify")["trouble"]
    assert isinstance(trouble, dict)
    assert trouble["code"] == "damaged"
    assert said in str(trouble["what"])
    assert "run r1" in str(trouble["what"])


@pytest.mark.parametrize("damage", sorted(DAMAGES.keys() & {"flip", "miss", "mode", "cut"}))
def test_what_is_damaged_is_never_put_back_and_the_data_stays_as_it_is(bench: Bench, damage: str) -> None:
    said, do = DAMAGES[damage]
    first = write(bench, "a", "content")
    second = write(bench, "sub/b", "1")
    os.link(first, first.parent / "twin")
    bench.snapshot()
    do(Path(os.fsdecode(bench.copy())))
    for path in (first, second):
        path.write_text("later")
    now = portrait(bench.source)
    trouble = bench.ask("restore")["trouble"]
    assert isinstance(trouble, dict)
    assert trouble["code"] == "damaged"
    assert f"{said.partition(' ')[0]} is not what was sealed" in str(trouble["what"])
    assert portrait(bench.source) == now


def test_other_attributes_of_a_sealed_file_are_named(bench: Bench) -> None:
    path = write(bench, "a", "1")
    with without_support():
        os.setxattr(path, "user.note", b"one")
    bench.snapshot()
    with without_support():
        os.setxattr(bench.copy() + b"/a", "user.note", b"two")
        assert "a of d0 has other attributes" in str(bench.ask("verify")["trouble"])


def test_of_many_damaged_files_some_are_named_and_the_rest_counted(bench: Bench) -> None:
    for number in range(8):
        write(bench, f"f{number}", "1")
    bench.snapshot()
    for number in range(8):
        (Path(os.fsdecode(bench.copy())) / f"f{number}").unlink()
    assert "f4 of d0 is missing; and 4 more." in str(bench.ask("verify")["trouble"])  # the folder's time is the last


def test_a_seal_that_is_cut_short_is_damage(bench: Bench) -> None:
    write(bench, "a", "1")
    bench.snapshot()
    (bench.folder / "vault/t/r1/seal.json").write_text('{"format": 1, "target": "t", "run": "r1"}')
    assert bench.refused("sealed") == "damaged"
