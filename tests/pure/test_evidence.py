"""What a value before and one after mean together, and how a value is found in an answer."""

from __future__ import annotations

from typing import Literal

import pytest

from runner.evidence import VALUE_CHARS, Finding, compare, same_version, value_from
from runner.steps.nouns import CommandProbe, Reading

Rule = Literal["equal", "not_less", "within_percent", "shown", "goal_version"]


def _reading(rule: Rule = "shown", *, percent: float = 0, pick: str = "", pointer: str = "",
             count: bool = False) -> Reading:  # fmt: skip
    how = CommandProbe(argv=("ask",))
    return Reading(name="rows", how=how, rule=rule, percent=percent, pick=pick, pointer=pointer, count=count)


def _found(rule: Rule, before: str | None, after: str | None, *, percent: float = 0, goal: str = "2.0") -> Finding:
    one = _reading(rule, percent=percent)
    was, now = ({"rows": text} if text is not None else {} for text in (before, after))
    return compare((one,), was, now, goal)[0]


@pytest.mark.parametrize(
    ("rule", "before", "after"),
    [
        ("equal", "7", "7"),
        ("equal", "7", "7.0"),
        ("equal", "abc", "abc"),
        ("not_less", "7", "8"),
        ("not_less", "123456789012345678901", "123456789012345678902"),
        ("shown", "a", "b"),
        ("goal_version", "1.0", "2.0"),
        ("goal_version", "1.0", "v2.0.3+ds1"),
    ],
)
def test_what_may_be_is_fine(rule: Rule, before: str, after: str) -> None:
    assert _found(rule, before, after).ok


@pytest.mark.parametrize(
    ("rule", "before", "after", "says"),
    [
        ("equal", "7", "8", "must not change"),
        ("equal", "abc", "abd", "must not change"),
        ("not_less", "123456789012345678902", "123456789012345678901", "must not shrink"),
        ("not_less", "12", "gone", "must not change"),
        ("not_less", "12", "NaN", "must not change"),
        ("goal_version", "1.0", "1.0", "was to run"),
    ],
)
def test_what_must_not_be_is_said(rule: Rule, before: str, after: str, says: str) -> None:
    finding = _found(rule, before, after)
    assert not finding.ok
    assert says in finding.words
    assert finding.sentence.startswith("rows: ")


@pytest.mark.parametrize(("after", "ok"), [("95", True), ("105", True), ("94", False), ("106", False)])
def test_a_difference_within_its_percentage_is_fine(after: str, ok: bool) -> None:
    assert _found("within_percent", "100", after, percent=5).ok is ok


def test_what_could_not_be_read_before_proves_nothing_now() -> None:
    assert _found("equal", None, "7").ok
    assert _found("equal", None, None).ok
    assert "did not answer" in _found("equal", None, "7").words


def test_what_answered_before_and_does_not_now_is_bad() -> None:
    assert not _found("shown", "7", None).ok


@pytest.mark.parametrize(
    ("value", "goal", "same"),
    [
        ("2.53.3+ds1", "2.53.3", True),
        ("2.53.3", "v2.53", True),
        ("17.5 (Debian 17.5-1)", "17", True),
        ("17.5", "17-bookworm", True),
        ("2.53.3", "2.53.30", False),
        ("3.5.3", "2.53.3", False),
        ("nothing", "2", False),
        ("1.2", "latest", True),
    ],
)
def test_a_version_is_the_goal_as_far_as_both_are_told(value: str, goal: str, same: bool) -> None:
    assert same_version(value, goal) is same


def test_a_value_is_the_trimmed_answer_and_never_long() -> None:
    assert value_from(_reading(), "  42\n") == "42"
    assert len(value_from(_reading(), "x" * 10_000) or "") == VALUE_CHARS


def test_a_value_is_picked_by_pointer_and_expression() -> None:
    text = '{"data": {"result": [{"value": [1, "12 up"]}], "a/b": {"~": null}}}'
    assert value_from(_reading(pointer="/data/result/0/value/1", pick=r"(\d+) up"), text) == "12"
    assert value_from(_reading(pointer="/data/a~1b/~0"), text) == "null"
    assert value_from(_reading(pointer="/data/result", count=True), text) == "1"
    assert value_from(_reading(pick=r'"[a-z]+"', count=True), text) == "3"


@pytest.mark.parametrize("pointer", ["/none", "/list/7", "/list/x", "/text/deeper"])
def test_a_value_that_is_not_in_the_answer_is_none(pointer: str) -> None:
    assert value_from(_reading(pointer=pointer), '{"list": [1], "text": "t"}') is None


def test_an_answer_that_is_no_json_has_no_value() -> None:
    assert value_from(_reading(pointer="/a"), "<html>") is None
    assert value_from(_reading(pick="never"), "text") is None
    assert value_from(_reading(pointer="/a", count=True), '{"a": 1}') is None
