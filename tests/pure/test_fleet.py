"""Many targets: who may go at the same time, what is said of each, the status and the one report of all."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree.ElementTree import fromstring

import pytest

from runner.cli.upgrade_all import has_goal, parts_of
from runner.config.reading import config_from_yaml
from runner.engine.memory import MemoryEngine
from runner.errors import Exit
from runner.facts import Json
from runner.independence import groups
from runner.report.fleet import Ending, One, as_json, fleet_report, one_from, table, worst
from runner.report.formats import Format
from runner.report.story import Story
from runner.reports import story_of_run
from tests.pure.sweep.stages import OLD, STAGES, act, build, new_home, runner_on

RUN: Json = {"run": "r1", "old": "1.0", "new": "2.0", "end": "new", "downtime_s": 1.25, "code": "", "why": ""}
REFUSED: Json = {"error": {"code": "hop", "what": "not\nallowed", "stands": "", "then": ""}, "exit": 3}


@pytest.mark.parametrize(
    ("status", "answer", "ending"),
    [
        (0, RUN, Ending.UPGRADED),
        (0, {**RUN, "held": True}, Ending.HELD),
        (0, {"error": {"code": "already-there", "what": "It runs that."}}, Ending.UP_TO_DATE),
        (3, REFUSED, Ending.HELD_BACK),
        (75, {"error": {"code": "window-closed", "what": "…"}}, Ending.HELD_BACK),
        (75, {**RUN, "end": "old", "code": "not-now", "downtime_s": None}, Ending.HELD_BACK),
        (5, {**RUN, "end": "old", "code": "crashed"}, Ending.ROLLED_BACK),
        (6, {**RUN, "end": "stuck"}, Ending.FAILED),
        (8, {"error": {"code": "engine-unreachable", "what": "…"}}, Ending.FAILED),
        (70, {}, Ending.FAILED),
    ],
)
def test_what_an_apply_said_becomes_a_row(status: int, answer: Json, ending: Ending) -> None:
    one = one_from("db", status, answer)
    assert (one.ending, one.exit) == (ending, status)


def test_a_path_of_several_hops_is_one_row_from_its_start_to_its_end() -> None:
    second: Json = {**RUN, "run": "r2", "old": "2.0", "new": "3.0", "downtime_s": 2.0}
    one = one_from("db", 0, {"ends": [RUN, second], "undone": None, "exit": 0})
    assert (one.old, one.new, one.runs, one.downtime_s) == ("1.0", "3.0", ("r1", "r2"), 3.25)


def test_the_status_of_all_is_the_worst_of_each() -> None:
    def of(*statuses: int) -> int:
        return worst(tuple(One(target="x", ending=Ending.FAILED, exit=status) for status in statuses))

    assert of(0, 75, 0) == 75
    assert of(3, 75) == 3
    assert of(0, 5, 3) == 5
    assert of(5, 6, 8) == 6
    assert of(0, 99) == 99
    assert worst(()) == 0
    assert {int(status) for status in Exit} == {of(int(status)) for status in Exit}


def started(engine: MemoryEngine, name: str, host: Json, *networks: str, labels: Json | None = None) -> None:
    engine.create_container(name, {"Image": OLD, "HostConfig": host, "Labels": labels or {}})
    for network in networks:
        engine.connect(network, name, {})
    engine.start(name)


def test_only_who_shares_nothing_goes_at_the_same_time() -> None:
    engine = build(STAGES[0])
    engine.create_network("shop", {})
    project: Json = {"com.docker.compose.project": "p"}
    started(engine, "alone", {})
    started(engine, "web", {}, "shop")
    started(engine, "one", {"Binds": ["/srv/a:/a"]})
    started(engine, "inner", {"Binds": ["/srv/a/b:/b"]})
    started(engine, "db", {}, "shop")
    started(engine, "side", {"NetworkMode": f"container:{engine.container('alone').id}"})
    started(engine, "p1", {}, labels=project)
    started(engine, "p2", {}, labels=project)
    names = ("web", "alone", "one", "inner", "p1", "db", "side", "p2")
    found = groups((name, (engine.container(name),)) for name in names)
    assert {frozenset(group) for group in found} == {
        frozenset({"alone", "side"}), frozenset({"web", "db"}), frozenset({"one", "inner"}), frozenset({"p1", "p2"})
    }  # fmt: skip
    assert all([names.index(name) for name in group] == sorted(names.index(name) for name in group) for group in found)


def test_who_shares_with_two_groups_makes_them_one() -> None:
    engine = build(STAGES[0])
    for network in ("a", "b"):
        engine.create_network(network, {})
    started(engine, "one", {}, "a")
    started(engine, "two", {}, "b")
    started(engine, "both", {}, "a", "b")
    assert groups((name, (engine.container(name),)) for name in ("one", "two", "both")) == (("one", "two", "both"),)


def test_a_stack_is_near_to_whoever_shares_with_one_of_its_members() -> None:
    engine = build(STAGES[0])
    engine.create_network("a", {})
    for name, networks in (("one", ()), ("two", ("a",)), ("near", ("a",)), ("far", ())):
        started(engine, name, {}, *networks)
    stack = ("stack", (engine.container("one"), engine.container("two")))
    rest = [(name, (engine.container(name),)) for name in ("near", "far")]
    assert groups([stack, *rest]) == (("stack", "near"), ("far",))


def test_what_goes_with_a_stack_does_not_go_alone() -> None:
    stacks = "stacks: {s: {members: {b: same, c: '3'}}, idle: {members: {d: same}}}"
    config = config_from_yaml(f"targets: {{a: {{goal: '2'}}, b: {{goal: '2'}}}}\n{stacks}\n", "refloat.yaml")
    assert parts_of(config) == {"a": ("a",), "s": ("b", "c"), "idle": ("d",)}
    assert [name for name in parts_of(config) if has_goal(config, name)] == ["a", "s"]


@pytest.fixture(scope="module")
def story() -> Story:
    home: Path = new_home()
    act(STAGES[1], build(STAGES[1]), home)
    return story_of_run(home, runner_on(build(STAGES[1]), home).session.runs.all()[0])


def fleet(story: Story) -> tuple[One, ...]:
    return (
        One(
            target="db", ending=Ending.ROLLED_BACK, exit=5, old="1.0", new="2.0", runs=(story.run,), why="it <crashed>"
        ),
        One(target="web", ending=Ending.NOT_BEGUN, why="another one had to be rolled back first"),
    )


@pytest.mark.parametrize("form", list(Format))
def test_one_report_holds_the_table_and_the_report_of_every_run(story: Story, form: Format) -> None:
    text = fleet_report(fleet(story), (story,), form)
    assert story.run in text
    if form is not Format.JUNIT:
        assert "not begun" in text
    if form is Format.HTML:
        assert "it <crashed>" not in text
        assert text.count("<!doctype html>") == 1
    if form is Format.JUNIT:
        assert fromstring(text).findall("testsuite")  # noqa: S314  # our own, written a moment ago
    if form is Format.JSON:
        told = json.loads(text)
        assert (told["exit"], told["reports"][0]["run"]) == (5, story.run)


def test_the_table_says_the_end_and_why(story: Story) -> None:
    assert "db      rolled back  1.0   2.0" in table(fleet(story))
    assert as_json(fleet(story))["exit"] == 5
