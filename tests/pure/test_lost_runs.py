"""A run whose journal is lost is found by whom it concerns, and does not stand in anybody else's way."""

from __future__ import annotations

from pathlib import Path

import pytest

from runner.clock import MemoryClock
from runner.engine.memory import MemoryEngine, RunnerDied
from runner.errors import Refused, Stuck
from runner.goal import Goal
from runner.records import End
from runner.session import Session
from runner.vault.memory import MemoryVault
from runner.vault.port import VaultPlace
from runner.verbs import Refloat
from tests.pure.sweep.stages import NAME, OLD, STAGES, prepared

ELSEWHERE = VaultPlace(volume="another-vault")


def runner(engine: MemoryEngine, home: Path, fatal: str = "") -> Refloat:
    def announce(boundary: str) -> None:
        if boundary == fatal:
            raise RunnerDied(boundary)

    return Refloat(Session(home=home, engine=engine, vault=MemoryVault(engine), clock=MemoryClock(), announce=announce))


@pytest.fixture
def lost(tmp_path: Path) -> Refloat:
    """A runner without a journal on an engine where another one died after it had stopped the target."""
    engine, home = prepared(STAGES[0])
    dying = runner(engine, home, "did stop-container")
    with pytest.raises(RunnerDied):
        dying.apply(dying.plan(NAME, Goal(to="2.0")))
    return runner(engine, tmp_path)


def test_it_is_found_by_the_targets_name(lost: Refloat) -> None:
    assert [end.end for end in lost.recover(NAME)] == [End.OLD]


def test_an_upgrade_that_no_journal_knows_is_rolled_back_by_its_plan_in_the_vault(tmp_path: Path) -> None:
    engine, home = prepared(STAGES[0])
    before, first = dict(engine.world.data["mondata"]), runner(engine, home)
    first.apply(first.plan(NAME, Goal(to="2.0"), place=ELSEWHERE))
    other = runner(engine, tmp_path)
    with pytest.raises(Refused, match="none in the vault refloat-vault") as refused:
        other.offer_rollback(NAME)
    assert (refused.value.code, "--vault" in refused.value.then) == ("nothing-to-roll-back", True)
    assert other.rollback(other.offer_rollback(NAME, place=ELSEWHERE)).end is End.NEW
    assert engine.container(NAME).image_ref == OLD
    assert engine.world.data["mondata"] == before


def test_without_its_papers_it_asks_for_the_vault(lost: Refloat) -> None:
    with pytest.raises(Stuck) as stuck:
        lost.recover(NAME, place=ELSEWHERE)
    assert stuck.value.code == "no-papers"


def test_one_without_papers_is_no_hindrance_to_the_others(tmp_path: Path) -> None:
    engine, home = prepared(STAGES[0])
    engine.create_container("second", {"Image": OLD, "HostConfig": {"Binds": ["seconddata:/data"]}})
    engine.start("second")
    for name, place in ((NAME, VaultPlace()), ("second", ELSEWHERE)):
        dying = runner(engine, home, "did stop-container")
        with pytest.raises(RunnerDied):
            dying.apply(dying.plan(name, Goal(to="2.0"), place=place))
    other = runner(engine, tmp_path)
    with pytest.raises(Stuck, match="second-refloat-next") as stuck:
        other.recover()
    assert stuck.value.code == "no-papers"
    assert engine.container(NAME).state.running
    assert not engine.container("second").state.running


def test_another_target_is_recovered_without_its_papers(lost: Refloat) -> None:
    assert lost.recover("somebody-else", place=ELSEWHERE) == ()
