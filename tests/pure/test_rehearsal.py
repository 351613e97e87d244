"""Rehearsals on the memory engine: the verdict, an untouched target, nothing left behind wherever the runner dies."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import pytest

from runner.archiving import Archiving
from runner.backing_up import BackedUp
from runner.backing_up import Wanted as BackupWanted
from runner.clock import MemoryClock
from runner.engine.memory import Behaviour, Fault, MemoryEngine, RunnerDied
from runner.engine.memory.behaviour import Answer as Reply
from runner.errors import RefloatError, Refused
from runner.facts import Container
from runner.goal import Goal
from runner.labels import RUN, may_be_run
from runner.options import Options
from runner.plan import Plan
from runner.pruning import find_leftovers, prune
from runner.recipes.loader import put_first
from runner.rehearsal import Rehearsed
from runner.rehearsals import require_rehearsal
from runner.rehearsing import Ears, Packed, Wanted, rehearse
from runner.report.ending import ending
from runner.report.proofs import NOT_ASKED
from runner.report.rehearsal import rehearsal_report
from runner.reports import story_of_run
from runner.staging import left_scenes
from runner.trouble import new_trouble
from runner.vault.archive_port import Archive, Depot
from runner.vault.memory import MemoryVault
from runner.vault.memory_archives import MemoryArchives
from runner.vault.port import VaultPlace
from runner.verbs import Refloat
from tests.pure.sweep.stages import DEPOT, MIGRATES, MIGRATES_AND_CRASHES, NAME, Stage, build, runner_on

BINDS = ("mondata:/data", "/srv/conf:/conf")
GOES_THROUGH = Stage("goes through", new=MIGRATES, policy="always", binds=BINDS)
SLOW = Behaviour(healthcheck=True, healthy_after_looks=12)
CRASHES = Stage("crashes", new=MIGRATES_AND_CRASHES, policy="always")
OPTIONS = Options(deadline_s=10)


@dataclass(frozen=True)
class Machine:
    """A machine in memory and a runner's disk."""

    engine: MemoryEngine
    home: Path
    memory_bytes: int = 0
    """Free memory; 0 where it is not known."""

    @property
    def runner(self) -> Refloat:
        vault = MemoryVault(self.engine)
        vault.space = vault.space.model_copy(update={"free_memory_bytes": self.memory_bytes})
        runner = runner_on(self.engine, self.home)
        return replace(runner, session=replace(runner.session, vault=vault))

    @property
    def archives(self) -> MemoryArchives:
        return MemoryArchives(self.engine)

    def back_up(self) -> BackedUp:
        wanted = BackupWanted(depot=DEPOT, place=VaultPlace())
        return Archiving(self.runner, self.archives).back_up(NAME, wanted, lambda _: None)

    @property
    def plan(self) -> Plan:
        return self.runner.plan(NAME, Goal(to="2.0"), OPTIONS)

    def rehearse(self, *, quick: bool = False, snapshot: str = "", archive: Archive | None = None) -> Rehearsed:
        runner = self.runner
        options = OPTIONS.model_copy(update={"at_rest": archive is not None})
        world, plan = runner.look(NAME, Goal(to="2.0"), options, VaultPlace())
        packed = Packed(self.archives, archive) if archive else None
        wanted = Wanted(options=OPTIONS, quick=quick, snapshot=snapshot, packed=packed)
        return rehearse(runner.session, world, plan, wanted, Ears(tell=lambda _: None, follow=lambda _: None))

    def picture(self) -> tuple[object, ...]:
        """All that must be as before; the vault's own folder is there once it was asked."""
        engine = self.engine
        data = {name: dict(files) for name, files in engine.data.items() if "vault" not in name}
        networks = sorted(network.name for network in engine.networks())
        tags = sorted(tag for image in engine.images() for tag in image.tags)
        return engine.containers(), data, networks, tags, self.rooms()

    def rooms(self) -> list[str]:
        return sorted(seen.room.run for seen in self.runner.session.vault.rooms(VaultPlace()))


def machine(stage: Stage, home: Path) -> Machine:
    return Machine(build(stage), home)


def test_a_rehearsal_passes_with_its_way_back_and_leaves_everything_as_it_was(tmp_path: Path) -> None:
    here = machine(GOES_THROUGH, tmp_path)
    before = here.picture()
    result = here.rehearse()
    assert (result.passed, result.rolled_back, result.exit_status) == (True, True, 0)
    assert here.picture() == before
    assert not left_scenes(here.runner.session)
    assert "the rehearsal passed" in rehearsal_report(result)


def test_what_the_new_version_did_to_the_data_is_told_under_the_targets_names(tmp_path: Path) -> None:
    result = machine(GOES_THROUGH, tmp_path).rehearse(quick=True)
    altered = {each.source: {(file.kind, file.path) for file in each.biggest} for each in result.changes}
    assert altered["volume mondata"] == {("changed", "db/rows"), ("added", "db/index"), ("deleted", "db/more")}
    assert result.growth_bytes is not None
    assert "1 file deleted" in rehearsal_report(result)


def test_the_downtime_to_expect_has_its_reasons(tmp_path: Path) -> None:
    result = machine(GOES_THROUGH, tmp_path).rehearse(quick=True)
    assert result.expected
    assert result.expected.downtime_s >= 0
    assert "to copy what changed, as for the snapshot just now" in rehearsal_report(result)
    assert "processor time and 1.0 MB of memory" in rehearsal_report(result)


def test_a_quick_one_leaves_the_way_back_out(tmp_path: Path) -> None:
    result = machine(GOES_THROUGH, tmp_path).rehearse(quick=True)
    assert (result.passed, result.rolled_back) == (True, None)


def test_a_version_that_crashes_fails_it_and_the_target_never_notices(tmp_path: Path) -> None:
    here = machine(CRASHES, tmp_path)
    before = here.picture()
    result = here.rehearse()
    assert (result.passed, result.exit_status) == (False, 4)
    assert here.picture() == before
    assert "the rehearsal failed" in rehearsal_report(result)


def test_an_old_version_that_does_not_come_up_on_a_copy_is_said_so(tmp_path: Path) -> None:
    here = machine(GOES_THROUGH, tmp_path)
    here.engine.world.behaviours[here.engine.container(NAME).image_id] = Behaviour(crashes=True)
    assert here.rehearse().code == "not-settled"


def test_a_target_without_data_is_rehearsed_too(tmp_path: Path) -> None:
    here = machine(Stage("no data", binds=()), tmp_path)
    before = here.picture()
    assert here.rehearse().passed
    assert here.picture() == before


def test_an_earlier_snapshot_does_as_well_and_stays(tmp_path: Path) -> None:
    here = machine(GOES_THROUGH, tmp_path)
    here.runner.rollback(here.runner.offer_rollback(run_of(here)))
    (snapshot, *_) = here.rooms()
    here.engine.calls.clear()
    assert here.rehearse(snapshot=snapshot).passed
    assert snapshot in here.rooms()
    assert "pause" not in {name for name, _ in here.engine.calls}
    for unknown in ("20200101-000000-aaaaaa", "a b", "Ü", "--x"):
        with pytest.raises(Refused) as refused:
            here.rehearse(snapshot=unknown)
        assert refused.value.code == "no-such-snapshot"
    assert not may_be_run("a b")
    assert may_be_run(f"{snapshot}.2")


def test_an_archive_is_played_on_and_the_target_is_neither_paused_nor_asked(tmp_path: Path) -> None:
    here = machine(GOES_THROUGH, tmp_path)
    made = here.back_up()
    here.engine.world.data["mondata"]["db/rows"] = "rows of today"
    before = here.picture()
    here.engine.calls.clear()
    result = here.rehearse(archive=Archive(depot=DEPOT, name=made.archive.rpartition("/")[2]))
    assert (result.passed, result.rolled_back, result.paused_s) == (True, True, None)
    assert not [call for call in here.engine.calls if call[0] == "pause" or (call[0] == "execute" and NAME in call[1])]
    assert here.picture() == before
    assert not left_scenes(here.runner.session)
    assert here.rehearse(snapshot=made.run).passed, "the snapshot of the backup does as well"


def test_on_an_archive_a_target_that_does_not_run_is_rehearsed_and_stays_at_rest(tmp_path: Path) -> None:
    here = machine(GOES_THROUGH, tmp_path)
    made = here.back_up()
    here.engine.stop(NAME, 10)
    before = here.picture()
    result = here.rehearse(archive=Archive(depot=DEPOT, name=made.archive.rpartition("/")[2]))
    assert (result.passed, result.rolled_back) == (True, True), result.why
    assert here.picture() == before
    with pytest.raises(Refused, match="not running"):
        here.rehearse()


def test_an_archive_of_something_else_is_refused_and_leaves_nothing(tmp_path: Path) -> None:
    here = machine(GOES_THROUGH, tmp_path)
    before = here.picture()
    with pytest.raises(RefloatError) as refused:
        here.rehearse(archive=Archive(depot=Depot(path="/srv/none"), name="app.tar.zst"))
    assert (refused.value.code, refused.value.exit_status) == ("no-archive", 3)
    assert here.picture()[:1] == before[:1]
    assert here.rooms() == []
    assert not left_scenes(here.runner.session)


def run_of(here: Machine) -> str:
    return here.runner.apply(here.plan).run


def test_the_gate_wants_this_very_change_passed_and_young(tmp_path: Path) -> None:
    here = machine(GOES_THROUGH, tmp_path)
    session = here.runner.session
    with pytest.raises(Refused, match="never rehearsed") as refused:
        require_rehearsal(session, here.plan)
    assert refused.value.code == "not-rehearsed"
    here.rehearse(quick=True)
    require_rehearsal(session, here.plan)
    later = replace(session, clock=MemoryClock(session.clock.now() + timedelta(days=1)))
    with pytest.raises(Refused, match="older than 12 hours"):
        require_rehearsal(later, here.plan, timedelta(hours=12))
    here.engine.set_restart_policy(NAME, {"Name": "no", "MaximumRetryCount": 0})
    with pytest.raises(Refused, match="it changed since"):
        require_rehearsal(session, here.plan)


OWN_RECIPE = """
name: mon
title: Mon
verified: documentation
images: [{{repository: vendor/mon}}]
scheme: semver
version_from: [{{kind: tag}}]
data_paths: [/data]
hops:
  - {{rule: any-forward, why: a test, source: "https://vendor.test"}}
downgrade: never
backward: {{why: a test, source: "https://vendor.test"}}
danger_log: [{danger}]
probes: [{{kind: tcp, port: 80}}]
evidence: [{{name: rows, kind: command, argv: [rows], compare: equal}}]
"""


@pytest.fixture
def recipe(tmp_path: Path) -> Iterator[Callable[[str], None]]:
    """What puts a recipe of the target's in place that knows this line as dangerous."""

    def put(danger: str) -> None:
        (tmp_path / "mon.yaml").write_text(OWN_RECIPE.format(danger=danger), encoding="utf-8")
        put_first([tmp_path / "mon.yaml"])

    yield put
    put_first([])


def test_the_gate_wants_it_rehearsed_with_the_recipe_of_today(tmp_path: Path, recipe: Callable[[str], None]) -> None:
    recipe("on fire")
    here = machine(GOES_THROUGH, tmp_path)
    assert here.rehearse(quick=True).passed
    require_rehearsal(here.runner.session, here.plan)
    recipe("in flames")
    with pytest.raises(Refused, match="it changed since"):
        require_rehearsal(here.runner.session, here.plan)


def test_what_the_old_version_does_not_answer_stays_unproven(tmp_path: Path, recipe: Callable[[str], None]) -> None:
    recipe("on fire")
    here = machine(GOES_THROUGH, tmp_path)
    unproven = ("port 80 accepts", "evidence “rows”")
    result = here.rehearse(quick=True)
    assert (result.passed, result.unasked) == (True, unproven)
    assert "\n  ".join(("did not answer it either", *unproven)) in rehearsal_report(result)
    end = here.runner.apply(here.plan)
    assert (end.exit_status, end.unasked) == (0, unproven)
    assert "Unproven, for the old version did not answer it either: port 80 accepts, evidence “rows”." in ending(end)
    story = story_of_run(here.home, end.run)
    assert [each.text for each in story.warnings if each.code == "noted"] == [
        "mon does not answer this, so of the new version it stays unproven: port 80 accepts, evidence “rows”"
    ]
    assert [each.answer for each in story.probes] == [NOT_ASKED]


def test_evidence_that_fails_it_is_shown_with_both_values(tmp_path: Path, recipe: Callable[[str], None]) -> None:
    recipe("on fire")
    seven, none = (Behaviour(answers=(Reply(argv=("rows",), stdout=rows),)) for rows in ("7", "0"))
    here = machine(Stage("loses rows", old=seven, new=none), tmp_path)
    result = here.rehearse()
    assert (result.passed, result.code) == (False, "evidence")
    assert [(one.ok, one.before, one.after) for one in result.evidence] == [(False, "7", "0")]
    assert "✗ rows: 7 → 0: it must not change" in rehearsal_report(result)


def test_a_failed_rehearsal_does_not_open_the_gate(tmp_path: Path) -> None:
    here = machine(CRASHES, tmp_path)
    here.rehearse()
    with pytest.raises(Refused, match="failed"):
        require_rehearsal(here.runner.session, here.plan)


def dead_from(is_last: Callable[[int, str], bool]) -> Callable[[str, tuple[object, ...]], Fault | None]:
    """The runner dies after this call; what its own tidying asks for afterwards never happens, as after SIGKILL."""
    calls: list[str] = []
    last: list[int] = []

    def fault(name: str, _arguments: tuple[object, ...]) -> Fault | None:
        calls.append(name)
        if last:
            return Fault.CRASHED_BEFORE
        if is_last(len(calls) - 1, name):
            last.append(len(calls))
            return Fault.CRASHED_AFTER
        return None

    return fault


def died_at(stage: Stage, home: Path, number: int) -> Machine | None:
    """The machine after the runner died at this call of a rehearsal; None where there are fewer calls."""
    here = machine(stage, home)
    here.engine.faults = dead_from(lambda count, _: count == number)
    try:
        here.rehearse(quick=True)
    except RunnerDied:
        here.engine.faults = None
        return here
    return None


def killed(home: Path) -> Iterator[Machine]:
    for number in range(0, 10**6, 7):
        here = died_at(GOES_THROUGH, home / str(number), number)
        if here is None:
            return
        yield here


def clear_left(runner: Refloat, turn: int) -> None:
    """What a dead runner left is gone, by turns after ``recover`` and after ``prune``."""
    session = runner.session
    if turn % 2:
        runner.recover()
    else:
        for leftover in find_leftovers(session, VaultPlace()):
            prune(session, leftover)
    ours = [each.name for each in session.engine.containers({RUN: ""})]
    assert not ours, f"left behind: {ours}"


def is_up(container: Container) -> bool:
    return container.state.running


def test_a_rehearsal_killed_anywhere_is_cleared_away_by_recover_or_prune(tmp_path: Path) -> None:
    clean = machine(GOES_THROUGH, tmp_path).picture()
    seen = 0
    for seen, here in enumerate(killed(tmp_path), 1):
        assert not runner_on(here.engine, tmp_path / "elsewhere").recover(), "a copy is nobody's upgrade"
        clear_left(here.runner, seen)
        assert is_up(here.engine.container(NAME))
        assert here.picture()[1:] == clean[1:]
    assert seen > 10


def test_a_target_left_paused_is_woken_up_by_recover(tmp_path: Path) -> None:
    here = machine(GOES_THROUGH, tmp_path)
    here.engine.faults = dead_from(lambda _, name: name == "pause")
    with pytest.raises(RunnerDied):
        here.rehearse()
    here.engine.faults = None
    assert here.engine.container(NAME).state.status == "paused"
    here.runner.recover()
    assert is_up(here.engine.container(NAME))


def test_what_another_version_left_is_left_to_it(tmp_path: Path) -> None:
    here = machine(GOES_THROUGH, tmp_path)
    scene = tmp_path / "rehearsals" / "20200101-000000-aaaaaa" / "scene.json"
    scene.parent.mkdir(parents=True)
    scene.write_text('{"of": "another version"}', encoding="utf-8")
    assert left_scenes(here.runner.session) == ()
    assert here.rehearse(quick=True).passed
    assert scene.exists()


def test_a_target_that_cannot_be_frozen_at_once_is_asked_again(tmp_path: Path) -> None:
    here, tries = machine(GOES_THROUGH, tmp_path), []

    def unwilling(name: str, _: tuple[object, ...]) -> Fault | None:
        tries.append(name)
        return Fault.REFUSED if name == "pause" and tries.count("pause") < 3 else None

    here.engine.faults = unwilling
    assert here.rehearse(quick=True).passed
    assert tries.count("pause") == 3


def test_who_paused_the_target_otherwise_finds_it_paused(tmp_path: Path) -> None:
    here = machine(GOES_THROUGH, tmp_path)

    def somebody(name: str, _: tuple[object, ...]) -> None:
        if name == "create_network":
            here.engine.world.cell(NAME).set_state(status="paused")

    here.engine.faults = somebody
    here.rehearse(quick=True)
    assert here.engine.container(NAME).state.status == "paused"


def test_only_trouble_that_is_new_is_shown() -> None:
    before = "ts=1 error: disk 7 slow\nts=2 ready"
    after = "ts=9 error: disk 8 slow\nts=3 warning: flag gone\nts=4 warning: flag gone\nts=5 ready again"
    assert new_trouble(before, after) == ("ts=3 warning: flag gone",)


def slow_to_come_up(home: Path, *, memory_bytes: int, new: Behaviour = MIGRATES) -> Machine:
    """A machine whose target takes long to be healthy, and by now is, with so much memory free."""
    here = Machine(build(Stage("slow", new=new, old=SLOW, binds=BINDS)), home, memory_bytes)
    while (health := here.engine.container(NAME).state.health) and health.status != "healthy":
        continue
    return here


def twins(here: Machine) -> list[str]:
    """The copies of the old version that were ever started beside the new one."""
    started = (str(arguments[0]) for name, arguments in here.engine.calls if name == "start")
    return [name for name in started if name.endswith("-twin")]


def test_what_takes_long_comes_up_on_its_snapshot_beside_the_new_one_and_the_way_back_is_played_too(
    tmp_path: Path,
) -> None:
    here = slow_to_come_up(tmp_path, memory_bytes=10**9)
    before = here.picture()
    result = here.rehearse()
    assert (result.passed, result.rolled_back, result.beside) == (True, True, True), result.why
    assert "healthy on its data again beside the new one" in rehearsal_report(result)
    assert twins(here)
    assert here.picture() == before
    assert not left_scenes(here.runner.session)


@pytest.mark.parametrize(("memory_bytes", "quick"), [(2**20, False), (10**9, True)])
def test_nothing_starts_beside_the_new_one_where_memory_is_short_or_the_way_back_left_out(
    memory_bytes: int, quick: bool, tmp_path: Path
) -> None:
    here = slow_to_come_up(tmp_path, memory_bytes=memory_bytes)
    result = here.rehearse(quick=quick)
    assert (result.passed, result.beside) == (True, False)
    assert not twins(here)


@pytest.mark.parametrize("memory_bytes", [0, 10**9])
def test_a_way_back_to_a_version_that_runs_but_is_not_healthy_fails(memory_bytes: int, tmp_path: Path) -> None:
    here = slow_to_come_up(tmp_path, memory_bytes=memory_bytes)
    before, image = here.picture(), here.engine.container(NAME).image_id

    def spoilt(name: str, _: tuple[object, ...]) -> None:
        if name == "rename":
            here.engine.world.behaviours[image] = Behaviour(healthcheck=True, never_healthy=True)

    here.engine.faults = spoilt
    result = here.rehearse()
    assert (result.passed, result.rolled_back, result.code) == (False, False, "no-way-back"), result
    assert "came back, but not up" in result.why
    here.engine.faults = None
    assert here.picture()[1:] == before[1:]


def test_a_version_that_fails_beside_the_old_one_is_undone_as_ever(tmp_path: Path) -> None:
    here = slow_to_come_up(tmp_path, memory_bytes=10**9, new=MIGRATES_AND_CRASHES)
    before = here.picture()
    result = here.rehearse()
    assert (result.passed, result.rolled_back, result.code) == (False, None, "crashed"), result.why
    assert here.picture() == before


def test_killed_beside_the_new_one_the_old_one_is_cleared_away_too(tmp_path: Path) -> None:
    here = slow_to_come_up(tmp_path, memory_bytes=10**9)
    before = here.picture()
    here.engine.faults = dead_from(lambda _, name: name == "usage" and bool(twins(here)))
    with pytest.raises(RunnerDied):
        here.rehearse()
    here.engine.faults = None
    assert twins(here)
    here.runner.recover()
    assert here.picture()[1:] == before[1:]
