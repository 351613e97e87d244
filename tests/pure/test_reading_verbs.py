"""What the reading verbs find on an engine in memory: targets, inventory, check-up, leftovers, standings."""

from __future__ import annotations

import os
import socket
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from runner.checkup import Check, check_up
from runner.clock import MemoryClock
from runner.engine.memory import MemoryEngine
from runner.errors import Refused
from runner.facts import Image
from runner.goal import Goal
from runner.inventory import read_inventory
from runner.journal import Runs
from runner.options import Options
from runner.outcome import Outcome
from runner.prospects import Prospect, read_prospect
from runner.pruning import Leftover, find_leftovers, prune
from runner.records import Closed, End, Opened, Wish
from runner.session import Session
from runner.snapshots import find_snapshot, verify
from runner.standing import find_run, is_at_work, standings, state_of
from runner.targets import find_target
from runner.vault.memory import MemoryVault
from runner.vault.port import Room, VaultPlace
from runner.verbs import Refloat
from tests.pure.sweep.stages import NAME, NEW, OLD, Stage, build

LABELS = {"com.docker.compose.project": "shop", "com.docker.compose.service": "db"}
PLACE = VaultPlace()


@pytest.fixture
def session(tmp_path: Path) -> Session:
    engine = build(Stage("plain"))
    return Session(home=tmp_path, engine=engine, vault=MemoryVault(engine), clock=MemoryClock())


@pytest.fixture(autouse=True)
def _no_paper_check(monkeypatch: pytest.MonkeyPatch) -> None:
    """It has tests of its own, and takes longer than all the rest here."""
    monkeypatch.setattr("runner.verbs.check_on_paper", lambda _plan, _world: None)


def memory(session: Session) -> MemoryEngine:
    assert isinstance(session.engine, MemoryEngine)
    return session.engine


def upgraded(session: Session, *, hold: bool = False, to: str = "2.0") -> Outcome:
    runner = Refloat(session)
    return runner.apply(runner.plan(NAME, Goal(to=to), Options(hold=hold)))


def add(session: Session, name: str, **body: object) -> str:
    made: dict[str, object] = {"Image": OLD, **body}
    return memory(session).create_container(name, made)  # type: ignore[arg-type]  # JSON by construction


def refusal(session: Session, text: str) -> Refused:
    with pytest.raises(Refused) as no:
        find_target(session.engine, text)
    return no.value


def test_a_target_is_found_by_name_by_id_and_by_the_beginning_of_its_id(session: Session) -> None:
    identity = find_target(session.engine, NAME).id
    assert find_target(session.engine, identity).name == NAME
    assert find_target(session.engine, identity[:12]).name == NAME


def test_a_target_is_found_by_its_compose_service(session: Session) -> None:
    add(session, "shop-db-1", Labels=LABELS)
    assert find_target(session.engine, "shop/db").name == "shop-db-1"


def test_several_containers_of_one_service_are_listed(session: Session) -> None:
    add(session, "shop-db-1", Labels=LABELS)
    add(session, "shop-db-2", Labels=LABELS)
    no = refusal(session, "shop/db")
    assert no.code == "ambiguous-target"
    assert "shop-db-1, shop-db-2" in no.what


def test_the_kept_version_of_a_service_is_not_a_second_target(session: Session) -> None:
    add(session, "shop-db-1", Labels=LABELS)
    add(session, "shop-db-1-refloat-kept", Labels=LABELS)
    assert find_target(session.engine, "shop/db").name == "shop-db-1"


@pytest.mark.parametrize(("text", "near"), [("mom", "mon"), ("shop/bd", "shop/db")])
def test_an_unknown_target_is_refused_with_the_nearest_name(session: Session, text: str, near: str) -> None:
    add(session, "shop-db-1", Labels=LABELS)
    no = refusal(session, text)
    assert (no.code, int(no.exit_status)) == ("no-such-target", 3)
    assert f"Did you mean {near}" in no.then


def test_the_inventory_lists_every_target_with_version_and_data(session: Session) -> None:
    (entry,) = read_inventory(session.engine)
    assert (entry.name, entry.version, entry.data, entry.why_not) == (NAME, "1.0", ("volume mondata",), "")


def test_the_inventory_says_why_one_cannot_be_upgraded(session: Session) -> None:
    add(session, "idle")
    entries = {entry.name: entry for entry in read_inventory(session.engine)}
    assert entries["idle"].code == "not-running"
    assert "not running" in entries["idle"].why_not


def test_refloats_own_containers_and_parked_versions_are_not_in_the_inventory(session: Session) -> None:
    upgraded(session, hold=True)
    add(session, "refloat-tools-x", Labels={"refloat.run": "x", "refloat.role": "tools"})
    add(session, "mon-rehearsal-x", Labels={"refloat.run": "x", "refloat.rehearsal": "x", "refloat.role": "stand-in"})
    (entry,) = read_inventory(session.engine)
    assert (entry.name, entry.version) == (NAME, "2.0")
    assert "refloat commit" not in entry.why_not
    assert entry.code == "unfinished"


def found(session: Session) -> dict[str, Check]:
    return {check.name: check for check in check_up(session, PLACE, OLD)}


def test_a_sound_machine_has_nothing_to_complain_about(session: Session) -> None:
    checks = found(session)
    assert {check.state for check in checks.values()} == {"ok"}
    assert {"engine", "storage", "home", "tools", "vault", "runs"} <= set(checks)


def test_a_missing_tools_image_is_told_with_how_to_build_it(session: Session) -> None:
    tools = next(check for check in check_up(session, PLACE, "refloat/none:1") if check.name == "tools")
    assert tools.state == "note"
    assert "docker build" in tools.then


def test_a_home_that_cannot_be_a_folder_is_bad(session: Session) -> None:
    (session.home / "file").touch()
    away = Session(home=session.home / "file/sub", engine=session.engine, vault=session.vault, clock=session.clock)
    home = next(check for check in check_up(away, PLACE, OLD) if check.name == "home")
    assert (home.state, home.then) == ("bad", "Choose another folder: export REFLOAT_HOME=FOLDER")


def test_an_open_verdict_and_a_run_without_its_journal_are_noted(session: Session, tmp_path: Path) -> None:
    upgraded(session, hold=True)
    assert found(session)["run"].then == f"refloat commit {NAME} | refloat rollback {NAME}"
    lost = Session(home=tmp_path / "else", engine=session.engine, vault=session.vault, clock=session.clock)
    left = found(lost)["left"]
    assert (left.state, left.then) == ("note", f"refloat recover {NAME}")


def much_later(session: Session) -> Session:
    return replace(session, clock=MemoryClock(datetime(2030, 1, 1, tzinfo=UTC)))


def leftovers(session: Session) -> set[tuple[str, str]]:
    return {(one.kind, one.name) for one in find_leftovers(much_later(session), PLACE)}


def test_after_a_good_upgrade_there_is_nothing_to_prune(session: Session) -> None:
    upgraded(session)
    assert leftovers(session) == set()


def test_a_tools_container_of_a_run_that_is_over_is_pruned(session: Session) -> None:
    run = upgraded(session).run
    add(session, "refloat-tools-a", Labels={"refloat.run": run, "refloat.role": "tools"})
    add(session, "refloat-prober-b", Labels={"refloat.run": "20200101-000000-ffffff", "refloat.role": "prober"})
    assert leftovers(session) == {("container", "refloat-tools-a"), ("container", "refloat-prober-b")}
    for one in find_leftovers(much_later(session), PLACE):
        prune(session, one)
    assert leftovers(session) == set()
    assert [container.name for container in session.engine.containers()] == [NAME]


def test_an_old_version_goes_only_where_it_is_wished_and_nothing_uses_or_holds_it(session: Session) -> None:
    """Two sites of different versions: what lies below both can go, what is between, newer or held cannot."""
    engine = memory(session)
    for number, tag in enumerate(("2.1.0p50", "2.2.0p47", "2.3.0p43", "2.4.0p23", "2.5.0p1", "daily"), start=3):
        engine.world.add_image(Image(id=f"sha256:{str(number) * 64}", tags=(f"checkmk/check-mk-raw:{tag}",), config={}))
    for name, tag in (("one", "2.2.0p47"), ("two", "2.4.0p23")):
        engine.create_container(name, {"Image": f"checkmk/check-mk-raw:{tag}", "HostConfig": {}})
    assert find_leftovers(session, PLACE) == ()
    (old,) = find_leftovers(session, PLACE, versions=True)
    assert (old.kind, old.name) == ("version", "checkmk/check-mk-raw:2.1.0p50")
    assert "the oldest in use is 2.2.0p47" in old.why
    held = f"refloat/held:{session.new_run()}"
    engine.tag(engine.image(old.name).id, *held.split(":"))
    assert old not in find_leftovers(session, PLACE, versions=True)
    engine.untag(held)
    prune(session, old)
    assert find_leftovers(session, PLACE, versions=True) == ()
    assert next(tag for image in engine.images() for tag in image.tags if "check-mk" in tag).endswith("2.2.0p47")


def test_nothing_of_an_open_run_is_ever_pruned(session: Session) -> None:
    run = upgraded(session, hold=True).run
    add(session, "refloat-tools-a", Labels={"refloat.run": run, "refloat.role": "tools"})
    assert leftovers(session) == set()


def test_nothing_of_an_open_run_of_another_machine_is_ever_pruned(session: Session, tmp_path: Path) -> None:
    run = upgraded(session, hold=True).run
    add(session, "refloat-tools-a", Labels={"refloat.run": run, "refloat.role": "tools"})
    other = Session(home=tmp_path / "else", engine=session.engine, vault=session.vault, clock=session.clock)
    assert leftovers(other) == set()


@pytest.mark.parametrize("run", ["", "20200101-000000-ffffff"])
def test_what_another_machine_may_be_using_right_now_is_left_alone_for_a_day(session: Session, run: str) -> None:
    add(session, "refloat-tools-now", Labels={"refloat.run": run, "refloat.role": "tools"})
    made_at = datetime.fromisoformat(session.engine.container("refloat-tools-now").created[:19] + "+00:00")
    soon = replace(session, clock=MemoryClock(made_at + timedelta(hours=23)))
    assert find_leftovers(soon, PLACE) == ()
    assert leftovers(session) == {("container", "refloat-tools-now")}


def test_an_unsealed_room_of_a_run_that_is_over_is_pruned_and_a_sealed_one_stays(session: Session) -> None:
    run = upgraded(session).run
    session.vault.write_papers(Room(target=NAME, run="20200101-000000-ffffff"), {"plan.json": "{}"})
    assert leftovers(session) == {("snapshot", f"{NAME}/20200101-000000-ffffff")}
    for one in find_leftovers(much_later(session), PLACE):
        prune(session, one)
    assert [seen.room.run for seen in session.vault.rooms(PLACE)] == [run]


def test_a_held_tag_goes_only_when_no_snapshot_needs_it(session: Session) -> None:
    run = upgraded(session).run
    image = session.engine.image(OLD)
    session.engine.tag(image.id, "refloat/held", "20200101-000000-ffffff")
    assert leftovers(session) == {("image tag", "refloat/held:20200101-000000-ffffff")}
    session.vault.discard(Room(target=NAME, run=run))
    assert ("image tag", f"refloat/held:{run}") in leftovers(session)
    for one in find_leftovers(much_later(session), PLACE):
        prune(session, one)
    assert session.engine.image(OLD).tags == (OLD,)


def test_a_clone_of_a_run_that_is_over_is_pruned(session: Session) -> None:
    session.engine.create_volume("clone", labels={"refloat.run": "20200101-000000-ffffff"})
    assert leftovers(session) == {("volume", "clone")}
    prune(session, find_leftovers(much_later(session), PLACE)[0])
    assert leftovers(session) == set()


def test_pruning_what_is_gone_already_is_no_error(session: Session) -> None:
    prune(session, Leftover(kind="container", name="gone", run="r", why="w"))
    prune(session, Leftover(kind="volume", name="gone", run="r", why="w"))
    prune(session, Leftover(kind="run folder", name="r", run="r", why="w"))


def test_a_run_stands_as_its_records_say(session: Session) -> None:
    run = upgraded(session).run
    (row,) = standings(session.runs)
    assert (row.run, row.target, row.state, row.is_open) == (run, NAME, "done", False)
    assert row.then == f"refloat rollback {NAME}"
    assert standings(session.runs, "other") == ()


def test_what_a_held_version_served_is_no_downtime_of_the_way_back(session: Session) -> None:
    held_s = 5000.0
    upgraded(session, hold=True)
    session.clock.sleep(held_s)
    runner = Refloat(session)
    gone_back = runner.rollback(runner.offer_rollback(NAME))
    assert gone_back.downtime_s is not None
    assert gone_back.downtime_s < held_s


def test_the_folder_of_a_run_is_its_owners_alone(session: Session) -> None:
    run = upgraded(session).run
    for folder in (session.runs.home / "runs", session.runs.home / "runs" / run):
        assert folder.stat().st_mode & 0o077 == 0


def test_a_run_is_found_by_its_beginning_or_as_the_newest_of_its_target(session: Session) -> None:
    run = upgraded(session).run
    assert find_run(session.runs, run) == find_run(session.runs, run[:10]) == find_run(session.runs, NAME) == run


def test_the_beginning_of_several_runs_is_refused(session: Session) -> None:
    first = upgraded(session).run
    plan = session.runs.plan(first).model_copy(update={"run": first[:-1] + "z"})
    session.runs.begin(plan, {})
    with pytest.raises(Refused) as no:
        find_run(session.runs, first[:8])
    assert no.value.code == "ambiguous"


def opened(pid: int, host: str = "") -> Opened:
    return Opened(at="2024-01-01T00:00:00+00:00", wish=Wish.FORWARD, host=host or socket.gethostname(), pid=pid)


def test_a_run_is_at_work_while_the_process_that_took_it_up_lives() -> None:
    closed = Closed(at="2024-01-01T00:00:01+00:00", end=End.NEW)
    assert is_at_work((opened(os.getpid()),))
    assert not is_at_work((opened(os.getpid()), closed))
    assert not is_at_work((opened(4_194_305),))  # past the highest number a process of Linux can have
    assert is_at_work((opened(4_194_305, "another-host"),))
    assert not is_at_work(())


def test_every_end_has_a_word() -> None:
    end = Outcome(run="r", verb="upgrade", target="t", old="1", new="2", end=None)
    assert state_of(end, at_work=True) == "at work"
    assert state_of(end, at_work=False) == "cut off"
    words = [state_of(end.model_copy(update={"end": each}), at_work=False) for each in (End.STUCK, End.OLD, End.NEW)]
    assert words == ["stuck", "rolled back", "done"]


def test_folders_of_runs_beyond_the_newest_twenty_are_pruned(session: Session) -> None:
    plan = session.runs.plan(upgraded(session).run)
    for number in range(25):
        older = plan.model_copy(update={"run": f"20200101-0000{number:02}-ffffff"})
        session.runs.begin(older, {})
        path = session.runs.journal_path(older.run)
        path.write_text(
            "\n".join((opened(1).model_dump_json(), Closed(at=plan.made_at, end=End.OLD).model_dump_json(), ""))
        )
    assert Runs(session.home).of_target(plan.engine_id, NAME)[0] == plan.run
    gone = {one.name for one in find_leftovers(session, PLACE) if one.kind == "run folder"}
    assert gone == {f"20200101-0000{number:02}-ffffff" for number in range(6)}


def test_the_new_image_is_never_a_leftover(session: Session) -> None:
    upgraded(session)
    assert NEW in session.engine.image(NEW).tags


def test_a_snapshot_is_found_by_its_run_and_as_the_newest_of_its_target(session: Session) -> None:
    run = upgraded(session).run
    session.vault.write_papers(Room(target=NAME, run="20990101-000000-ffffff"), {"plan.json": "{}"})
    assert find_snapshot(session.vault, PLACE, run) == find_snapshot(session.vault, PLACE, NAME)
    assert verify(session.vault, find_snapshot(session.vault, PLACE, NAME)).room.run == run


def test_a_snapshot_that_is_not_there_is_refused_with_the_nearest_name(session: Session) -> None:
    upgraded(session)
    with pytest.raises(Refused) as no:
        find_snapshot(session.vault, PLACE, "mom")
    assert (no.value.code, no.value.then[:17]) == ("no-such-snapshot", "Did you mean mon?")


def prospect(tag: str, *more: str, repository: str = "prom/prometheus") -> Prospect:
    engine = MemoryEngine()
    for number, each in enumerate((tag, *more), 1):
        engine.world.add_image(Image(id=f"sha256:{number:064}", tags=(f"{repository}:{each}",), config={}))
    engine.create_container("it", {"Image": f"{repository}:{tag}"})
    return read_prospect(engine, "it")


def test_a_prospect_names_the_newest_and_the_way_there() -> None:
    one = prospect("v2.42.0", "v2.53.3", "v99.0.0")
    assert (one.product, one.newest, one.here) == ("Prometheus", "v99.0.0", ("v2.53.3", "v99.0.0"))


def test_a_prospect_says_what_bars_the_way_and_on_whose_word() -> None:
    one = prospect("13", "15", repository="postgres")
    assert one.why_not
    assert one.source.startswith("https://")
    assert one.next_tag == ""


def test_a_product_without_a_recipe_still_shows_what_is_on_the_engine() -> None:
    one = prospect("1.0", "2.0", repository="vendor/mon")
    assert (one.product, one.version, one.here) == ("", "1.0", ("2.0",))
