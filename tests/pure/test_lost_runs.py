"""A run whose journal is lost is found by whom it concerns, and does not stand in anybody else's way."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pytest

from runner.clock import MemoryClock
from runner.engine.memory import MemoryEngine, RunnerDied
from runner.errors import Refused, Stuck
from runner.goal import Goal
from runner.options import Options
from runner.records import End
from runner.session import Session
from runner.stacking import Part, Stack
from runner.vault.memory import MemoryVault
from runner.vault.port import VaultPlace
from runner.verbs import Refloat
from tests.pure.sweep.stages import NAME, OLD, STACKS, STAGES, WEB, build, prepared

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


def stack_on(home: Path, fatal: str) -> MemoryEngine:
    """An engine on which a stack was upgraded by a runner that is gone with its disk, maybe on the way."""
    engine = build(next(stage for stage in STACKS if stage.name == "two of a stack go through"))
    gone, goal, options = runner(engine, home, fatal), Goal(to="2.0"), Options(deadline_s=10)
    parts = tuple(Part(target=name, goal=goal, options=options) for name in (NAME, WEB))
    with suppress(RunnerDied):
        gone.apply(gone.plan_stack(Stack(name="pair", parts=parts, options=options)))
    return engine


def test_a_stack_is_found_by_its_name_which_only_the_papers_tell(tmp_path: Path) -> None:
    engine = stack_on(tmp_path / "gone", "did start-successor")
    other = runner(engine, tmp_path / "here")
    assert other.recover("another") == ()
    (end,) = other.recover("pair")
    assert (end.target, end.end) == ("pair", End.OLD)
    assert [engine.container(name).image_ref for name in (NAME, WEB)] == [OLD, "vendor/web:1.0"]


def test_a_stack_that_no_journal_knows_is_rolled_back_by_its_name(tmp_path: Path) -> None:
    engine = stack_on(tmp_path / "gone", "")
    other = runner(engine, tmp_path / "here")
    assert other.rollback(other.offer_rollback("pair")).end is End.NEW
    assert [engine.container(name).image_ref for name in (NAME, WEB)] == [OLD, "vendor/web:1.0"]
    with pytest.raises(Refused, match="There is no container another"):
        other.offer_rollback("another")
