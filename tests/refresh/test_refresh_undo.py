"""All or nothing: a refresh broken at any operation, by a kill or a full disk, ends before or after, never between."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import suppress
from functools import partial
from pathlib import Path

import pytest

from runner.errors import Busy, Refused, RolledBack, Stuck
from runner.refresh.apply import apply, tree_of_our_own
from runner.refresh.choices import Answer, Conflict, Question, answer_by_policy
from runner.refresh.look import Defaults
from runner.refresh.root import Root
from runner.refresh.run import Trees, preview, refresh
from runner.refresh.settlement import Settlement
from tests.refresh.refresh_trees import Thing, grow, picture

CRASHES = Path(__file__).with_name("refresh_crashes.py")
INSTALL = partial(answer_by_policy, Conflict.INSTALL)
OLD: dict[str, Thing] = {
    "upd": ("x", 0o644),
    "gone/f": "x",
    "mode": ("x", 0o644),
    "kind": "x",
    "d2l/": "",
    "m": "1\n2\n3\n",
    "l@": "a",
}
USER: dict[str, Thing] = {
    "upd": ("x", 0o644),
    "gone/f": "x",
    "gone/mine": "z",
    "mode": ("x", 0o644),
    "kind": "mine",
    "d2l/mine/deep": "z",
    "m": "0\n2\n3\n",
    "l@": "mine",
    "set": ("mine", 0o600),
}
NEW: dict[str, Thing] = {
    "upd": ("y", 0o640),
    "mode": ("x", 0o600),
    "kind/inner/f": ("y", 0o4711),
    "d2l@": "/etc",
    "m": "1\n2\n4\n",
    "l@": "b",
    "set": ("new", 0o644),
    "new/dir/f": "y",
}


@pytest.fixture
def trees(tmp_path: Path) -> Trees:
    for name, things in (("old", OLD), ("new", NEW), ("tree", USER)):
        grow(tmp_path / name, things)
    return Trees(tmp_path / "old", tmp_path / "new", tmp_path / "tree")


def settled(trees: Trees) -> Settlement:
    return preview(trees, INSTALL).settlement


@pytest.mark.parametrize("way", ["kill", "fail"])
def test_broken_at_any_operation_it_ends_before_or_after(trees: Trees, way: str) -> None:
    command = [sys.executable, str(CRASHES), str(trees.user.parent), way]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(CRASHES.parents[2]), *sys.path])}
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, env=environment, check=False)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) > 20


def test_nothing_of_ours_is_left_in_the_tree(trees: Trees) -> None:
    refresh(trees, INSTALL)
    assert sorted(picture(trees.user)) == sorted(picture(trees.new))


def test_a_path_that_cannot_be_changed_undoes_everything(trees: Trees) -> None:
    before = picture(trees.user)
    settlement = settled(trees)
    (trees.new / "new/dir/f").write_text("another")
    with Root(trees.user) as root, Root(trees.new) as new, pytest.raises(RolledBack, match="at new/dir/f: ") as failure:
        apply(root, Defaults(new), settlement)
    assert failure.value.code == "refresh-failed"
    assert picture(trees.user) == before


def test_a_tree_that_changed_meanwhile_is_not_touched(trees: Trees) -> None:
    def asks(question: Question) -> Answer:
        (trees.user / "upd").write_text("somebody wrote this")
        return INSTALL(question)

    with pytest.raises(Refused, match="upd changed while") as refusal:
        refresh(trees, asks)
    assert refusal.value.code == "refresh-tree-changed"
    assert (trees.user / "upd").read_text() == "somebody wrote this"
    assert not (trees.user / "new").exists()


def test_two_refreshes_of_one_tree_do_not_meet(trees: Trees) -> None:
    with Root(trees.user) as root, tree_of_our_own(root), pytest.raises(Busy):
        refresh(trees, INSTALL)


def test_a_preview_of_a_tree_left_half_done_says_so(trees: Trees) -> None:
    grow(trees.user, {".refloat-refresh/changes.json": "[]"})
    with pytest.raises(Refused, match="interrupted"):
        preview(trees, INSTALL)


def test_a_list_of_changes_nobody_can_read_is_stuck_and_says_where(trees: Trees) -> None:
    grow(trees.user, {".refloat-refresh/changes.json": "nonsense"})
    with pytest.raises(Stuck) as stuck:
        refresh(trees, INSTALL)
    assert ".refloat-refresh" in stuck.value.stands


@pytest.mark.parametrize("path", ["../outside", "/etc/passwd", "a/../../outside", "."])
def test_a_forged_list_of_changes_cannot_reach_outside(trees: Trees, path: str) -> None:
    outside = trees.user.parent / "outside"
    outside.write_text("precious")
    grow(
        trees.user,
        {".refloat-refresh/changes.json": f'[{{"path": "{path}", "had": false, "kind": "file", "size": 8}}]'},
    )
    with pytest.raises(Stuck):
        refresh(trees, INSTALL)
    assert outside.read_text() == "precious"


def test_hard_links_owners_and_times_of_what_is_put_back_are_the_same(trees: Trees) -> None:
    os.link(trees.user / "kind", trees.user / "other name")
    os.utime(trees.user / "kind", (1, 2))
    before = (trees.user / "kind").stat()
    settlement = settled(trees)
    (trees.new / "upd").write_text("another")
    with Root(trees.user) as root, Root(trees.new) as new, pytest.raises(RolledBack):
        apply(root, Defaults(new), settlement)
    after = (trees.user / "kind").stat()
    assert (after.st_ino, after.st_mtime_ns, after.st_nlink) == (before.st_ino, before.st_mtime_ns, 2)


def attributes(path: Path) -> dict[str, bytes]:
    return {name: os.getxattr(path, name) for name in os.listxattr(path)}


def test_a_merged_file_keeps_the_attributes_and_the_owner_of_the_users(trees: Trees) -> None:
    path = trees.user / "m"
    with suppress(OSError):  # not every file system knows attributes, nor may everybody give files away
        os.setxattr(path, "user.note", b"mine")
    with suppress(OSError):
        os.chown(path, 1234, 4321)
    before, noted = path.stat(), attributes(path)
    refresh(trees, INSTALL)
    after = path.stat()
    assert path.read_text() == "0\n2\n4\n"
    assert attributes(path) == noted
    assert (after.st_uid, after.st_gid, after.st_mode) == (before.st_uid, before.st_gid, before.st_mode)


def test_what_is_new_belongs_to_the_owner_of_its_directory(trees: Trees) -> None:
    with suppress(OSError):
        os.chown(trees.user, 1234, 4321)
    owner = (trees.user.stat().st_uid, trees.user.stat().st_gid)
    refresh(trees, INSTALL)
    assert {(path.lstat().st_uid, path.lstat().st_gid) for path in (trees.user / "new").rglob("*")} == {owner}
    assert (trees.user / "kind/inner/f").stat().st_mode & 0o7777 == 0o4711
