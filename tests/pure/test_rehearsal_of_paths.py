"""Rehearsals of several hops on the memory engine: each on what the one before left, then back over all of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from runner.engine.memory import RunnerDied
from runner.errors import Refused
from runner.goal import Goal
from runner.hopping import Walk
from runner.hops_ahead import HopsAhead
from runner.labels import RUN
from runner.rehearsal import Rehearsed
from runner.rehearsals import MAX_AGE
from runner.rehearsed_path import HopTo
from runner.rehearsing import Ears, Wanted, rehearse
from runner.report.rehearsal import rehearsal_report
from runner.staging import left_scenes
from runner.vault.port import VaultPlace
from tests.pure.sweep.stages import NAME
from tests.pure.test_candidates import machine_of_four
from tests.pure.test_rehearsal import OPTIONS, Machine, dead_from, is_up


def rehearsed_along(here: Machine, *versions: str, quick: bool = False) -> Rehearsed:
    refs = tuple(f"vendor/mon:{version}" for version in versions)
    hops = tuple(HopTo(ref=ref, image=here.engine.image(ref)) for ref in refs)
    runner = here.runner
    world, plan = runner.look(NAME, Goal(to=versions[0]), OPTIONS, VaultPlace())
    wanted = Wanted(options=OPTIONS, quick=quick, hops=hops[1:])
    return rehearse(runner.session, world, plan, wanted, Ears(tell=lambda _: None, follow=lambda _: None))


def walk(here: Machine, *versions: str) -> Walk:
    ahead = HopsAhead(target=NAME, start="1.0", versions=versions, tags=versions)
    return Walk(here.runner, ahead, OPTIONS, VaultPlace(), Goal(to=versions[-1]), lambda _, __: pytest.fail("begun"),
                rehearsed_within=MAX_AGE)  # fmt: skip


def test_every_hop_is_played_on_what_the_one_before_left_and_all_are_taken_back(tmp_path: Path) -> None:
    here = machine_of_four(tmp_path)
    before = here.picture()
    result = rehearsed_along(here, "2.0", "4.0")
    assert (result.passed, result.rolled_back, result.old, result.new) == (True, True, "1.0", "4.0"), result.why
    assert [(each.old, each.new, each.passed) for each in result.hops] == [("1.0", "2.0", True), ("2.0", "4.0", True)]
    assert [sum(len(one.biggest) for one in each.changes) for each in result.hops] == [3, 0], "only 2.0 migrates"
    assert result.expected
    assert result.expected.downtime_s == sum(each.expected.downtime_s for each in result.hops if each.expected)
    assert here.picture() == before
    assert not left_scenes(here.runner.session)
    told = rehearsal_report(result)
    for words in (
        "1.0 → 4.0: the rehearsal passed",
        "Hop 1: 1.0 → 2.0 passed",
        "Hop 2: 2.0 → 4.0 passed",
        "refloat apply",
    ):
        assert words in told


def test_a_hop_that_fails_fails_the_path_and_says_which(tmp_path: Path) -> None:
    here = machine_of_four(tmp_path)
    before = here.picture()
    result = rehearsed_along(here, "2.0", "3.0", "4.0")
    assert (result.passed, result.rolled_back, len(result.hops)) == (False, None, 2)
    assert result.why.startswith("Hop 2 of 3 (2.0 → 3.0): the copy does not stay up")
    assert "Hop 2: 2.0 → 3.0 failed" in rehearsal_report(result)
    assert here.picture() == before


def test_only_the_rehearsal_of_this_very_path_opens_its_gate(tmp_path: Path) -> None:
    here = machine_of_four(tmp_path)
    rehearsed_along(here, "2.0", quick=True)
    with pytest.raises(Refused, match="another change") as refused:
        walk(here, "2.0", "4.0").walk()
    assert (refused.value.code, refused.value.then) == ("not-rehearsed", f"refloat rehearse {NAME} --to 4.0")
    rehearsed_along(here, "2.0", "4.0", quick=True)
    walk(here, "2.0", "4.0").require_rehearsed()


def test_killed_anywhere_it_is_cleared_away_by_the_next_call(tmp_path: Path) -> None:
    clean = machine_of_four(tmp_path / "clean").picture()
    number, seen = 110, 0
    while True:
        here = machine_of_four(tmp_path / str(number))
        here.engine.faults = dead_from(lambda count, _, last=number: count == last)  # type: ignore[misc]  # bound now
        try:
            rehearsed_along(here, "2.0", "4.0")
        except RunnerDied:
            here.engine.faults = None
        else:
            break
        here.runner.recover()
        assert is_up(here.engine.container(NAME))
        assert not [each.name for each in here.engine.containers({RUN: ""})]
        assert here.picture()[1:] == clean[1:]
        number, seen = number + 31, seen + 1
    assert seen > 5
