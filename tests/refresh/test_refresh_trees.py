"""Whole trees through `refloat refresh`, each row with each type and each way of answering; on a real disk."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.refresh.refresh_tables import ASKED, QUIET, Tree
from tests.refresh.refresh_trees import Picture, grow, picture, refloat_refresh


class Three:
    """Three trees in a folder, and the command on them."""

    def __init__(self, folder: Path) -> None:
        self.old, self.new, self.tree = folder / "old", folder / "new", folder / "tree"

    def grow(self, old: Tree, user: Tree, new: Tree) -> None:
        for root, things in ((self.old, old), (self.tree, user), (self.new, new)):
            grow(root, things)

    def run(self, *more: str | Path, status: int = 0) -> str:
        done = refloat_refresh("--old", self.old, "--new", self.new, "--tree", self.tree, *more)
        assert done.status == status, done.output
        return done.output

    def lines(self, *more: str | Path) -> list[str]:
        return [line for line in self.run(*more).splitlines() if line.startswith((" * ", " ! "))]


@pytest.fixture
def three(tmp_path: Path) -> Three:
    return Three(tmp_path)


def grown(folder: Path, things: Tree) -> Picture:
    return picture(grow(folder, things))


@pytest.mark.parametrize("case", QUIET)
@pytest.mark.parametrize("conflict", ["ask", "install", "keepold", "abort"])
def test_what_needs_no_answer_is_done_whatever_the_way_of_answering(three: Three, case: str, conflict: str) -> None:
    old, user, new, lines, after = QUIET[case]
    three.grow(old, user, new)
    assert three.lines("--conflict", conflict) == lines
    assert picture(three.tree) == grown(three.tree.parent / "expected", after)


@pytest.mark.parametrize("case", ASKED)
def test_install_takes_the_new_default_of_every_conflict(three: Three, case: str) -> None:
    old, user, new, lines, after, _, _ = ASKED[case]
    three.grow(old, user, new)
    assert three.lines("--conflict", "install") == lines
    assert picture(three.tree) == grown(three.tree.parent / "expected", after)


@pytest.mark.parametrize("case", ASKED)
def test_keepold_keeps_the_users_side_of_every_conflict(three: Three, case: str) -> None:
    old, user, new, _, _, lines, after = ASKED[case]
    three.grow(old, user, new)
    assert three.lines("--conflict", "keepold") == lines
    assert picture(three.tree) == grown(three.tree.parent / "expected", after)


@pytest.mark.parametrize("case", ASKED)
def test_abort_leaves_everything_as_it_was(three: Three, case: str) -> None:
    old, user, new, *_ = ASKED[case]
    three.grow(old | {"zz": "1"}, user | {"zz": "1"}, new | {"zz": "2", "aa": "3"})
    before = picture(three.tree)
    assert "refresh-conflict" in three.run("--conflict", "abort", status=3)
    assert picture(three.tree) == before


@pytest.mark.parametrize("case", ASKED)
def test_a_conflict_nobody_can_answer_stops_before_anything_is_touched(three: Three, case: str) -> None:
    old, user, new, *_ = ASKED[case]
    three.grow(old, user, new | {"aa": "3"})
    before = picture(three.tree)
    assert "refresh-unanswered" in three.run(status=3)
    assert picture(three.tree) == before


@pytest.mark.parametrize("case", [*QUIET, *ASKED])
@pytest.mark.parametrize("conflict", ["install", "keepold"])
def test_a_second_run_changes_nothing(three: Three, case: str, conflict: str) -> None:
    old, user, new = (QUIET | ASKED)[case][:3]
    three.grow(old, user, new)
    three.run("--conflict", conflict)
    before = picture(three.tree)
    second = json.loads(three.run("--conflict", conflict, "--json"))
    assert second["changed"] == []
    assert picture(three.tree) == before


@pytest.mark.parametrize("case", [*QUIET, *ASKED])
def test_a_preview_says_the_same_and_touches_nothing(three: Three, case: str) -> None:
    old, user, new = (QUIET | ASKED)[case][:3]
    three.grow(old, user, new)
    before = picture(three.tree.parent)
    said = three.lines("--conflict", "install", "--preview")
    assert picture(three.tree.parent) == before
    assert [line for line in said if not line.startswith("   ")] == three.lines("--conflict", "install")


def test_paths_come_in_order_new_from_the_top_then_old_from_the_bottom(three: Three) -> None:
    gone: Tree = {"y/one": "1", "y/sub/two": "2"}
    three.grow(gone, gone, {"b": "1", "d/f": "1", "d/e/g": "1", "c/h": "1"})
    paths = [line.split()[-1] for line in three.lines()]
    assert paths == ["c", "d", "b", "c/h", "d/e", "d/f", "d/e/g", "y/sub/two", "y/one", "y/sub", "y"]


def test_a_new_default_in_a_directory_the_user_deleted_brings_the_directory_back(three: Three) -> None:
    three.grow({"a/": ("", 0o750)}, {}, {"a/": ("", 0o750), "a/b": "new"})
    assert three.lines()[-2:] == [" * Installed file a/b", " * Installed dir  a"]
    assert picture(three.tree) == {"a": ("dir", 0o750, b""), "a/b": ("file", 0o644, b"new")}


def test_paths_only_the_user_has_are_never_looked_at(three: Three) -> None:
    three.grow({"a": "x"}, {"a": "x", "mine": ("secret", 0o000), "own/deep": "z"}, {"a": "y"})
    assert three.lines() == [" * Updated        a"]


def test_a_skipped_path_is_left_alone_with_all_below_it(three: Three) -> None:
    three.grow({"tmp/a": "x", "b": "x"}, {"tmp/a": "x", "b": "x"}, {"tmp/a": "y", "b": "y"})
    assert three.lines("--skip", "tmp") == [" * Updated        b"]


def test_a_directory_kept_in_the_place_of_a_new_file_is_kept_with_all_that_is_in_it(three: Three) -> None:
    three.grow({"a/b": "x"}, {"a/b": "x", "a/mine": "z"}, {"a": "y"})
    assert three.lines("--conflict", "keepold") == [" * Keeping your version of a", " * Keeping your   a/b"]
    assert sorted(picture(three.tree)) == ["a", "a/b", "a/mine"]


def test_tokens_are_rendered_in_the_defaults_and_never_in_the_users_file(three: Three) -> None:
    site: Tree = {"a": "dir=/sites/mine\n", "b": "own ###SITE###\n"}
    three.grow({"a": "dir=/sites/###SITE###\n"}, site, {"a": "dir=/sites/###SITE###\nmore=1\n"})
    assert three.lines("--token", "###SITE###=mine") == [" * Updated        a"]
    assert picture(three.tree)["a"] == ("file", 0o644, b"dir=/sites/mine\nmore=1\n")
    assert picture(three.tree)["b"] == ("file", 0o644, b"own ###SITE###\n")


def test_modes_follow_the_new_default_unless_the_user_set_them(three: Three) -> None:
    old: Tree = {"a": ("x", 0o644), "b": ("x", 0o644), "c/": ("", 0o755)}
    user: Tree = {"a": ("z", 0o644), "b": ("x", 0o600), "c/": ("", 0o755)}
    new: Tree = {"a": ("x", 0o640), "b": ("x", 0o644), "c/": ("", 0o700)}
    three.grow(old, user, new)
    assert three.lines() == [" * Permissions    0755 -> 0700 c", " * Permissions    0644 -> 0640 a"]
    assert picture(three.tree) == grown(
        three.tree.parent / "expected", {"a": ("z", 0o640), "b": ("x", 0o600), "c/": ("", 0o700)}
    )


def test_a_mode_lost_with_an_update_is_said(three: Three) -> None:
    three.grow({"a": ("x", 0o644)}, {"a": ("x", 0o600)}, {"a": ("y", 0o644)})
    assert three.lines() == [" * Updated        a", " * Permissions    0600 -> 0644 a"]


def test_a_merged_file_keeps_the_users_mode(three: Three) -> None:
    three.grow({"a": ("1\n2\n3\n", 0o644)}, {"a": ("0\n2\n3\n", 0o600)}, {"a": ("1\n2\n4\n", 0o644)})
    three.run()
    assert picture(three.tree) == {"a": ("file", 0o600, b"0\n2\n4\n")}


def test_the_report_shows_what_was_lost(three: Three) -> None:
    three.grow({"a": "x\n", "d/": ""}, {"a": "my only copy\n", "d/deep/mine": "z"}, {"a": "y\n", "d": "file\n"})
    said = three.run("--conflict", "install", "--preview")
    assert "-my only copy" in said
    assert "   - d/deep/mine" in said
    report = json.loads(three.run("--conflict", "install", "--json"))
    lost = {path["path"]: path["lost"] for path in report["paths"]}
    assert lost["d"] == ["d/deep", "d/deep/mine"]


@pytest.mark.parametrize("more", [["--preview"], ["--preview", "--conflict", "keepold"]])
def test_a_file_that_waits_or_stays_is_shown_beside_the_new_default(three: Three, more: list[str]) -> None:
    old: Tree = {"merge": ("old\n", 0o644)}
    user: Tree = {"merge": ("mine\n", 0o600), "own": "my own\n", "link": "stays\n", "data": b"\0mine"}
    three.grow(old, user, {"merge": ("new\n", 0o640), "own": "default\n", "link@": "stays", "data": b"\0new"})
    said = three.run(*more)
    for shown in ("-mine\n   +new", "-my own\n   +default", "(binary: 5 and 4 bytes)"):
        assert shown in said
    assert "-stays" not in said


def test_defaults_that_are_no_directories_are_an_error_that_says_so(three: Three) -> None:
    three.grow({}, {}, {})
    done = refloat_refresh("--old", three.old / "none", "--new", three.new, "--tree", three.tree)
    assert done.status == 2
    assert "refresh-no-directory: --old" in done.output


@pytest.mark.parametrize(
    ("named", "said"),
    [
        ((), "--new and --tree: not named"),
        (("--new", "n"), "--tree: not named"),
        (("--to", "2.0", "--old", "o", "--new", "n", "--tree", "t"), "--config-path go with a target"),
    ],
)
def test_what_is_not_named_is_said(named: tuple[str, ...], said: str) -> None:
    done = refloat_refresh(*named)
    assert done.status == 2
    assert "refresh-what: --" in done.output
    assert said in done.output


def test_an_answer_that_cannot_be_written_is_no_bug_and_undoes_nothing(three: Three) -> None:
    three.grow({}, {}, {f"file {number:04}": "x" for number in range(2500)})  # more than a pipe holds
    command = [sys.executable, "-m", "runner.cli.main", "refresh", "--old", str(three.old), "--new", str(three.new)]
    command += ["--tree", str(three.tree)]
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run([*command, "--preview"], stdout=full, stderr=subprocess.PIPE, text=True, check=False)
        wrong = [*command[:-1], str(three.tree / "none"), "--json"]
        refused = subprocess.run(wrong, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert (done.returncode, "cannot be written: No space left" in done.stderr) == (2, True), done.stderr
    assert refused.stderr.startswith("--tree"), refused.stderr
    with subprocess.Popen([*command, "--json"], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as cut_off:
        assert cut_off.stdout
        cut_off.stdout.read(1)
        cut_off.stdout.close()
        assert cut_off.wait() == 0
    assert len(picture(three.tree)) == 2500


def test_the_command_line_refreshes_and_tells_errors_with_their_status(three: Three) -> None:
    three.grow({"a": "x\n"}, {"a": "z\n"}, {"a": "y\n", "b": "new\n"})
    command = [sys.executable, "-m", "runner.cli.main", "refresh", "--old", str(three.old), "--new", str(three.new)]
    command += ["--tree", str(three.tree)]
    refused = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    assert refused.returncode == 3
    assert "1 conflict(s) need an answer" in refused.stderr
    done = subprocess.run([*command, "--conflict", "keepold"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines()[:2] == [" * Keeping your   a", " * Installed file b"]
