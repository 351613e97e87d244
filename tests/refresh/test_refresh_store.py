"""The defaults store: after a refresh the next one needs no old defaults, and a store is never half or mistaken."""

from __future__ import annotations

from pathlib import Path

import pytest

from runner.errors import UsageError
from runner.refresh.entries import Entry
from runner.refresh.look import Defaults, read_defaults
from runner.refresh.root import Root
from runner.refresh.store import read_store, stored_defaults, write_store
from tests.refresh.refresh_trees import grow, picture, refloat_refresh


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    grow(tmp_path / "one", {"f": ("1\n2\n3\n", 0o640), "d/": ("", 0o750), "l@": "/etc", "t": "###X###\n"})
    grow(tmp_path / "two", {"f": ("1\n2\n4\n", 0o640), "d/": ("", 0o755), "l@": "/usr", "t": "###X###\nmore\n"})
    grow(tmp_path / "tree", {"f": ("0\n2\n3\n", 0o640), "d/": ("", 0o750), "l@": "/etc", "t": "here\n"})
    return tmp_path


def arguments(folder: Path, new: str) -> list[str]:
    named = {"--new": folder / new, "--tree": folder / "tree", "--store": folder / "store", "--token": "###X###=here"}
    return [str(word) for pair in named.items() for word in pair]


def test_the_second_refresh_takes_its_old_defaults_from_the_store(folder: Path) -> None:
    first = refloat_refresh(*arguments(folder, "one"), "--old", folder / "one")
    assert first.status == 0, first.output
    second = refloat_refresh(*arguments(folder, "two"))
    lines = [line for line in second.output.splitlines() if line.startswith(" ")]
    assert sorted(lines) == [
        " * Merged         f",
        " * Permissions    0750 -> 0755 d",
        " * Updated        l",
        " * Updated        t",
    ]
    assert picture(folder / "tree")["f"] == ("file", 0o640, b"0\n2\n4\n")
    third = refloat_refresh(*arguments(folder, "two"))
    assert third.output.startswith("0 path(s) changed.")


def test_without_old_defaults_and_without_a_store_it_says_which_are_missing(folder: Path) -> None:
    done = refloat_refresh("--new", folder / "one", "--tree", folder / "tree")
    assert (done.status, "refresh-no-old" in done.output) == (2, True)
    done = refloat_refresh(*arguments(folder, "one"))
    assert (done.status, "nothing is kept there yet" in done.output) == (2, True)


def test_a_preview_and_a_refusal_keep_nothing(folder: Path) -> None:
    refloat_refresh(*arguments(folder, "two"), "--old", folder / "one", "--preview")
    (folder / "tree" / "f").write_text("all mine\n")
    refused = refloat_refresh(*arguments(folder, "two"), "--old", folder / "one", "--conflict", "abort")
    assert refused.status == 3
    assert not (folder / "store").exists()


def test_a_store_of_another_version_is_not_taken_for_this_one(folder: Path) -> None:
    keep(folder, "one", "1.0")
    assert stored_defaults(folder / "store", "1.0").modes["f"] == 0o640
    with pytest.raises(UsageError, match=r"keeps the defaults of version '1\.0', not of '2\.0'"):
        stored_defaults(folder / "store", "2.0")


def test_what_is_kept_can_be_read_by_its_owner_only(folder: Path) -> None:
    keep(folder, "one", "1.0")
    kinds = {path: seen[:2] for path, seen in picture(folder / "store" / "defaults").items()}
    assert kinds == {"f": ("file", 0o600), "t": ("file", 0o600), "d": ("dir", 0o700), "l": ("link", 0)}


def test_a_store_replaces_the_former_one_and_leaves_nothing_beside_it(folder: Path) -> None:
    before = sorted(path.name for path in folder.iterdir())
    for name in ("one", "two"):
        keep(folder, name, name)
    assert sorted(path.name for path in folder.iterdir()) == sorted([*before, "store"])
    assert stored_defaults(folder / "store", "two").modes["d"] == 0o755


def test_a_store_that_cannot_be_written_whole_leaves_nothing_beside_it(folder: Path) -> None:
    with Root(folder / "one") as root, pytest.raises(UsageError, match="cannot be used"):
        write_store(folder / "store", Defaults(root), read_defaults(Defaults(root)) | {"gone": read_one(folder)})
    assert not [*folder.glob("*store*")]


def test_a_store_interrupted_between_its_two_renames_is_found_again(folder: Path) -> None:
    keep(folder, "one", "1.0")
    (folder / "store").rename(folder / ".store.before")
    assert stored_defaults(folder / "store", "1.0")


def test_a_directory_with_something_else_in_it_is_never_made_a_store(folder: Path) -> None:
    before = picture(folder / "tree")
    with pytest.raises(UsageError, match="holds something else"):
        keep(folder, "one", "1.0", store="tree")
    assert picture(folder / "tree") == before


def test_a_store_that_cannot_be_one_is_refused_before_anything_is_touched(folder: Path) -> None:
    before = picture(folder)
    more = ["--old", str(folder / "one"), "--new", str(folder / "two"), "--tree", str(folder / "tree")]
    for store in (folder / "one", folder / "none" / "store", folder / "one" / "f"):
        done = refloat_refresh(*more, "--store", store, "--conflict", "install")
        assert (done.status, "refresh-no-store" in done.output) == (2, True)
    assert picture(folder) == before


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"format": 2}', '{"format": 1, "version": "", "modes": []}'])
def test_a_list_nobody_understands_says_so(folder: Path, text: str) -> None:
    grow(folder, {"store/store.json": text})
    with pytest.raises(UsageError, match="cannot be used"):
        read_store(folder / "store")


def read_one(folder: Path) -> Entry:
    with Root(folder / "one") as root:
        return read_defaults(Defaults(root))["f"]


def keep(folder: Path, name: str, version: str, store: str = "store") -> None:
    with Root(folder / name) as root:
        write_store(folder / store, Defaults(root), read_defaults(Defaults(root)), version)
