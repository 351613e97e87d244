"""What the vault's program says became of a source: every file that is another one, and none that is only elsewhere."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.pure.vault_bench import Bench

Told = set[tuple[str, str, int, int]]


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    bench = Bench(tmp_path)
    for name, text in {"same": "1", "grows": "22", "goes": "333", "secret": "4444", "sub/deep": "5"}.items():
        path = data(bench, name)
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    bench.snapshot()
    return bench


def data(bench: Bench, name: str) -> Path:
    return Path(os.fsdecode(bench.source)) / name


def told(bench: Bench) -> Told:
    answer = bench.done("changes")["sources"]
    assert isinstance(answer, list)
    files = answer[0]["biggest"]
    counts = {kind: sum(file["kind"] == kind for file in files) for kind in ("added", "changed", "deleted")}
    assert counts == {kind: answer[0][kind] for kind in counts}
    return {(file["kind"], file["path"], file["before_bytes"], file["after_bytes"]) for file in files}


def test_untouched_data_has_no_changes(bench: Bench) -> None:
    assert told(bench) == set()


def test_every_file_that_is_another_one_is_told_with_its_sizes(bench: Bench) -> None:
    data(bench, "grows").write_text("22222")
    data(bench, "goes").unlink()
    data(bench, "sub/new").write_text("666666")
    data(bench, "folder").mkdir()
    assert told(bench) == {
        ("changed", "grows", 2, 5), ("deleted", "goes", 3, 0), ("added", "sub/new", 0, 6),
    }  # fmt: skip


def test_a_content_that_changed_under_the_same_size_and_time_is_told(bench: Bench) -> None:
    path = data(bench, "secret")
    seen = path.stat()
    with path.open("r+b") as file:
        file.write(b"hush")
    os.utime(path, ns=(seen.st_atime_ns, seen.st_mtime_ns))
    assert told(bench) == {("changed", "secret", 4, 4)}


def test_a_file_that_was_only_opened_or_linked_is_not_told(bench: Bench) -> None:
    data(bench, "same").chmod(data(bench, "same").stat().st_mode)
    os.link(data(bench, "grows"), data(bench, "again"))
    assert told(bench) == {("added", "again", 0, 2)}


def test_a_file_that_became_a_folder_is_told(bench: Bench) -> None:
    data(bench, "goes").unlink()
    data(bench, "goes").mkdir()
    assert told(bench) == {("deleted", "goes", 3, 0)}


def test_an_odd_name_is_told_as_well_as_text_can(bench: Bench) -> None:
    Path(os.fsdecode(bench.source + b"/\xff\n")).write_text("7")
    assert {(kind, after) for kind, _, _, after in told(bench)} == {("added", 1)}


def test_without_a_seal_nothing_can_be_told(bench: Bench) -> None:
    assert bench.refused("changes", "r2") == "unsealed"
