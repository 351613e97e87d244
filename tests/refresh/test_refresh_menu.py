"""The conflict menu, each key, pressed at a real terminal by a person who has an editor and a shell."""

from __future__ import annotations

import os
import pty
import sys
from pathlib import Path

import pytest

from runner.cli.refresh_terminal import KeyTerminal
from runner.errors import Refused
from runner.refresh.choices import keys_of
from tests.refresh.refresh_person import PROMPT, Person, Start, arguments, editor
from tests.refresh.refresh_trees import grow, picture


def test_each_option_has_the_first_letter_no_other_has_taken() -> None:
    merge = ("diff", "you", "new", "missing", "edit", "try again", "keep", "restore", "install", "shell", "abort")
    assert "".join(keys_of(merge)) == "dynmetkrisa"
    assert keys_of(("keep", "replace", "shell", "abort")) == {"k": "keep", "r": "replace", "s": "shell", "a": "abort"}
    assert keys_of(("keep", "remove", "shell", "abort"))["r"] == "remove"
    assert keys_of(("keep", "default", "shell", "abort"))["d"] == "default"
    assert keys_of(("retry", "continue", "abort")) == {"r": "retry", "c": "continue", "a": "abort"}
    assert keys_of(("restore", "retry")) == {"r": "restore", "e": "retry"}


def test_the_menu_shows_where_the_conflict_is_and_every_option(start: Start) -> None:
    with start() as person:
        shown = person.sees(PROMPT)
        person.presses("a")
        person.leaves()
    assert " ! conf/f" in shown
    assert "You and the new version changed the same lines of this file, in one place." in shown
    keys = [line.split()[0] for line in shown.splitlines() if line.startswith("   ") and line[4:6] == "  "]
    assert keys == list("dynetkrisa")


@pytest.mark.parametrize(
    ("key", "gone", "come"), [("d", "-mine", "+new"), ("y", "-old", "+mine"), ("n", "-old", "+new")]
)
def test_diff_you_and_new_show_two_of_the_three_versions_and_ask_again(
    start: Start, key: str, gone: str, come: str
) -> None:
    with start() as person:
        person.sees(PROMPT)
        person.presses(key)
        shown = person.sees(PROMPT)
        person.presses("r")
        status, _ = person.leaves()
    assert status == 0
    assert gone in shown
    assert come in shown


def test_keep_accepts_the_half_merged_file_markers_included(start: Start, tree: Path) -> None:
    with start() as person:
        person.sees(PROMPT)
        person.presses("k")
        status, shown = person.leaves()
    assert status == 0
    assert " ! Merged         conf/f (as you accepted it)" in shown
    kind, mode, text = picture(tree)["conf/f"]
    assert (kind, mode) == ("file", 0o600)
    assert text == b"<<<<<<< yours\nmine\n=======\nnew\n>>>>>>> new default\nsame\n"


def test_restore_keeps_the_users_file_and_goes_on_with_the_others(start: Start, tree: Path) -> None:
    with start() as person:
        person.sees(PROMPT)
        person.presses("r")
        status, shown = person.leaves()
    assert status == 0
    assert " * Keeping your   conf/f" in shown
    assert picture(tree)["conf/f"] == ("file", 0o600, b"mine\nsame\n")
    assert picture(tree)["other"][2] == b"y"


def test_install_takes_the_new_default_and_keeps_the_users_mode(start: Start, tree: Path) -> None:
    with start() as person:
        person.sees(PROMPT)
        person.presses("i")
        status, shown = person.leaves()
    assert status == 0
    assert " ! Installed default file conf/f" in shown
    assert picture(tree)["conf/f"] == ("file", 0o600, b"new\nsame\n")


@pytest.mark.parametrize("key", ["a", "\x03"])
def test_abort_and_ctrl_c_leave_every_byte_mode_and_link_as_it_was(start: Start, tree: Path, key: str) -> None:
    before = picture(tree.parent)
    with start() as person:
        person.sees(PROMPT)
        person.presses(key)
        status, shown = person.leaves()
    assert status == (3 if key == "a" else 130)
    assert "Nothing was touched." in shown
    assert "Traceback" not in shown
    assert picture(tree.parent) == before


def test_a_terminal_that_goes_away_in_the_middle_of_a_question_ends_the_refresh(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    theirs, ours = pty.openpty()
    with os.fdopen(ours) as stdin:
        monkeypatch.setattr(sys, "stdin", stdin)
        os.close(theirs)
        with pytest.raises(Refused, match="terminal went away") as refusal:
            KeyTerminal().key()
    assert refusal.value.code == "refresh-aborted"


def test_other_keys_do_nothing(start: Start) -> None:
    with start() as person:
        person.sees(PROMPT)
        person.presses("xqz \n\x04R")
        status, shown = person.leaves()
    assert status == 0
    assert " * Keeping your   conf/f" in shown


@pytest.mark.parametrize("sent", ["\x1b[A", "\x1bOR", "\x1b[15~"])
def test_an_arrow_or_function_key_is_no_answer_though_it_ends_in_the_letter_of_one(
    monkeypatch: pytest.MonkeyPatch, sent: str
) -> None:
    theirs, ours = pty.openpty()
    with os.fdopen(ours) as stdin:
        monkeypatch.setattr(sys, "stdin", stdin)
        os.write(theirs, sent.encode())
        assert KeyTerminal().key() == "\x1b"
        os.write(theirs, b"k")
        assert KeyTerminal().key() == "k"
        os.close(theirs)


def test_edit_opens_the_half_merged_file_in_the_persons_editor(start: Start, tree: Path, tmp_path: Path) -> None:
    script = editor(tmp_path, """cp "$1" "$SEEN"; printf 'mine and new\\nsame\\n' > "$1" """)
    with start(EDITOR=script, SEEN=str(tmp_path / "seen")) as person:
        person.sees(PROMPT)
        person.presses("e")
        person.sees(PROMPT)
        person.presses("k")
        status, _ = person.leaves()
    assert status == 0
    assert b"<<<<<<<" in (tmp_path / "seen").read_bytes()
    assert picture(tree)["conf/f"] == ("file", 0o600, b"mine and new\nsame\n")


def test_visual_comes_before_editor_and_both_may_have_arguments(start: Start, tree: Path, tmp_path: Path) -> None:
    script = editor(tmp_path, """printf '%s' "$1" > "$2" """)
    with start(EDITOR="false", VISUAL=f"{script} --wait") as person:
        person.sees(PROMPT)
        person.presses("e")
        person.sees(PROMPT)
        person.presses("k")
        person.leaves()
    assert picture(tree)["conf/f"][2] == b"--wait"


@pytest.mark.parametrize("command", ["false", "/no/such/editor", "vi 'unclosed"])
def test_an_editor_that_fails_is_said_and_the_menu_goes_on(start: Start, command: str) -> None:
    with start(EDITOR=command) as person:
        person.sees(PROMPT)
        person.presses("e")
        shown = person.sees(PROMPT)
        person.presses("r")
        status, _ = person.leaves()
    assert status == 0
    assert "editor did not end well" in shown


def test_try_again_opens_the_users_own_file_and_merges_again(start: Start, tree: Path, tmp_path: Path) -> None:
    script = editor(tmp_path, """cp "$1" "$SEEN"; printf 'old\\nsame\\nmine\\n' > "$1" """)
    with start(EDITOR=script, SEEN=str(tmp_path / "seen")) as person:
        person.sees(PROMPT)
        person.presses("t")
        status, shown = person.leaves()
    assert status == 0
    assert "Merged." in shown
    assert (tmp_path / "seen").read_bytes() == b"mine\nsame\n"
    assert picture(tree)["conf/f"] == ("file", 0o600, b"new\nsame\nmine\n")


def test_try_again_in_vain_asks_again(start: Start, tree: Path, tmp_path: Path) -> None:
    script = editor(tmp_path, """printf 'still mine\\nsame\\n' > "$1" """)
    with start(EDITOR=script) as person:
        person.sees(PROMPT)
        person.presses("t")
        assert "Still 1 conflict(s)." in person.sees(PROMPT)
        person.presses("r")
        person.leaves()
    assert picture(tree)["conf/f"][2] == b"mine\nsame\n"


def test_shell_opens_in_the_directory_of_the_file_and_returns(start: Start, tree: Path) -> None:
    with start() as person:
        person.sees(PROMPT)
        person.presses("s")
        shown = person.works_in_the_shell('echo "here: $PWD"', "sed 's/^/merged: /' $REFLOAT_MERGED")
        person.sees(PROMPT)
        person.presses("r")
        status, _ = person.leaves()
    assert status == 0
    assert f"here: {tree / 'conf'}\n" in shown
    assert "merged: <<<<<<< yours" in shown


def test_a_file_changed_in_the_shell_is_looked_at_again(start: Start, tree: Path) -> None:
    with start() as person:
        person.sees(PROMPT)
        person.presses("s")
        person.works_in_the_shell("printf 'old\\nsame\\nadded\\n' > f")
        status, shown = person.leaves()
    assert status == 0
    assert " * Merged         conf/f" in shown
    assert picture(tree)["conf/f"][2] == b"new\nsame\nadded\n"


@pytest.fixture
def two_way(tmp_path: Path) -> Path:
    grow(tmp_path / "old", {"gone": "x", "mode": ("x", 0o644)})
    grow(tmp_path / "new", {"taken": "new", "mode": ("x", 0o640)})
    return grow(tmp_path / "tree", {"gone": "mine", "taken@": "mine", "mode": ("x", 0o600)})


def test_two_way_questions_offer_replace_remove_and_default(two_way: Path) -> None:
    with Person(arguments(two_way), {}) as person:
        assert "d  default" in person.sees(PROMPT)
        person.presses("d")
        assert "r  replace" in person.sees(PROMPT)
        person.presses("r")
        assert "r  remove" in person.sees(PROMPT)
        person.presses("r")
        status, _ = person.leaves()
    assert status == 0
    assert picture(two_way) == {"mode": ("file", 0o640, b"x"), "taken": ("file", 0o644, b"new")}


def test_keep_answers_every_two_way_question_with_the_users_side(two_way: Path) -> None:
    before = picture(two_way)
    with Person(arguments(two_way), {}) as person:
        person.presses("kkk")
        status, shown = person.leaves()
    assert status == 0
    assert "Permissions    0600 mode (unchanged)" in shown
    assert picture(two_way) == before


def test_whatever_changed_in_the_shell_of_a_two_way_question_is_looked_at_again(two_way: Path) -> None:
    with Person(arguments(two_way), {}) as person:
        person.sees(PROMPT)
        person.presses("k")
        person.sees(PROMPT)
        person.presses("s")
        person.works_in_the_shell("rm taken gone")
        status, shown = person.leaves()
    assert status == 0
    assert " * Installed file taken" in shown
    assert " * Obsolete       gone" in shown


@pytest.mark.parametrize(("key", "status"), [("a", 5), ("c", 0), ("r", 0)])
def test_a_path_that_cannot_be_changed_can_be_tried_again_left_out_or_undo_all(
    start: Start, tree: Path, key: str, status: int
) -> None:
    before = picture(tree)
    default = tree.parent / "new/other"
    with start() as person:
        person.sees(PROMPT)
        default.write_text("another")  # not what was read when all was settled
        person.presses("r")
        assert " ! other cannot be changed: the default of other changed" in person.sees(PROMPT)
        default.write_text("y")
        person.presses(key)
        ended, shown = person.leaves()
    assert ended == status
    after = {path: seen[2] for path, seen in picture(tree).items() if path in ("other", "added")}
    if key == "a":
        assert picture(tree) == before
        assert "Everything is as it was before." in shown
    elif key == "c":
        assert after == {"other": b"x", "added": b"y"}
        assert " ! Skipped        other" in shown
    else:
        assert after == {"other": b"y", "added": b"y"}
