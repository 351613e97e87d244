"""The three-way merge of texts: the measured table of the original's tool, and properties."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runner.refresh.merge import can_merge, merge

OLD = b"one\ntwo\nthree\nfour\nfive\n"
TABLE = {
    "an untouched line between the changes": (b"ONE\ntwo\nthree\nfour\nfive\n", b"one\ntwo\nTHREE\nfour\nfive\n"),
    "user appended, default changed line 1": (OLD + b"six\n", b"ONE\ntwo\nthree\nfour\nfive\n"),
    "user lacks the last line feed": (OLD[:-1], b"ONE\ntwo\nthree\nfour\nfive\n"),
    "the same change on both sides": (b"ONE\ntwo\nthree\nfour\nfive\n", b"ONE\ntwo\nthree\nfour\nFIVE\n"),
}
RESULTS = {
    "an untouched line between the changes": b"ONE\ntwo\nTHREE\nfour\nfive\n",
    "user appended, default changed line 1": b"ONE\ntwo\nthree\nfour\nfive\nsix\n",
    "user lacks the last line feed": b"ONE\ntwo\nthree\nfour\nfive",
    "the same change on both sides": b"ONE\ntwo\nthree\nfour\nFIVE\n",
}
CONFLICTS = {
    "adjacent lines": (b"one\nTWO\nthree\nfour\nfive\n", b"one\ntwo\nTHREE\nfour\nfive\n"),
    "the same line": (b"one\nTWO\nthree\nfour\nfive\n", b"one\nDUE\nthree\nfour\nfive\n"),
    "default changes what the user deleted": (b"one\nthree\nfour\nfive\n", b"one\nTWO\nthree\nfour\nfive\n"),
    "default deletes what the user changed": (b"one\nTWO\nthree\nfour\nfive\n", b"one\nthree\nfour\nfive\n"),
    "both append other lines": (OLD + b"six\n", OLD + b"seven\n"),
    "the user's is empty": (b"", b"ONE\ntwo\nthree\nfour\nfive\n"),
    "the user's has other line ends": (OLD.replace(b"\n", b"\r\n"), b"ONE\ntwo\nthree\nfour\nfive\n"),
    "the user rewrote all of it": (b"a\nb\nc\n", b"ONE\ntwo\nthree\nfour\nfive\n"),
}


@pytest.mark.parametrize("case", TABLE)
def test_changes_that_fit_are_merged(case: str) -> None:
    user, new = TABLE[case]
    assert merge(user, OLD, new) == (RESULTS[case], 0)


@pytest.mark.parametrize("case", CONFLICTS)
def test_changes_that_collide_are_a_conflict_with_markers(case: str) -> None:
    user, new = CONFLICTS[case]
    merged = merge(user, OLD, new)
    assert merged.conflicts >= 1
    assert b"<<<<<<<" in merged.text
    assert b"=======" in merged.text
    assert b">>>>>>>" in merged.text


def test_what_is_no_text_is_never_merged() -> None:
    assert can_merge(b"text\n", "Grüße\n".encode("latin-1"), b"")
    assert not can_merge(b"text\n", b"PNG\0", b"text\n")
    assert not can_merge("UTF-16".encode("utf-16"))


def test_bytes_that_are_no_utf_8_come_out_as_they_went_in() -> None:
    old, user, new = b"a\xff\nb\nc\n", b"a\xff\nb\nC\xfe\n", b"A\xfd\nb\nc\n"
    assert merge(user, old, new) == (b"A\xfd\nb\nC\xfe\n", 0)


def test_the_settings_of_a_persons_git_change_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".gitconfig").write_text("[merge]\n\tconflictStyle = diff3\n")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / ".gitconfig"))
    assert b"|||||||" not in merge(*CONFLICTS["the same line"], OLD[:-1] + b"\n").text


_lines = st.lists(st.sampled_from([b"a\n", b"b\n", b"c\n", b"d\n", b"e\n"]), max_size=8).map(b"".join)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(_lines, _lines)
def test_a_change_on_one_side_only_is_taken_over(old: bytes, other: bytes) -> None:
    assert merge(old, old, other) == (other, 0)
    assert merge(other, old, old) == (other, 0)


@settings(max_examples=40, deadline=None, derandomize=True)
@given(_lines, _lines)
def test_the_same_change_on_both_sides_counts_as_merged(old: bytes, other: bytes) -> None:
    assert merge(other, old, other) == (other, 0)


def _patched(folder: Path, user: bytes, old: bytes, new: bytes) -> tuple[bytes, int]:
    for name, text in (("user", user), ("old", old), ("new", new)):
        (folder / name).write_bytes(text)
    diff = subprocess.run(["diff", "-u", "old", "new"], cwd=folder, capture_output=True, check=False).stdout
    command = ["patch", "--merge", "--force", "--forward", "--silent", "--no-backup-if-mismatch", "user"]
    environment = {name: os.environ[name] for name in ("PATH",)}
    done = subprocess.run(command, cwd=folder, input=diff, env=environment, capture_output=True, check=False)
    return (folder / "user").read_bytes(), done.returncode


_BASE = [b"line %d of the default\n" % number for number in range(12)]
_edits = st.dictionaries(st.integers(0, 11), st.sampled_from([b"", b"changed\n", b"added before\n%s"]), max_size=2)


def _edited(edits: dict[int, bytes], who: bytes) -> bytes:
    lines = list(_BASE)
    for number, edit in edits.items():
        lines[number] = edit.replace(b"%s", _BASE[number]).replace(b"changed", b"changed by " + who)
    return b"".join(lines)


@pytest.mark.skipif(shutil.which("patch") is None, reason="the original's tool, GNU patch, is not installed here")
@settings(max_examples=200, deadline=None, derandomize=True)
@given(_edits, _edits)
def test_what_merges_cleanly_equals_what_the_original_tool_makes_of_it(
    tmp_path_factory: pytest.TempPathFactory, user_edits: dict[int, bytes], new_edits: dict[int, bytes]
) -> None:
    user, old, new = _edited(user_edits, b"you"), b"".join(_BASE), _edited(new_edits, b"the default")
    if old == new:
        return
    ours, theirs = merge(user, old, new), _patched(tmp_path_factory.mktemp("patch"), user, old, new)
    assert (ours.conflicts == 0) == (theirs[1] == 0)
    if ours.conflicts == 0:
        assert ours.text == theirs[0]
