"""Answers given once and replayed, by a person or a program; an answer never decides another conflict."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.refresh.refresh_person import PROMPT, Start, arguments, editor
from tests.refresh.refresh_trees import grow, picture, refloat_refresh


def test_answers_given_once_are_saved_and_replayed_without_a_terminal(start: Start, tree: Path, tmp_path: Path) -> None:
    script = editor(tmp_path, """printf 'mine and new\\nsame\\n' > "$1" """)
    before = picture(tree)
    answers = tmp_path / "answers.json"
    with start("--preview", "--save-answers", str(answers), EDITOR=script) as person:
        person.sees(PROMPT)
        person.presses("e")
        person.sees(PROMPT)
        person.presses("k")
        status, _ = person.leaves()
    assert status == 0
    assert picture(tree) == before
    assert answers.stat().st_mode & 0o777 == 0o600
    done = refloat_refresh(*arguments(tree), "--answers", answers)
    assert done.status == 0, done.output
    assert picture(tree)["conf/f"] == ("file", 0o600, b"mine and new\nsame\n")


def test_an_answer_to_another_conflict_stops_before_anything_is_touched(start: Start, tree: Path) -> None:
    answers = tree.parent / "answers.json"
    with start("--preview", "--save-answers", str(answers)) as person:
        person.sees(PROMPT)
        person.presses("k")
        person.leaves()
    (tree / "conf/f").write_text("mine, later\nsame\n")
    before = picture(tree)
    done = refloat_refresh(*arguments(tree), "--answers", answers, "--conflict", "install")
    assert done.status == 3
    assert "refresh-answer-stale" in done.output
    assert picture(tree) == before


def test_a_program_sees_the_open_conflicts_and_answers_them(tree: Path) -> None:
    report = json.loads(refloat_refresh(*arguments(tree), "--preview", "--json").output)
    (question,) = report["open"]
    assert question["choices"] == ["keep", "restore", "install", "abort"]
    assert question["half_merged"].startswith("<<<<<<< yours")
    answer = {name: question[name] for name in ("path", "question", "fingerprint")}
    answers = tree.parent / "answers.json"
    answers.write_text(json.dumps({"version": 1, "answers": [answer | {"choice": "keep", "text": "both\n"}]}))
    assert refloat_refresh(*arguments(tree), "--answers", answers).status == 0
    assert picture(tree)["conf/f"][2] == b"both\n"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        '{"version": 2, "answers": []}',
        '{"version": 1}',
        '{"version": 1, "answers": [1]}',
        '{"version": 1, "answers": [{"path": "a"}]}',
        '{"version": 1, "answers": [{"path": "a", "question": "what", "fingerprint": "f", "choice": "keep"}]}',
    ],
)
def test_a_file_of_answers_nobody_understands_says_what_is_wrong(tree: Path, text: str) -> None:
    (tree.parent / "answers.json").write_text(text)
    done = refloat_refresh(*arguments(tree), "--answers", tree.parent / "answers.json")
    assert done.status == 2
    assert "refresh-answers-unreadable" in done.output


def test_a_choice_the_question_does_not_have_says_which_it_has(tree: Path) -> None:
    (question,) = json.loads(refloat_refresh(*arguments(tree), "--preview", "--json").output)["open"]
    answer = {name: question[name] for name in ("path", "question", "fingerprint")} | {"choice": "maybe"}
    (tree.parent / "answers.json").write_text(json.dumps({"version": 1, "answers": [answer]}))
    done = refloat_refresh(*arguments(tree), "--answers", tree.parent / "answers.json")
    assert done.status == 2
    assert "only keep, restore, install, abort" in done.output


def test_an_answer_to_abort_touches_nothing_whatever_the_question(tmp_path: Path) -> None:
    grow(tmp_path / "old", {"f": "old\n", "gone": "old", "mode": ("x", 0o644)})
    grow(tmp_path / "new", {"f": "new\n", "own": "new", "mode": ("x", 0o640)})
    tree = grow(tmp_path / "tree", {"f": "mine\n", "gone": "mine", "own": "mine", "mode": ("x", 0o600)})
    before = picture(tree)
    for question in json.loads(refloat_refresh(*arguments(tree), "--preview", "--json").output)["open"]:
        answer = {name: question[name] for name in ("path", "question", "fingerprint")} | {"choice": "abort"}
        (tmp_path / "answers.json").write_text(json.dumps({"version": 1, "answers": [answer]}))
        done = refloat_refresh(*arguments(tree), "--answers", tmp_path / "answers.json", "--conflict", "install")
        assert (done.status, "refresh-aborted" in done.output) == (3, True), done.output
    assert picture(tree) == before


def test_an_answer_that_lets_a_directory_go_holds_for_the_names_in_it_only(tmp_path: Path) -> None:
    grow(tmp_path / "old", {"d/": ""})
    grow(tmp_path / "new", {})
    tree = grow(tmp_path / "tree", {"d/one": "x"})
    (question,) = json.loads(refloat_refresh(*arguments(tree), "--preview", "--json").output)["open"]
    answer = {name: question[name] for name in ("path", "question", "fingerprint")} | {"choice": "remove"}
    (tmp_path / "answers.json").write_text(json.dumps({"version": 1, "answers": [answer]}))
    (tree / "d/one").rename(tree / "d/another")
    stale = refloat_refresh(*arguments(tree), "--answers", tmp_path / "answers.json")
    assert (stale.status, "refresh-answer-stale" in stale.output) == (3, True)
    (tree / "d/another").rename(tree / "d/one")
    assert refloat_refresh(*arguments(tree), "--answers", tmp_path / "answers.json").status == 0
    assert not (tree / "d").exists()
