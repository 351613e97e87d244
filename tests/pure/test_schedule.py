"""When an upgrade may begin: in its window with room to end, at the time asked for, or not now, with what to type."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from runner.cli.messages import Messages
from runner.cli.starting import Start, Waiting, give_warning, moment_from
from runner.clock import MemoryClock
from runner.config.model import TargetSettings
from runner.errors import Exit, Later, UsageError
from runner.notify import announce_words, end_words
from runner.outcome import Outcome
from runner.plan import Plan
from runner.records import End
from runner.schedule import Slot, starting_moment
from runner.session import Session
from runner.vault.memory import MemoryVault
from runner.window import window_from
from tests.pure.sweep.stages import STAGES, build
from tests.pure.test_planner import plan_of

NIGHT = window_from("Sun 02:00-05:00 Europe/Berlin")
SATURDAY, SUNDAY = datetime(2026, 7, 4, 12, tzinfo=UTC), datetime(2026, 7, 5, 1, tzinfo=UTC)
HOUR_S = 3600.0
SILENT = Messages(TargetSettings())


def test_outside_its_window_an_upgrade_is_not_now_and_says_when() -> None:
    with pytest.raises(Later) as later:
        starting_moment(NIGHT, Slot(at=SATURDAY), "db", 60)
    assert (later.value.code, later.value.exit_status) == ("window-closed", Exit.LATER)
    assert "It opens Sun 2026-07-05 02:00 Europe/Berlin." in later.value.what
    assert later.value.then == "refloat apply db --in-window, or regardless: --at now"


def test_what_does_not_fit_into_the_rest_of_the_window_is_not_now() -> None:
    assert starting_moment(NIGHT, Slot(at=SUNDAY), "db", 2 * HOUR_S) == SUNDAY
    with pytest.raises(Later, match=r"may take 2:00:01 .* It closes Sun 2026-07-05 05:00 Europe/Berlin"):
        starting_moment(NIGHT, Slot(at=SUNDAY), "db", 2 * HOUR_S + 1)


def test_in_the_window_means_the_next_opening_that_is_long_enough() -> None:
    asked = Slot(at=SUNDAY, next_opening=True)
    assert starting_moment(NIGHT, asked, "db", HOUR_S) == SUNDAY
    assert starting_moment(NIGHT, asked, "db", 3 * HOUR_S) == datetime(2026, 7, 12, 0, tzinfo=UTC)
    with pytest.raises(Later, match="never open that long"):
        starting_moment(NIGHT, asked, "db", 3 * HOUR_S + 1)


def test_now_is_now_whatever_the_window_and_without_one_any_time_will_do() -> None:
    assert starting_moment(NIGHT, Slot(at=SATURDAY, regardless=True), "db", 9 * HOUR_S) == SATURDAY
    assert starting_moment(None, Slot(at=SATURDAY), "db", 9 * HOUR_S) == SATURDAY
    with pytest.raises(UsageError):
        starting_moment(None, Slot(at=SATURDAY, next_opening=True), "db", 60)


def test_a_time_of_day_is_the_next_one_and_a_past_moment_is_none() -> None:
    local = SATURDAY.astimezone()
    for ahead in (timedelta(hours=1), timedelta(hours=23)):
        assert moment_from(f"{local + ahead:%H:%M}", SATURDAY) - SATURDAY == ahead
    assert moment_from("2026-07-05T02:00+02:00", SATURDAY) == datetime(2026, 7, 5, 0, tzinfo=UTC)
    for text in ("2026-07-01T02:00", "soon", "25:00", "12"):
        with pytest.raises(UsageError, match="--at"):
            moment_from(text, SATURDAY)


@pytest.fixture
def planned(tmp_path: Path) -> tuple[Session, Plan]:
    engine = build(STAGES[0])
    clock = MemoryClock(SATURDAY)
    return Session(home=tmp_path, engine=engine, vault=MemoryVault(engine), clock=clock), plan_of(engine)


def test_an_upgrade_waits_for_its_time_and_its_window(planned: tuple[Session, Plan]) -> None:
    session, plan = planned
    Waiting(Start(in_window=True), NIGHT.text, session, SILENT).to_start("mon", "2.0", plan)
    assert session.clock.now() == datetime(2026, 7, 5, 0, tzinfo=UTC)
    Waiting(Start(announce="30m"), "", session, SILENT).to_start("mon", "2.0", plan)
    assert session.clock.now() == datetime(2026, 7, 5, 0, 30, tzinfo=UTC)
    Waiting(Start(), "", session, SILENT).to_start("mon", "2.0", plan)
    assert session.clock.now() == datetime(2026, 7, 5, 0, 30, tzinfo=UTC)
    for wrong in (Start(at="02:00", in_window=True), Start(announce="soon")):
        with pytest.raises(UsageError):
            Waiting(wrong, NIGHT.text, session, SILENT).to_start("mon", "2.0", plan)


def test_a_restore_gives_its_warning_and_then_waits_for_as_long(planned: tuple[Session, Plan]) -> None:
    session, _ = planned
    told: list[str] = []

    class Heard(Messages):
        def announce(self, target: str, what: str, when: str) -> None:
            told.append(f"{announce_words(target, what, when)[0]}, told at {session.clock.now():%H:%M}")

    messages = Heard(TargetSettings())
    give_warning(session, messages, "mon", "restore of its data", "")
    assert (told, session.clock.now()) == ([], SATURDAY)
    give_warning(session, messages, "mon", "restore of its data", "30m")
    (words,) = told
    assert words.startswith("mon restore of its data begins at ")
    assert words.endswith("told at 12:00")
    assert session.clock.now() == SATURDAY + timedelta(minutes=30)


@pytest.mark.parametrize(
    ("end", "verb", "asked_back", "words"),
    [
        (End.NEW, "upgrade", False, "db runs 2.0, the verdict is open"),
        (End.NEW, "rollback", False, "db rolled back to 2.0, the verdict is open"),
        (End.OLD, "upgrade", False, "db rolled back to 1.0, the upgrade failed"),
        (End.OLD, "upgrade", True, "db rolled back to 1.0"),
        (End.STUCK, "upgrade", False, "db is stuck between 1.0 and 2.0"),
    ],
)
def test_a_message_names_the_end_first(end: End, verb: str, asked_back: bool, words: str) -> None:
    told = Outcome(run="r", verb=verb, target="db", old="1.0", new="2.0", end=end, held=True, asked_back=asked_back)
    assert end_words(told, "all of it") == (words, "all of it")
