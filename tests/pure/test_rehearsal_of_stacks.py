"""Rehearsals of a stack on the memory engine: all on clones of one moment, all back, nothing left wherever it dies."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from unittest.mock import patch

import pytest

from runner.engine.memory import Behaviour, MemoryEngine, RunnerDied
from runner.errors import Refused
from runner.facts import Json
from runner.goal import Goal
from runner.options import Options
from runner.plan import Plan
from runner.rehearsal import Rehearsed
from runner.rehearsals import require_rehearsal
from runner.rehearsing import Ears, Wanted
from runner.report.formats import Format, rendered
from runner.report.rehearsal import rehearsal_report
from runner.reports import story_of_rehearsal
from runner.stack_rehearsing import rehearse_stack
from runner.stacking import Part, Stack
from runner.staging import left_scenes
from runner.vault.memory import MemoryVault
from runner.vault.port import VaultPlace
from runner.verbs import Refloat
from tests.pure.sweep.stages import MIGRATES, MIGRATES_AND_CRASHES, NAME, WEB, Stage, build, runner_on
from tests.pure.test_rehearsal import clear_left, dead_from

OPTIONS = Options(deadline_s=10)
BOTH_GO = Stage("both go", new=MIGRATES, web=MIGRATES, policy="always", networks=("far",))
SECOND_CRASHES = Stage("the second crashes", new=MIGRATES, web=MIGRATES_AND_CRASHES, policy="always")
ONE_STAYS = Stage("one stays", new=MIGRATES, web=MIGRATES, web_goes=False)
LODGES = Stage("one lodges", new=MIGRATES, web=MIGRATES, web_goes=False, web_joins=True)
AT_REST = Stage("one is at rest", new=MIGRATES, web=MIGRATES, web_runs=False)


@dataclass(frozen=True)
class Machine:
    """Two that go together in memory, and a runner's disk."""

    stage: Stage
    engine: MemoryEngine
    home: Path

    @property
    def runner(self) -> Refloat:
        return runner_on(self.engine, self.home)

    @property
    def stack(self) -> Stack:
        web = Part(target=WEB, goal=Goal(to="2.0") if self.stage.web_goes else None, options=OPTIONS)
        return Stack(name="pair", parts=(Part(target=NAME, goal=Goal(to="2.0"), options=OPTIONS), web), options=OPTIONS)

    @property
    def plan(self) -> Plan:
        return self.runner.plan_stack(self.stack)

    def rehearse(self, *, quick: bool = False, snapshot: str = "") -> Rehearsed:
        runner = self.runner
        members, plan = runner.look_at_stack(self.stack)
        wanted = Wanted(options=OPTIONS, quick=quick, snapshot=snapshot)
        return rehearse_stack(runner.session, members, plan, wanted, Ears(tell=lambda _: None, follow=lambda _: None))

    def picture(self) -> tuple[object, ...]:
        """All that must be as before; the vault's own folder is there once it was asked."""
        engine = self.engine
        data = {name: dict(files) for name, files in engine.data.items() if "vault" not in name}
        networks = sorted(network.name for network in engine.networks())
        tags = sorted(tag for image in engine.images() for tag in image.tags)
        return engine.containers(), data, networks, tags, sorted(engine.world.volumes.keys() - {"refloat-vault"})

    def named(self, call: str) -> list[tuple[object, ...]]:
        return [arguments for name, arguments in self.engine.calls if name == call]


def machine(stage: Stage, home: Path) -> Machine:
    return Machine(stage, build(stage), home)


@pytest.mark.parametrize("stage", [BOTH_GO, ONE_STAYS, LODGES, AT_REST], ids=lambda stage: stage.name)
def test_it_passes_with_its_way_back_and_leaves_everything_as_it_was(stage: Stage, tmp_path: Path) -> None:
    here = machine(stage, tmp_path)
    before = here.picture()
    result = here.rehearse()
    assert (result.passed, result.rolled_back, result.exit_status) == (True, True, 0), result.why
    assert [member.target for member in result.members] == [NAME, WEB]
    assert here.picture() == before
    assert not left_scenes(here.runner.session)


def test_a_way_back_to_a_member_that_runs_but_is_not_healthy_fails(tmp_path: Path) -> None:
    stage = Stage("looked after", new=MIGRATES, old=Behaviour(healthcheck=True), web=MIGRATES, policy="always")
    here = machine(stage, tmp_path)
    while (health := here.engine.container(NAME).state.health) and health.status != "healthy":
        continue
    image = here.engine.container(NAME).image_id

    def spoilt(name: str, _: tuple[object, ...]) -> None:
        if name == "rename":
            here.engine.world.behaviours[image] = Behaviour(healthcheck=True, never_healthy=True)

    here.engine.faults = spoilt
    result = here.rehearse()
    assert (result.passed, result.rolled_back, result.code) == (False, False, "no-way-back"), result.why
    assert f"The old version of {NAME} came back, but not up" in result.why


MOMENT = ("pause", "unpause", "vault.warm_copy", "vault.cold_copy", "vault.seal")


def test_all_stand_still_before_the_first_is_copied_and_until_the_last_is_sealed(tmp_path: Path) -> None:
    here = machine(BOTH_GO, tmp_path)
    result = here.rehearse(quick=True)
    calls = [name for name, _ in here.engine.calls]
    still = [name for name in calls[calls.index("pause") : calls.index("unpause")] if name in MOMENT]
    assert still == ["pause", "pause", "vault.cold_copy", "vault.seal", "vault.cold_copy", "vault.seal"]
    assert result.paused_s is not None
    assert "All members of pair stood still" in rehearsal_report(result)


def test_nothing_but_a_pause_is_done_to_the_members(tmp_path: Path) -> None:
    here = machine(BOTH_GO, tmp_path)
    ids = {here.engine.container(name).id for name in (NAME, WEB)}
    here.engine.calls.clear()
    here.rehearse()
    touching = ("start", "stop", "kill", "rename", "connect", "remove_container", "set_restart_policy")
    theirs = {NAME, WEB, *ids}
    assert not [(name, args) for name, args in here.engine.calls if name in touching and theirs & set(map(str, args))]


def test_where_the_second_crashes_it_fails_and_says_who(tmp_path: Path) -> None:
    here = machine(SECOND_CRASHES, tmp_path)
    before = here.picture()
    result = here.rehearse()
    assert (result.passed, result.exit_status) == (False, 4)
    assert [member.passed for member in result.members] == [True, False]
    assert "the copy of web" in result.why
    assert here.picture() == before


def test_an_old_version_that_does_not_come_up_on_a_copy_is_named(tmp_path: Path) -> None:
    here = machine(BOTH_GO, tmp_path)
    here.engine.world.behaviours[here.engine.container(WEB).image_id] = Behaviour(crashes=True)
    result = here.rehearse()
    assert result.code == "not-settled"
    assert "old version of web" in result.why


def test_what_each_new_version_did_to_its_data_is_told_under_its_own_name(tmp_path: Path) -> None:
    here = machine(BOTH_GO, tmp_path)
    result = here.rehearse(quick=True)
    changes = {
        member.target: {file.path for one in member.changes for file in one.biggest} for member in result.members
    }
    assert changes == {NAME: {"db/rows", "db/index", "db/more"}, WEB: {"db/rows", "db/index", "db/more"}}
    story = story_of_rehearsal(tmp_path, result.run)
    assert [member.name for member in story.members] == [NAME, WEB]
    assert {each.name.partition(",")[0] for each in story.changes} == {NAME, WEB}


SAID = {
    Format.HTML: "web: 1.0 → 2.0",
    Format.JSON: '"change": "1.0 → 2.0"',
    Format.JUNIT: 'name="web: 1.0 → 2.0"',
    Format.MARKDOWN: "| ❌ | web | 1.0 → 2.0 |",
    Format.TEXT: "web 1.0 → 2.0: not proven",
}


@pytest.mark.parametrize("form", Format)
def test_every_report_names_the_members_and_who_was_not_proven(form: Format, tmp_path: Path) -> None:
    here = machine(SECOND_CRASHES, tmp_path)
    told = rendered(story_of_rehearsal(tmp_path, here.rehearse().run), form)
    assert SAID[form] in told
    assert "the copy of web" in told


def test_each_copy_gets_its_share_of_the_memory_that_is_free(tmp_path: Path) -> None:
    here = machine(BOTH_GO, tmp_path)
    runner = here.runner
    vault = runner.session.vault
    assert isinstance(vault, MemoryVault)
    vault.space = vault.space.model_copy(update={"free_memory_bytes": 8 * 2**30})
    members, plan = runner.look_at_stack(here.stack)
    ears = Ears(tell=lambda _: None, follow=lambda _: None)
    result = rehearse_stack(runner.session, members, plan, Wanted(options=OPTIONS, quick=True), ears)
    assert "2,147 MB of memory, its share of the half of what is free, of 2" in result.limits[0]
    bodies = [body for name, body in here.named("create_container") if "-rehearsal-" in str(name)]
    assert {body["HostConfig"]["Memory"] for body in bodies} == {2 * 2**30}  # type: ignore[index]  # a create body


def test_a_paused_member_is_refused(tmp_path: Path) -> None:
    here = machine(BOTH_GO, tmp_path)
    here.engine.pause(WEB)
    before = here.picture()
    with pytest.raises(Refused, match="web is paused"):
        here.rehearse()
    assert here.picture() == before


def test_members_meet_on_networks_of_their_own_under_their_names_and_nobody_else_is_there(tmp_path: Path) -> None:
    here = machine(BOTH_GO, tmp_path)
    here.engine.connect("far", WEB, {"Aliases": ["front"]})
    here.engine.calls.clear()
    here.rehearse(quick=True)
    made = [args[0] for args in here.named("create_network")]
    assert len(made) == 2
    joined = dict[str, set[str]]()
    for name, body in (args for args in here.named("create_container") if "-rehearsal-" in str(args[0])):
        assert isinstance(body, dict)
        assert body["HostConfig"]["NetworkMode"] in made, name
    for network, _, settings in here.named("connect"):
        assert isinstance(settings, dict)
        joined.setdefault(str(network), set()).update(map(str, settings["Aliases"]))
    assert joined.keys() <= set(made)
    assert {"mon-far", NAME, WEB, "front"} <= joined[made[1]]  # type: ignore[index]  # a network's name


def test_who_lodges_with_another_lodges_with_its_copy(tmp_path: Path) -> None:
    here = machine(LODGES, tmp_path)
    here.engine.calls.clear()
    assert here.rehearse(quick=True).passed
    modes = {str(name): body["HostConfig"]["NetworkMode"] for name, body in here.named("create_container")}  # type: ignore[index]
    mine = next(mode for name, mode in modes.items() if name.startswith(f"{WEB}-rehearsal") and "next" not in name)
    assert str(mine).startswith(f"container:{NAME}-rehearsal-")
    assert f"container:{here.engine.container(NAME).id}" not in modes.values()


def test_data_that_both_have_is_snapshot_and_cloned_once(tmp_path: Path) -> None:
    here = machine(BOTH_GO, tmp_path)
    image = here.engine.container(WEB).image_ref
    here.engine.remove_container(WEB, force=True, volumes=True)
    host: Json = {"Binds": ["mondata:/data", "webdata:/own"], "NetworkMode": "bridge"}
    here.engine.create_container(WEB, {"Image": image, "HostConfig": host})
    here.engine.start(WEB)
    before = here.picture()
    here.engine.calls.clear()
    result = here.rehearse()
    assert result.passed, result.why
    clones = [names for _, names, *_ in here.named("vault.clone")]
    assert [len(names) for names in clones] == [1, 1]  # type: ignore[arg-type]  # a mapping
    assert here.picture() == before


def test_the_snapshots_of_an_earlier_run_do_as_well_and_nobody_is_touched(tmp_path: Path) -> None:
    here = machine(BOTH_GO, tmp_path)
    run = here.runner.apply(here.plan).run
    here.runner.rollback(here.runner.offer_rollback("pair"))
    rooms = {seen.room.run for seen in here.runner.session.vault.rooms(VaultPlace())}
    here.engine.calls.clear()
    result = here.rehearse(snapshot=run)
    assert (result.passed, result.paused_s) == (True, None), result.why
    assert not here.named("pause")
    assert not here.named("vault.rooms"), "where much is kept, that takes long"
    assert {seen.room.run for seen in here.runner.session.vault.rooms(VaultPlace())} == rooms
    with pytest.raises(Refused, match="no snapshot of mon, web") as refused:
        here.rehearse(snapshot="20200101-000000-aaaaaa")
    assert refused.value.code == "no-such-snapshot"


def test_the_gate_wants_this_very_change_of_all_members(tmp_path: Path) -> None:
    here = machine(BOTH_GO, tmp_path)
    session = here.runner.session
    with pytest.raises(Refused, match="never rehearsed"):
        require_rehearsal(session, here.plan)
    here.rehearse(quick=True)
    require_rehearsal(session, here.plan)
    here.engine.set_restart_policy(WEB, {"Name": "no", "MaximumRetryCount": 0})
    with pytest.raises(Refused, match="it changed since"):
        require_rehearsal(session, here.plan)


def killed(home: Path) -> Iterator[Machine]:
    """The machine after the runner died at this call and that of a rehearsal."""
    for number in range(0, 10**6, 13):
        here = machine(BOTH_GO, home / str(number))
        here.engine.faults = dead_from(lambda count, _, last=number: count == last)  # type: ignore[misc]  # each its own
        try:
            with patch("runner.stacking.check_on_paper"), patch("runner.stack_playing.check_on_paper"):
                here.rehearse()
        except RunnerDied:
            here.engine.faults = None
            yield here
        else:
            return


def test_killed_anywhere_it_is_cleared_away_by_recover_or_prune_and_all_are_awake(tmp_path: Path) -> None:
    clean = machine(BOTH_GO, tmp_path).picture()
    seen = 0
    for seen, here in enumerate(killed(tmp_path), 1):
        assert not runner_on(here.engine, tmp_path / "elsewhere").recover(), "a copy is nobody's upgrade"
        clear_left(here.runner, seen)
        assert all(here.engine.container(name).state.running for name in (NAME, WEB))
        assert not here.runner.session.vault.rooms(VaultPlace())
        assert here.picture()[1:] == clean[1:]
    assert seen > 10


def test_died_between_two_pauses_both_are_woken_up(tmp_path: Path) -> None:
    here = machine(BOTH_GO, tmp_path)
    here.engine.faults = dead_from(lambda _, name: name == "pause")
    with pytest.raises(RunnerDied):
        here.rehearse()
    here.engine.faults = None
    assert "paused" in {here.engine.container(name).state.status for name in (NAME, WEB)}
    here.runner.recover()
    assert all(here.engine.container(name).state.running for name in (NAME, WEB))
