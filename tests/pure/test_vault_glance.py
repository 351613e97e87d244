"""What changed is told by change times alone: the outcome is that of listing everything again."""

from __future__ import annotations

import os
import random
import shutil
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from vaultwork import glance
from vaultwork.glance import Moment, fair_share, moment_at
from vaultwork.listing import Entry, Listing, Since, list_tree, parent_of

from tests.pure.vault_trees import await_next_stamp, damage, grow

COARSE_S = 0.012
"""Slack enough where nothing changes before the files' clock has ticked; find is asked in milliseconds."""


def now_at(root: bytes) -> Moment:
    moment = moment_at(root)
    assert moment, "the temporary folder is on a filesystem whose change times prove nothing"
    return moment


def begun(root: bytes) -> tuple[Moment, Listing]:
    """A moment and the tree of then, once that is no longer young; what changes from now on is stamped later."""
    time.sleep(2 * COARSE_S)
    began, before = now_at(root), list_tree(root)
    await_next_stamp(parent_of(root))
    return began, before


def looked(root: bytes, before: Listing, began: Moment, away: tuple[bytes, ...] = ()) -> Since | None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(glance, "SLACK_S", COARSE_S)
        return glance.glance(root, before, began, now_at(root), away)


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 1 << 32), parted=st.booleans())
def test_a_glance_at_a_damaged_tree_tells_what_listing_it_tells(
    tmp_path_factory: pytest.TempPathFactory, seed: int, parted: bool
) -> None:
    root, dice = bytes(tmp_path_factory.mktemp("tree") / "root"), random.Random(seed)
    Path(os.fsdecode(root)).mkdir()
    grow(root, dice, 25)
    began, before = begun(root)
    folders = [path for path, entry in before.items() if path and entry.kind == b"d" and not parent_of(path)]
    damage(root, dice, dice.randrange(8))
    told = looked(root, before, began, tuple(folders[::2]) if parted else ())
    whole = list_tree(root)
    assert told is not None
    assert told.listing == whole
    assert told.moved == {path for path, _ in before.items() ^ whole.items()}


def test_a_folder_that_was_moved_is_listed_with_all_that_is_old_in_it(tmp_path: Path) -> None:
    (tmp_path / "one/deep/er").mkdir(parents=True)
    (tmp_path / "one/deep/er/file").write_text("text")
    (tmp_path / "two/deep").mkdir(parents=True)
    root = bytes(tmp_path)
    began, before = begun(root)
    (tmp_path / "two").rename(tmp_path / "three")
    (tmp_path / "one").rename(tmp_path / "two")
    told = looked(root, before, began, (b"one", b"two"))
    assert told is not None
    assert told.listing == list_tree(root)


def test_nothing_is_told_where_the_clock_was_set_meanwhile(tmp_path: Path) -> None:
    root = bytes(tmp_path)
    began, before = now_at(root), list_tree(root)
    assert looked(root, before, began._replace(set_s=began.set_s - 60)) is None


def test_nothing_is_told_where_the_tree_is_another_one(tmp_path: Path) -> None:
    (tmp_path / "tree").mkdir()
    root = bytes(tmp_path / "tree")
    began, before = now_at(root), list_tree(root)
    (tmp_path / "tree").rename(tmp_path / "away")
    (tmp_path / "tree").mkdir()
    assert looked(root, before, began) is None


def listed(paths: dict[bytes, bytes]) -> Listing:
    return {path: Entry(kind + b" 755 0 0 0 1.0", b"", b"7 1 1.0", b"42") for path, kind in paths.items()}


def test_two_processes_share_a_tree_about_evenly_however_deep_its_folders_are() -> None:
    deep = {b"/".join([b"d"] * level): b"d" for level in range(1, 5)}
    folders = {b"d/d/d/d/%d" % number: b"d" for number in range(10)}
    files = {b"d/d/d/d/%d/%d" % (number % 10, number): b"f" for number in range(10_000)}
    listing = listed({b"": b"d", **deep, **folders, **files})
    away = fair_share(listing)
    held = sum(any(path == each or path.startswith(each + b"/") for each in away) for path in listing)
    assert 0.4 < held / len(listing) <= 0.5
    assert fair_share(listed({b"": b"d", b"a": b"d", **{b"a/%d" % number: b"f" for number in range(9999)}})) == ()


def test_a_name_that_find_would_take_for_a_pattern_stands_for_itself_alone(tmp_path: Path) -> None:
    for name in ("*13", "other13", "b[1]", "b1", "a\\b"):
        (tmp_path / name).mkdir()
    root = bytes(tmp_path)
    began, before = begun(root)
    for name in ("*13", "other13", "b[1]", "b1", "a\\b"):
        (tmp_path / name / "new").touch()
    told = looked(root, before, began, (b"*13", b"b[1]", b"a\\b"))
    assert told is not None
    assert told.listing == list_tree(root)


@pytest.mark.parametrize("instead", ["a file", "a link to its twin"])
def test_a_folder_that_another_process_was_to_look_at_is_gone_with_the_one_it_was_in(
    tmp_path: Path, instead: str
) -> None:
    for name in ("one", "two"):
        (tmp_path / name / "deep").mkdir(parents=True)
    root = bytes(tmp_path)
    began, before = begun(root)
    shutil.rmtree(tmp_path / "one")
    (tmp_path / "two/deep/new").touch()
    (tmp_path / "one").touch() if instead == "a file" else (tmp_path / "one").symlink_to("two")
    told = looked(root, before, began, (b"one/deep",))
    assert told is not None
    assert told.listing == list_tree(root)
