"""A refresh where the data is: done once however often it dies, never outside the tree, its store beside it."""

from __future__ import annotations

import io
import os
import shutil
import tarfile
from base64 import b64encode
from dataclasses import replace
from pathlib import Path

import pytest
from vaultwork.requests import Request, answer_to

from runner.errors import RefloatError, UsageError
from runner.refresh.remote import answer
from runner.refresh.shipping import program
from runner.refresh.sites import Prepared
from runner.refresh.unpack import unpack
from tests.refresh.refresh_crashes import DONE, KILLED
from tests.refresh.refresh_remote_lab import PATH, Lab
from tests.refresh.refresh_trees import Thing, grow, picture

OLD: dict[str, Thing] = {"conf": "a\nb\nc\nd\n", "both": "x\ny\n", "upd": ("1", 0o640), "d/same": "s", "gone": "g"}
NEW: dict[str, Thing] = {"conf": "a\nb\nc\nD\n", "both": "X\ny\n", "upd": ("2", 0o640), "d/same": "s"}
NEW |= {"d/added": "n", "mounted/x": "x"}
MINE: dict[str, Thing] = {"conf": "A\nb\nc\nd\n", "both": "mine\ny\n", "upd": ("1", 0o600), "d/same": "s"}
MINE |= {"gone": "g", "own": "o"}


@pytest.fixture
def lab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Lab:
    monkeypatch.setattr(os, "sync", lambda: None)  # no power fails here, and a busy machine would wait for its disk
    monkeypatch.setattr(os, "fsync", lambda _fd: None)
    grow(tmp_path / "old", OLD)
    grow(tmp_path / "new", NEW)
    grow(tmp_path / "sources/d0", MINE)
    (tmp_path / "kept").mkdir()
    return Lab(tmp_path)


def kept_half_merged(lab: Lab) -> Prepared:
    (question,) = lab.ask(lab.order(write=False))["open"]
    return {"path": question["path"], "question": question["question"], "fingerprint": question["fingerprint"],
            "choice": "keep", "text": b64encode(b"by hand\n").decode()}  # fmt: skip


def test_a_look_says_what_would_be_done_and_writes_nothing_to_the_data(lab: Lab) -> None:
    before = picture(lab.volume)
    told = lab.ask(lab.order(write=False))
    assert picture(lab.volume) == before
    assert [line for path in told["paths"] for line in path["lines"]] == [
        " ! Conflict       both (keep / restore / install)",
        " * Merged         conf",
        " * Updated        upd",
        " * Permissions    0600 -> 0640 upd",
        " * Installed file d/added",
        " * Vanished       gone",
    ]
    assert [question["path"] for question in told["open"]] == [f"{PATH}/both"]


def test_the_store_beside_the_data_makes_the_next_refresh_need_no_old_image(lab: Lab) -> None:
    lab.ask(lab.order(write=True, conflict="keepold"))
    assert (lab.volume / ".refloat-defaults/etc~app/defaults/upd").read_text() == "2"
    shutil.rmtree(lab.folder / "old")
    (lab.folder / "old").mkdir()
    grow(lab.folder / "new", {"conf": "a\nb\nc\nDD\n"})
    order = lab.order(write=True, conflict="abort", run="r2")
    order["old"], order["new"] = "image-new", "image-newer"
    told = lab.ask(order, "kept2")
    assert (lab.volume / "conf").read_text() == "A\nb\nc\nDD\n"
    assert told["counts"] == {"Merged": 1}


def test_a_store_of_another_version_is_not_taken_for_the_old_defaults(lab: Lab) -> None:
    lab.ask(lab.order(write=True, conflict="keepold"))
    order = lab.order(write=False)
    order["old"] = "another-image"
    assert lab.ask(order)["counts"]["Obsolete"] == 1  # as the old image says: `gone` was a default


def test_a_second_run_changes_nothing(lab: Lab) -> None:
    lab.ask(lab.order(write=True, conflict="install"))
    after = picture(lab.volume)
    order = lab.order(write=True, conflict="install", run="r2")
    order["old"] = "image-new"
    assert lab.ask(order, "kept2")["changed"] == 0
    assert {path: seen for path, seen in picture(lab.volume).items() if not path.endswith("store.json")} == {
        path: seen for path, seen in after.items() if not path.endswith("store.json")
    }


def test_killed_anywhere_and_done_again_it_comes_to_the_same(lab: Lab, tmp_path: Path) -> None:
    prepared = kept_half_merged(lab)
    whole = Lab(tmp_path / "whole")
    shutil.copytree(tmp_path, whole.folder, ignore=shutil.ignore_patterns("whole", "point-*"))
    order = lab.order(write=True, answers=(prepared,))
    expected_told = whole.ask(order)
    expected = whole.tree()
    assert expected["both"][2] == b"by hand\n"
    for point in range(1, 500):
        each = Lab(tmp_path / f"point-{point}")
        shutil.copytree(tmp_path, each.folder, ignore=shutil.ignore_patterns("whole", "point-*"))
        status = each.killed_at(order, point)
        assert status in (KILLED, DONE)
        again = each.ask(order)
        assert each.tree() == expected, f"another tree after it died at {point}"
        assert again == expected_told, f"told otherwise after it died at {point}"
        assert sorted(path.name for path in (each.volume / ".refloat-defaults").iterdir()) == ["etc~app"]
        shutil.rmtree(each.folder)
        if status == DONE:
            assert point > 30
            return
    pytest.fail("it never came to its end")


def test_an_answer_to_another_conflict_stops_it_before_anything_is_written(lab: Lab) -> None:
    prepared = kept_half_merged(lab)
    (lab.volume / "both").write_text("mine again\ny\n")
    before = picture(lab.volume)
    with pytest.raises(RefloatError) as stale:
        lab.ask(lab.order(write=True, answers=(prepared,)))
    assert (stale.value.code, f"{PATH}/both" in stale.value.what) == ("refresh-answer-stale", True)
    assert picture(lab.volume) == before


def test_an_open_conflict_stops_it_before_anything_is_written(lab: Lab) -> None:
    before = picture(lab.volume)
    with pytest.raises(RefloatError) as unanswered:
        lab.ask(lab.order(write=True))
    assert unanswered.value.code == "refresh-unanswered"
    assert picture(lab.volume) == before


def test_tokens_in_the_defaults_stand_for_what_the_container_says(lab: Lab) -> None:
    for side in ("old", "new"):
        grow(lab.folder / side, {"site": f"of @SITE@, {side}\n"})
    grow(lab.volume, {"site": "of mine, old\n"})
    Lab(lab.folder, tokens={"@SITE@": "mine"}).ask(
        Lab(lab.folder, tokens={"@SITE@": "mine"}).order(write=True, conflict="install")
    )
    assert (lab.volume / "site").read_text() == "of mine, new\n"


def test_a_tree_behind_a_link_is_no_tree_of_the_data(lab: Lab, tmp_path: Path) -> None:
    outside = grow(tmp_path / "outside", MINE)
    before = picture(outside)
    (lab.volume / "etc").symlink_to(outside)
    for inside in ("etc", "etc/d"):
        linked = Lab(tmp_path, inside=inside)
        with pytest.raises(RefloatError) as refused:
            linked.ask(linked.order(write=True, conflict="install"))
        assert refused.value.code == "refresh-no-tree"
    assert picture(outside) == before


@pytest.mark.parametrize("name", [".refloat-defaults", ".refloat-defaults/etc~app", ".refloat-defaults/.etc~app.draft"])
def test_a_link_where_the_store_goes_is_neither_read_nor_followed(lab: Lab, tmp_path: Path, name: str) -> None:
    outside = grow(tmp_path / "outside", {"store.json": '{"format": 1, "version": "image-old", "modes": {}}',
                                          "defaults/": ""})  # fmt: skip
    before, untouched = picture(outside), lab.tree()
    (lab.volume / name).parent.mkdir(exist_ok=True)
    (lab.volume / name).symlink_to(outside)
    with pytest.raises(RefloatError) as refused:
        lab.ask(lab.order(write=True, conflict="install"))
    assert refused.value.code == "refresh-no-store"
    assert (picture(outside), lab.tree()) == (before, untouched)


def test_a_tar_of_defaults_cannot_reach_outside_its_folder(tmp_path: Path) -> None:
    whole = io.BytesIO()
    with tarfile.open(fileobj=whole, mode="w") as tar:
        for name, target in (("app", None), ("app/../../out", "f"), ("app/link", "/"), ("app/link/etc/evil", "f"),
                             ("app/fine", "f"), ("app/fine/below", "f"), ("/app/x/../../y", "f")):  # fmt: skip
            member = tarfile.TarInfo(name)
            member.type = tarfile.DIRTYPE if target is None else tarfile.SYMTYPE if target == "/" else tarfile.REGTYPE
            member.linkname = "/" if target == "/" else ""
            tar.addfile(member)
        lost = tarfile.TarInfo("app/hard")
        lost.type, lost.linkname = tarfile.LNKTYPE, "app/nowhere"
        tar.addfile(lost)
    modes = unpack(whole.getvalue(), tmp_path / "folder")
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["fine", "folder", "link"]
    assert sorted(modes) == ["fine", "link"]


def test_the_vaults_program_runs_it_and_passes_its_words_on(lab: Lab, tmp_path: Path) -> None:
    order = lab.order(write=True)
    fields = {"op": "refresh", "vault": str(tmp_path / "vault"), "mounts": str(tmp_path / "sources"), "sources": [],
              "target": "t", "run": "r1", "program": b64encode(program()).decode(), "order": order}  # fmt: skip
    trouble = answer_to(Request(**fields))["trouble"]  # type: ignore[typeddict-item]  # made of pieces
    assert isinstance(trouble, dict)
    assert (trouble["code"], trouble["stands"]) == ("refresh-unanswered", "Nothing was touched.")
    order["conflict"] = "install"
    assert "places" in answer_to(Request(**fields))  # type: ignore[typeddict-item]  # made of pieces
    assert (lab.volume / "upd").read_text() == "2"


def test_modes_are_those_of_a_list_in_the_image_and_some_are_set_without_a_question(lab: Lab) -> None:
    for side, (both, conf, d) in {"old": ("640", "644", "755"), "new": ("660", "664", "2775")}.items():
        (lab.folder / f"{side}.modes").write_text(f"# PATH MODE\nboth {both}\nconf {conf}\nd {d}\n")
    for name in ("both", "conf"):
        (lab.volume / name).chmod(0o600)
    modes = replace(lab, permissions="/skel.permissions", modes_to_set=["conf"])
    told = modes.ask(modes.order(write=True, conflict="keepold"))
    found = {path: mode for path, (_, mode, _) in modes.tree().items()}
    assert (found["both"], found["conf"], found["d"]) == (0o600, 0o664, 0o2775)  # the first is asked about, and kept
    assert told["counts"]["Permissions"] == 4


def test_a_list_of_modes_that_makes_no_sense_is_refused_before_anything_is_touched(lab: Lab) -> None:
    for side in ("old", "new"):
        (lab.folder / f"{side}.modes").write_text("upd rw-r-----\n")
    modes, before = replace(lab, permissions="/skel.permissions"), picture(lab.volume)
    with pytest.raises(UsageError, match=r"/skel.permissions .* line 1"):
        modes.ask(modes.order(write=True, conflict="keepold"))
    assert picture(lab.volume) == before


def test_a_look_too_needs_no_old_image_where_the_defaults_are_kept(lab: Lab) -> None:
    lab.ask(lab.order(write=True, conflict="keepold"))
    order = lab.order(write=False, run="")
    order["old"], order["new"] = "image-new", "image-newer"
    assert order["defaults"]
    order["defaults"]["old"] = {}
    assert lab.ask(order)["path"] == PATH


def test_a_draft_is_what_the_refresh_will_leave_and_the_data_stays(lab: Lab) -> None:
    before, folder = picture(lab.volume), lab.folder / "draft"
    grow(folder, {"left/over": "x"})
    order = lab.order(write=False, conflict="install")
    drafted = answer({**order, "drafts": {PATH: str(folder)}}, lab.folder / "sources", lab.folder / "kept")
    assert picture(lab.volume) == before
    done = answer(lab.order(write=True, conflict="install"), lab.folder / "sources", lab.folder / "kept")
    assert drafted["outcomes"] == done["outcomes"]
    assert picture(folder) == lab.tree()
    (lab.volume / "own").write_text("changed since")
    later = answer(lab.order(write=True, conflict="install", run="r1"), lab.folder / "sources", lab.folder / "kept")
    assert later["outcomes"] != drafted["outcomes"]


def test_there_is_no_draft_of_a_tree_that_is_too_big(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("runner.refresh.drafts.MOST_BYTES", 4)
    (lab.folder / "draft").mkdir()
    order = lab.order(write=False, conflict="install")
    drafts = {PATH: str(lab.folder / "draft")}
    assert answer({**order, "drafts": drafts}, lab.folder / "sources", lab.folder / "kept")["outcomes"] == {}
    assert picture(lab.folder / "draft") == {}
