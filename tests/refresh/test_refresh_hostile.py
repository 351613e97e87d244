"""Trees made to harm: a refresh reads and writes nothing outside the tree, never waits, and never breaks a line."""

from __future__ import annotations

import os
import socket
from functools import partial
from pathlib import Path

import pytest

from runner.errors import Refused
from runner.refresh.choices import Conflict, answer_by_policy
from runner.refresh.report import Report
from runner.refresh.root import Root
from runner.refresh.run import Trees, preview, refresh
from tests.refresh.refresh_trees import Picture, Thing, grow, picture, refloat_refresh

INSTALL = partial(answer_by_policy, Conflict.INSTALL)
KEEPOLD = partial(answer_by_policy, Conflict.KEEPOLD)
GIB = 1024**3


@pytest.fixture
def trees(tmp_path: Path) -> Trees:
    for name in ("old", "new", "tree"):
        (tmp_path / name).mkdir()
    return Trees(tmp_path / "old", tmp_path / "new", tmp_path / "tree")


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    return grow(tmp_path / "outside", {"f": ("precious", 0o600), "d/g": "precious", "only here": "z"})


def lines(report: Report) -> list[str]:
    return [str(line) for line in report.settlement.lines]


def kinds(trees: Trees) -> dict[str, str]:
    return {path: seen[0] for path, seen in picture(trees.user).items()}


def untouched(outside: Path) -> Picture:
    return {
        "f": ("file", 0o600, b"precious"),
        "d": ("dir", (outside / "d").stat().st_mode & 0o7777, b""),
        "d/g": ("file", (outside / "d/g").stat().st_mode & 0o7777, b"precious"),
        "only here": ("file", (outside / "only here").stat().st_mode & 0o7777, b"z"),
    }


@pytest.mark.parametrize("asks", [INSTALL, KEEPOLD])
def test_a_directory_that_is_a_link_out_of_the_tree_is_never_entered(trees: Trees, outside: Path, asks: object) -> None:
    things: dict[str, Thing] = {"conf/f": "old", "conf/d/g": "old"}
    grow(trees.old, things)
    grow(trees.new, {"conf/f": ("new", 0o666), "conf/d/g": "new", "conf/added": "new", "conf/d2/more": "new"})
    (trees.user / "conf").symlink_to(outside)
    report = refresh(trees, asks)  # type: ignore[arg-type]  # either of the two policies above
    assert picture(outside) == untouched(outside)
    assert " ! Missing        conf/added (not installed: your conf is not a directory)" in lines(report)
    assert (trees.user / "conf").is_symlink()


@pytest.mark.parametrize("asks", [INSTALL, KEEPOLD])
def test_a_link_to_a_file_outside_is_replaced_or_kept_but_never_written_through(
    trees: Trees, outside: Path, asks: object
) -> None:
    grow(trees.old, {"f": "old", "gone": "old", "m": ("x", 0o600)})
    grow(trees.new, {"f": "new", "added": "new", "m": ("x", 0o666)})
    for name in ("f", "gone", "added", "m"):
        (trees.user / name).symlink_to(outside / "f")
    refresh(trees, asks)  # type: ignore[arg-type]  # either of the two policies above
    assert picture(outside) == untouched(outside)


def test_a_link_to_a_directory_outside_is_removed_without_what_it_leads_to(trees: Trees, outside: Path) -> None:
    grow(trees.old, {"gone/f": "precious"})
    (trees.user / "gone").symlink_to(outside)
    refresh(trees, INSTALL)
    assert picture(trees.user) == {}
    assert picture(outside) == untouched(outside)


def test_links_in_the_defaults_are_installed_as_links_and_never_read(trees: Trees, outside: Path) -> None:
    (trees.new / "secret").symlink_to(outside / "f")
    (trees.new / "dir").symlink_to(outside)
    (trees.new / "etc").symlink_to("/etc")
    refresh(trees, INSTALL)
    assert {path: seen[0] for path, seen in picture(trees.user).items()} == dict.fromkeys(
        ("secret", "dir", "etc"), "link"
    )


def test_loops_of_links_end(trees: Trees) -> None:
    grow(trees.old, {"a/f": "x", "self@": "self"})
    grow(trees.new, {"a/f": "y", "self@": "self", "b/up@": "..", "b/x@": "y", "b/y@": "x"})
    (trees.user / "a").symlink_to("a")
    refresh(trees, INSTALL)
    assert (trees.user / "b" / "up").readlink() == Path("..")
    assert lines(refresh(trees, INSTALL))


def test_fifos_and_sockets_are_never_opened(trees: Trees) -> None:
    grow(trees.old, {"f": "x", "gone": "x", "same": "x"})
    grow(trees.new, {"f": "y", "same": "x", "added": "y"})
    for name in ("f", "gone", "same", "added"):
        os.mkfifo(trees.user / name)
    kept = refresh(trees, KEEPOLD)
    assert {seen[0] for seen in picture(trees.user).values()} == {"special"}
    assert " * Keeping your special file f" in lines(kept)
    replaced = refresh(trees, INSTALL)
    assert " ! Delete your special file and created new default file f" in lines(replaced)
    assert {path: seen[0] for path, seen in picture(trees.user).items()} == {
        "f": "file",
        "same": "special",
        "added": "file",
    }


def test_special_files_among_the_defaults_are_said_and_left_out(trees: Trees, monkeypatch: pytest.MonkeyPatch) -> None:
    os.mkfifo(trees.new / "pipe")
    monkeypatch.chdir(trees.new)  # the path of a socket must be short
    with socket.socket(socket.AF_UNIX) as bound:
        bound.bind("socket")
    os.mkfifo(trees.old / "was a pipe")
    report = refresh(trees, INSTALL)
    said = " (defaults are files, directories and links only)"
    assert lines(report) == [f" ! Ignored        {name}{said}" for name in ("pipe", "socket")]
    assert picture(trees.user) == {}


def test_names_with_newlines_and_escapes_are_refreshed_and_said_on_one_line(trees: Trees) -> None:
    names = ["two\nlines", "\x1b[31mred", "tab\there", " * Updated        fake", "ümläut", "a\\b"]
    grow(trees.new, dict.fromkeys(names, "x"))
    done = refloat_refresh("--old", trees.old, "--new", trees.new, "--tree", trees.user)
    assert done.status == 0
    assert sorted(picture(trees.user)) == sorted(names)
    assert "two\\nlines" in done.output
    assert "\x1b" not in done.output
    assert len(done.output.splitlines()) == len(names) + 1


def test_names_that_are_no_utf_8_are_refreshed_and_reported(trees: Trees) -> None:
    name = os.fsdecode(b"caf\xe9")
    grow(trees.old, {name: "1\n2\n3\n"})
    grow(trees.user, {name: "0\n2\n3\n"})
    grow(trees.new, {name: "1\n2\n4\n"})
    for more in (["--preview", "--json"], ["--preview"], ["--json"]):
        assert refloat_refresh("--old", trees.old, "--new", trees.new, "--tree", trees.user, *more).status == 0
    assert picture(trees.user)[name][2] == b"0\n2\n4\n"


def test_a_huge_file_of_the_users_is_neither_read_nor_merged(trees: Trees) -> None:
    grow(trees.old, {"f": "x\n"})
    grow(trees.new, {"f": "y\n"})
    with (trees.user / "f").open("wb") as huge:
        huge.truncate(1024 * GIB)
    report = refresh(trees, KEEPOLD)
    assert lines(report) == [" * Keeping your   f"]
    assert (trees.user / "f").stat().st_size == 1024 * GIB


def test_huge_defaults_are_installed_piece_by_piece(trees: Trees) -> None:
    with (trees.new / "f").open("wb") as large:
        large.truncate(96 * 1024 * 1024)
    refresh(trees, INSTALL)
    assert (trees.user / "f").stat().st_size == 96 * 1024 * 1024


def test_directories_deeper_than_python_can_call_are_read_and_removed(trees: Trees) -> None:
    grow(trees.old, {"deep": "x"})
    with Root(trees.user) as root:
        fd = os.dup(root.fd)
        for name in ("deep", *("d" * 1200)):
            os.mkdir(name, dir_fd=fd)
            fd, above = os.open(name, os.O_RDONLY | os.O_DIRECTORY, dir_fd=fd), fd
            os.close(above)
        os.close(fd)
    report = refresh(trees, INSTALL)
    assert lines(report) == [" ! Removed        deep"]
    assert not list(trees.user.iterdir())


def test_our_own_folder_among_the_defaults_is_not_installed(trees: Trees) -> None:
    grow(trees.new, {".refloat-refresh/changes.json": "[]", "f": "x"})
    assert lines(refresh(trees, INSTALL)) == [" * Installed file f"]


def test_our_own_folder_as_a_link_is_not_followed(trees: Trees, outside: Path) -> None:
    grow(trees.new, {"f": "x"})
    (trees.user / ".refloat-refresh").symlink_to(outside)
    refresh(trees, INSTALL)
    assert picture(outside) == untouched(outside)


@pytest.mark.parametrize("path", ["", "..", "a/../b", "/etc/passwd", "a//b", "./a"])
def test_a_path_that_is_none_inside_a_tree_cannot_be_opened(tmp_path: Path, path: str) -> None:
    with Root(tmp_path) as root, pytest.raises(ValueError, match="not a path"), root.parent(path):
        pass


@pytest.mark.skipif(os.geteuid() == 0, reason="root can read everything")
def test_what_cannot_be_read_is_refused_before_anything_is_touched(trees: Trees) -> None:
    grow(trees.new, {"f": ("x", 0o000)})
    with pytest.raises(Refused, match="cannot be read") as refusal:
        preview(trees, INSTALL)
    assert refusal.value.code == "refresh-unreadable"
