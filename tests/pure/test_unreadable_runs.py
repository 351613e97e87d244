"""A run that another version of refloat wrote: left aside with a notice, in nobody's way, and nothing of it removed."""

from __future__ import annotations

from pathlib import Path

import pytest

from runner.cli.main import status_of
from runner.engine.memory import MemoryEngine
from runner.errors import Refused
from runner.goal import Goal
from runner.journal import Runs
from runner.options import Options
from runner.pruning import find_leftovers
from runner.standing import find_run
from runner.vault.port import VaultPlace
from tests.pure.sweep.stages import NAME, STAGES, act, build, runner_on
from tests.pure.test_reading_verbs import much_later

STRANGE = "20200101-000000-ffffff"


def with_strange_run(home: Path, run: str = STRANGE) -> None:
    folder = Runs(home).folder(run)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "plan.json").write_text('{"format": 99}')


@pytest.fixture
def engine(tmp_path: Path) -> MemoryEngine:
    """A machine with a strange run, on which an upgrade went through."""
    with_strange_run(tmp_path)
    engine = build(STAGES[0])
    act(STAGES[0], engine, tmp_path)
    return engine


def test_it_is_in_no_other_runs_way(engine: MemoryEngine, tmp_path: Path) -> None:
    runner = runner_on(engine, tmp_path)
    offer = runner.offer_rollback(NAME)
    assert offer.plan.target == NAME
    assert runner.recover() == ()
    with pytest.raises(Refused) as nothing_open:
        runner.commit(NAME)
    assert nothing_open.value.code == "nothing-open"
    assert find_run(Runs(tmp_path), NAME) != STRANGE
    plan = runner.plan(NAME, Goal(image="vendor/mon:1.0"), Options(deadline_s=10))
    assert plan.target == NAME


def test_prune_removes_nothing_of_it(engine: MemoryEngine, tmp_path: Path) -> None:
    (run,) = Runs(tmp_path).readable()
    with_strange_run(tmp_path, run)
    session = much_later(runner_on(engine, tmp_path).session)
    assert [each for each in find_leftovers(session, VaultPlace(), foreign=True) if run in str(each)] == []


def test_it_is_said_that_it_is_left_aside(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("REFLOAT_HOME", str(tmp_path))
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/no.sock")
    with_strange_run(tmp_path)
    assert status_of(["ls"]) == 8
    assert f"Run {STRANGE} cannot be read" in capsys.readouterr().err
