"""Several versions on one snapshot, on the memory engine: each its own verdict, one pause, nothing left behind."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from runner.candidates import Candidate, rehearse_each
from runner.engine.memory import Behaviour, Fault, RunnerDied
from runner.errors import Interrupted, Refused
from runner.facts import Image
from runner.goal import Goal
from runner.playing import Ears
from runner.rehearsal import Rehearsed
from runner.rehearsing import Wanted
from runner.report.candidates import Tried, candidates_json, candidates_report, exit_status
from runner.staging import left_scenes
from runner.vault.port import VaultPlace
from tests.pure.sweep.stages import MIGRATES, NAME
from tests.pure.test_rehearsal import GOES_THROUGH, OPTIONS, Machine, clear_left, dead_from, is_up, machine

CRASHING = Image(id="sha256:" + "3" * 64, tags=("vendor/mon:3.0",), config={"Cmd": ["run"]}, architecture="amd64")
QUIET = Image(id="sha256:" + "4" * 64, tags=("vendor/mon:4.0",), config={"Cmd": ["run"]}, architecture="amd64")


def machine_of_four(home: Path) -> Machine:
    here = machine(GOES_THROUGH, home)
    here.engine.world.add_image(CRASHING, MIGRATES.model_copy(update={"crashes": True}))
    here.engine.world.add_image(QUIET, Behaviour())
    return here


def rehearsed(here: Machine, *versions: str, quick: bool = False, snapshot: str = "", at_once: int = 1,
              interrupted: Callable[[], bool] = lambda: False) -> tuple[Rehearsed, ...]:  # fmt: skip
    """One after the other by default: the memory engine's calls can be counted then."""
    candidates = []
    for version in versions:
        runner = here.runner
        world, plan = runner.look(NAME, Goal(to=version), OPTIONS, VaultPlace())
        session = replace(runner.session, interrupted=interrupted)
        candidates.append(Candidate(session, world, plan, Ears(tell=lambda _: None, follow=lambda _: None)))
    wanted = Wanted(options=OPTIONS, quick=quick, snapshot=snapshot)
    return rehearse_each(here.runner.session, tuple(candidates), wanted, lambda _: None, at_once)


@pytest.mark.parametrize("at_once", [1, 3])
def test_each_version_has_its_own_verdict_on_one_snapshot(tmp_path: Path, at_once: int) -> None:
    here = machine_of_four(tmp_path)
    before = here.picture()
    results = rehearsed(here, "2.0", "3.0", "4.0", at_once=at_once)
    assert [(each.new, each.passed, each.rolled_back) for each in results] == [
        ("2.0", True, True), ("3.0", False, None), ("4.0", True, True),
    ]  # fmt: skip
    assert [name for name, _ in here.engine.calls].count("pause") == 1
    assert here.picture() == before
    assert not left_scenes(here.runner.session)
    assert len([*(tmp_path / "locks").glob("*rehearsal*")]) == 1
    assert sorted(path.stem for path in (tmp_path / "rehearsals").glob("*.json")) == sorted(r.run for r in results)
    assert {path.name for path in (tmp_path / "rehearsals").iterdir() if path.is_dir()} == {r.run for r in results}


def test_a_snapshot_that_was_there_is_played_on_and_stays(tmp_path: Path) -> None:
    here = machine_of_four(tmp_path)
    run = here.runner.apply(here.plan).run
    here.runner.rollback(here.runner.offer_rollback(run))
    (snapshot, *_) = here.rooms()
    here.engine.calls.clear()
    assert all(each.passed for each in rehearsed(here, "2.0", "4.0", snapshot=snapshot))
    assert snapshot in here.rooms()
    assert "pause" not in {name for name, _ in here.engine.calls}


def test_a_version_that_the_engine_refuses_to_play_fails_alone(tmp_path: Path) -> None:
    here, made = machine_of_four(tmp_path), []

    def refuse(name: str, arguments: tuple[object, ...]) -> Fault | None:
        if name == "create_network":
            made.append(arguments)
        return Fault.REFUSED if name == "create_network" and len(made) == 1 else None

    here.engine.faults = refuse
    first, second = rehearsed(here, "2.0", "4.0")
    assert (first.passed, first.code, second.passed) == (False, "engine-failed", True)
    assert not left_scenes(here.runner.session)


def test_an_interrupt_ends_all_of_them_and_clears_all_away(tmp_path: Path) -> None:
    here, asked = machine_of_four(tmp_path), []

    def interrupted() -> bool:
        asked.append(1)
        return len(asked) > 5

    before = here.picture()
    with pytest.raises(Interrupted) as told:
        rehearsed(here, "2.0", "3.0", "4.0", interrupted=interrupted)
    assert told.value.stands == "All that was made for it is gone."
    assert here.picture() == before
    assert not left_scenes(here.runner.session)


def test_when_killed_anywhere_they_are_cleared_away_by_recover_or_prune(tmp_path: Path) -> None:
    clean = machine_of_four(tmp_path / "clean").picture()
    number, seen = 60, 0
    while True:
        here = machine_of_four(tmp_path / str(number))
        here.engine.faults = dead_from(lambda count, _, last=number: count == last)  # type: ignore[misc]  # bound now
        try:
            rehearsed(here, "2.0", "4.0", quick=True)
        except RunnerDied:
            here.engine.faults = None
        else:
            break
        clear_left(here.runner, seen)
        assert is_up(here.engine.container(NAME))
        assert here.picture()[1:] == clean[1:]
        number, seen = number + 23, seen + 1
    assert seen > 5


def test_the_table_says_which_versions_work_and_why_others_do_not(tmp_path: Path) -> None:
    first, second = rehearsed(machine_of_four(tmp_path), "2.0", "3.0")
    first = first.model_copy(update={"unasked": ("port 80 accepts",)})
    unknown = Refused("no-such-image", "There is no image vendor/mon:9 here.")
    tried = (Tried("2.0", first), Tried("3.0", second), Tried("9", refusal=unknown))
    lines = candidates_report(NAME, tried).splitlines()
    assert lines[1].split()[:3] == ["2.0", "works", "passed"]
    assert lines[1].endswith("Unproven, for the old version did not answer it either: port 80 accepts")
    assert "the copy does not stay up" in lines[2]
    assert lines[3].split()[:3] == ["9", "not", "tried"]
    assert "1 of 3 versions of mon work" in lines[5]
    assert (exit_status(tried), exit_status(tried[:1])) == (4, 0)
    told = candidates_json(NAME, tried)
    assert isinstance(told["candidates"], list)
    assert [each["passed"] for each in told["candidates"] if isinstance(each, dict)] == [True, False, False]
    assert [each["asked"] for each in told["candidates"] if isinstance(each, dict)] == ["2.0", "3.0", "9"]
