"""How long snapshots stay: by number and by age, through commits and prunes, and never one that is needed."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from runner.archiving import Archiving
from runner.backing_up import Wanted
from runner.backups import MARK, Begun, at_work
from runner.cli.wishes import keep_for_seconds
from runner.clock import MemoryClock
from runner.engine.memory import MemoryEngine
from runner.errors import Busy, UsageError
from runner.goal import Goal
from runner.options import Options
from runner.pruning import find_leftovers, prune
from runner.retention import Retention, let_go
from runner.session import Session
from runner.vault.memory import MemoryVault
from runner.vault.memory_archives import MemoryArchives
from runner.vault.port import Room, RoomSeen, VaultPlace
from runner.verbs import Refloat
from tests.pure.sweep.stages import DEPOT, NAME, Stage, build

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
DAY_S = 86_400


def seen(days_old: float, *, sealed: bool = True) -> RoomSeen:
    at = NOW - timedelta(days=days_old)
    made_at = at.isoformat(timespec="microseconds").replace("+00:00", "Z")
    return RoomSeen(room=Room(target="t", run=f"{at:%Y%m%d-%H%M%S}-000000"), sealed=sealed, made_at=made_at)


@pytest.mark.parametrize(
    ("retention", "gone"),
    [
        (Retention(keep=3), [20, 40]),
        (Retention(keep=1), [2, 10, 20, 40]),
        (Retention(keep=0), [2, 10, 20, 40]),
        (Retention(keep=1, keep_for_s=15 * DAY_S), [20, 40]),
        (Retention(keep=4, keep_for_s=1 * DAY_S), [40]),
        (Retention(keep=9), []),
    ],
    ids=str,
)
def test_a_snapshot_stays_while_number_or_age_wants_it(retention: Retention, gone: list[float]) -> None:
    rooms = [seen(days) for days in (40, 1, 10, 2, 20)]
    assert set(let_go(rooms, retention, NOW)) == {seen(days) for days in gone}


def test_an_unfinished_copy_counts_for_nothing() -> None:
    assert let_go([seen(1, sealed=False), seen(2), seen(3)], Retention(keep=1), NOW) == (seen(3),)


def test_a_snapshot_that_does_not_say_when_it_was_made_is_not_let_go() -> None:
    strange = seen(3).model_copy(update={"made_at": ""})
    assert let_go([seen(1), strange], Retention(keep=1, keep_for_s=1), NOW) == ()


def test_retention_is_spoken_as_people_say_it() -> None:
    assert Retention(keep=1).spoken == "the last snapshot"
    assert Retention(keep_for_s=14 * DAY_S).spoken == "the last 3 snapshots and all of the last 14 days"
    assert Retention(keep=2, keep_for_s=90).spoken.endswith("the last 90 seconds")


def test_a_span_of_time_is_read_or_refused_with_an_example() -> None:
    assert (keep_for_seconds("14d"), keep_for_seconds("12h"), keep_for_seconds("")) == (14 * DAY_S, 43_200, 0)
    with pytest.raises(UsageError, match="two weeks") as wrong:
        keep_for_seconds("two weeks")
    assert "--keep-for 14d" in wrong.value.then


@pytest.fixture
def session(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Session:
    monkeypatch.setattr("runner.verbs.check_on_paper", lambda _plan, _world: None)  # slow, with tests of its own
    engine = build(Stage("plain"))
    return Session(home=tmp_path, engine=engine, vault=MemoryVault(engine), clock=MemoryClock())


def upgraded(session: Session, to: str, options: Options) -> str:
    runner = Refloat(session)
    return runner.apply(runner.plan(NAME, Goal(to=to), options)).run


def snapshots(session: Session) -> set[str]:
    return {room.room.run for room in session.vault.rooms(VaultPlace())}


def later(session: Session, days: float) -> Session:
    assert isinstance(session.engine, MemoryEngine)
    newest = max(room.made_at for room in session.vault.rooms(VaultPlace()))
    at = datetime.fromisoformat(newest[:19] + "+00:00")
    return replace(session, clock=MemoryClock(at + timedelta(days=days)))


def test_a_commit_keeps_what_is_young_and_prune_lets_it_go_when_it_is_old(session: Session) -> None:
    options = Options(keep=1, keep_for_s=14 * DAY_S)
    first = upgraded(session, "2.0", options)
    second = upgraded(session, "1.0", options)
    assert snapshots(session) == {first, second}
    assert find_leftovers(later(session, 13), VaultPlace()) == ()
    (old,) = find_leftovers(later(session, 15), VaultPlace())
    assert (old.kind, old.run) == ("snapshot", first)
    prune(session, old)
    assert snapshots(session) == {second}
    assert f"refloat/held:{first}" not in {tag for image in session.engine.images() for tag in image.tags}


def test_a_commit_keeps_by_number_alone_where_no_time_is_wished(session: Session) -> None:
    upgraded(session, "2.0", Options(keep=1))
    second = upgraded(session, "1.0", Options(keep=1))
    assert snapshots(session) == {second}


def test_a_rollback_keeps_what_the_upgrade_wished_to_keep(session: Session) -> None:
    upgraded(session, "2.0", Options(keep=5, keep_for_s=DAY_S))
    offered = Refloat(session).offer_rollback(NAME).plan
    assert (offered.keep, offered.keep_for_s) == (5, DAY_S)


def test_snapshots_that_nobody_here_knows_go_only_on_order_and_not_before_a_day(
    session: Session, tmp_path: Path
) -> None:
    run = upgraded(session, "2.0", Options())
    stranger = replace(later(session, 2), home=tmp_path / "else")
    assert find_leftovers(stranger, VaultPlace()) == ()
    assert find_leftovers(replace(later(session, 0.5), home=tmp_path / "else"), VaultPlace(), foreign=True) == ()
    assert [one.run for one in find_leftovers(stranger, VaultPlace(), foreign=True)] == [run]


def backed_up(session: Session) -> str:
    """Back the target up; the run."""
    assert isinstance(session.engine, MemoryEngine)
    wanted = Wanted(depot=DEPOT, place=VaultPlace())
    return Archiving(Refloat(session), MemoryArchives(session.engine)).back_up(NAME, wanted, lambda _: None).run


def test_a_backups_snapshot_stays_for_the_next_one_as_long_as_its_target_is_there(session: Session) -> None:
    run = backed_up(session)
    aged = later(session, 2)
    assert find_leftovers(aged, VaultPlace(), foreign=True) == ()
    session.engine.remove_container(NAME, force=True)
    assert [one.run for one in find_leftovers(aged, VaultPlace(), foreign=True)] == [f"{run}{MARK}"]


def test_a_second_backup_of_a_target_waits_for_the_first(session: Session) -> None:
    room = Room(target=NAME, run="20261122-120000-abcdef-backup")
    with at_work(session, Begun(engine_id=session.engine.engine().id, target=NAME, room=room)):
        with pytest.raises(Busy) as busy:
            backed_up(session)
        assert (busy.value.code, busy.value.then) == ("busy", "Wait until it has ended.")
    backed_up(session)
