"""The canonical text of a plan: facts in, this text out."""

from __future__ import annotations

from runner.outcome import outcome
from runner.plan import Estimate, Expectation, Member, Plan, PlanWarning, Side
from runner.records import Closed, Did, End, Failed, Meant, Noted, Opened, Record, Turned, Wish
from runner.report.ending import ending
from runner.report.lines import labelled, line_from
from runner.report.plan_text import plan_text
from runner.report.telling import run_story
from runner.report.text import text_report
from runner.steps import AnyForward
from runner.steps.forward import BringBackData, StartSuccessor, StopContainer, WritePapers
from runner.steps.nouns import Blueprint, Existing, HealthTerms, Ours
from runner.steps.proof import AcceptVerdict, ProveHealth
from runner.vault.port import Room, Source

RUN = "20240101-000000-abcdef"
ROOM = Room(target="db", run=RUN)
OLD = Existing(id="1" * 64, name="db")
NEW = Ours(run=RUN, role="successor", name="db")
DATA = (Source(key="d0", volume="rows", destination="/var/lib/db"),)
TERMS = HealthTerms(dwell_s=5)


def _steps(sources: tuple[Source, ...]) -> tuple[AnyForward, ...]:
    return (
        WritePapers(cause="losing the runner does not matter then", room=ROOM),
        StopContainer(cause="nobody may write", who=OLD, run=RUN, timeout_s=10, terms=TERMS),
        StartSuccessor(cause="the change itself", who=NEW, stop_timeout_s=10, room=ROOM, sources=sources),
        ProveHealth(cause="running is not healthy", who=NEW, terms=TERMS),
        AcceptVerdict(cause="proven", name="db", room=ROOM),
    )


def member(sources: tuple[Source, ...]) -> Member:
    return Member(
        target="db",
        run=RUN,
        container_id=OLD.id,
        kept_name="db-refloat-kept",
        staging_name="db-refloat-next",
        old=Side(image_ref="vendor/db:15", image_id="sha256:" + "a" * 64, version="15.4"),
        new=Side(image_ref="vendor/db:17", image_id="sha256:" + "b" * 64, version="17.1"),
        recipe="postgres",
        room=ROOM,
        sources=sources,
        expectations=(Expectation(about="engine", was="engine"), Expectation(about="mounts", was="rows")),
        held_tag=f"refloat/held:{RUN}",
        way_back=Blueprint(image_id="sha256:" + "a" * 64, image_ref="vendor/db:15", body={}, donors=()),
    )


def made(sources: tuple[Source, ...] = DATA, **changes: object) -> Plan:
    plan = Plan(
        verb="upgrade",
        run=RUN,
        made_at="2024-01-01T00:00:00+00:00",
        engine_id="engine",
        target="db",
        members=(member(sources),),
        warnings=(PlanWarning(code="uid", text="the new image runs as another user"),),
        estimate=Estimate(downtime_s=75, reasons=("about 1 s to stop", "about 74 s to start")),
        steps=_steps(sources),
    )
    return plan.model_copy(update=changes)


TEXT = f"""\
Upgrade db: 15.4 → 17.1
  old    vendor/db:15 (aaaaaaaaaaaa)
  new    vendor/db:17 (bbbbbbbbbbbb)
  recipe postgres
  data   volume rows on /var/lib/db
  vault  refloat-vault
  run    {RUN} (plan DIGEST, made 2024-01-01T00:00:00+00:00)

Warnings
  ! the new image runs as another user [uid]

Expected downtime: about 1 min 15 s (an estimate, never a limit)
  - about 1 s to stop
  - about 74 s to start

From step 3 on, going back loses what is written after the snapshot.

prepare: nobody notices
   1  put plan and facts into the vault (refloat-vault)
      why:  losing the runner does not matter then
      undo: discard the copy {RUN} in the vault

freeze: the downtime begins
   2  stop db (its own signal, 10 s)
      why:  nobody may write
      undo: start db; see db up again

change: the old version makes room for the new one
   3  start the successor db
      why:  the change itself
      undo: keep the last words of the successor db; stop the successor db; restore volume rows from snapshot {RUN}

prove: the downtime ends when it is healthy
   4  prove the successor db: stays up, stable for 5 s
      why:  running is not healthy
      undo: nothing

open: the new version is accepted
   5  accept the new version of db
      why:  proven
      undo: withdraw the verdict of run {RUN}

Then it commits: db-refloat-kept is removed, the last 3 snapshots of db stay.
It is refused when one of these has changed since: engine, mounts.
"""


def test_a_plan_has_one_text() -> None:
    plan = made()
    assert plan_text(plan) == TEXT.replace("DIGEST", plan.digest[:12])


def test_a_held_plan_says_how_its_verdict_is_given() -> None:
    text = plan_text(made(hold=True))
    assert "The verdict stays open: refloat commit db, or: refloat rollback db" in text
    assert "Then it commits" not in text


def test_without_warnings_the_text_has_no_word_of_them() -> None:
    assert "Warnings" not in plan_text(made(warnings=()))


def test_a_target_without_data_loses_nothing_by_going_back() -> None:
    text = plan_text(made(sources=()))
    assert "data   none to snapshot" in text
    assert "Going back loses no data" in text


def test_a_rollback_says_which_snapshot_replaces_the_data() -> None:
    earlier = Room(target="db", run="20231231-000000-123456")
    bring = BringBackData(cause="the old version needs its own data", earlier=earlier, room=ROOM, sources=DATA)
    text = plan_text(made(verb="rollback", steps=(bring, *_steps(DATA))))
    assert text.startswith("Roll back db: 15.4 → 17.1\n")
    assert f"Step 1 replaces the data by snapshot {earlier.run}" in text


def at(second: int) -> str:
    return f"2024-01-01T00:00:{second:02}.000+00:00"


OPENED = Opened(at=at(0), wish=Wish.FORWARD, host="h", pid=1)


def story(plan: Plan, records: tuple[Record, ...]) -> str:
    return text_report(run_story(plan, records, (), "done"))


FAILED: tuple[Record, ...] = (
    OPENED,
    Meant(at=at(1), key="2"),
    Did(at=at(2), key="2"),
    Meant(at=at(3), key="3"),
    Noted(at=at(4), kind="waiting", text="port 80 accepts", left_s=90),
    Noted(at=at(5), kind="waiting", text="port 80 accepts", left_s=89),
    Noted(at=at(5), kind="warning", text="db was killed"),
    Failed(at=at(6), key="3", code="crashed", what="db does not stay up.", log=("FATAL: incompatible",)),
    Turned(at=at(6), code="crashed", why="db does not stay up."),
    Meant(at=at(7), key="2.1"),
    Did(at=at(8), key="2.1"),
    Closed(at=at(9), end=End.OLD),
)


def test_a_story_tells_why_it_turned_with_the_last_log_lines_and_what_stands() -> None:
    text = story(made(), FAILED)
    assert "db runs 15.4 again, on its data as it was (db does not stay up)." in text
    assert "  Downtime                    7.0 s about 1 min 15 s expected\n" in text
    assert "00:00:06  failed   db does not stay up. [crashed]\n            | FATAL: incompatible" in text
    assert "00:00:07  back     start db" in text
    assert "00:00:09  end      db runs 15.4 again" in text


def test_a_story_tells_a_wait_once_however_often_it_was_noted() -> None:
    assert story(made(), FAILED).count("port 80 accepts") == 1


def test_a_story_tells_the_evidence_before_and_after() -> None:
    rows = {"name": "rows", "ok": True, "words": "7, as before", "before": "7", "after": "7"}
    records = (
        OPENED,
        Did.model_validate({"at": at(1), "key": "4", "facts": {"findings": [rows]}}),
        Closed(at=at(2), end=End.NEW),
    )
    assert "Evidence\n  ✓ rows: 7, as before" in story(made(), records)


def test_an_unfinished_run_says_how_to_finish_it() -> None:
    plan = made()
    assert "refloat recover db" in ending(outcome(plan, FAILED[:4]))


def test_what_was_unwell_before_is_not_said_to_run() -> None:
    unwell = StopContainer(cause="nobody may write", who=OLD, run=RUN, timeout_s=10, terms=HealthTerms(deadline_s=0))
    plan = made(steps=tuple(unwell if isinstance(step, StopContainer) else step for step in made().steps))
    text = story(plan, FAILED)
    assert "db is 15.4 again, on its data as it was, and as unwell as before (db does not stay up)." in text
    assert "runs 15.4" not in text


def test_a_held_run_says_how_to_accept_it_and_how_to_go_back() -> None:
    text = ending(outcome(made(), (OPENED, Closed(at=at(1), end=End.NEW))))
    assert "refloat commit db" in text
    assert "refloat rollback db" in text


def test_a_stuck_run_says_why() -> None:
    text = ending(outcome(made(), (OPENED, Closed(at=at(1), end=End.STUCK, code="x", why="the volume is gone"))))
    assert "db is stuck between 15.4 and 17.1: the volume is gone" in text


def test_every_key_of_a_journal_has_a_sentence() -> None:
    plan = made()
    said = labelled(plan)
    keys = [str(index) for index in range(1, 6)] + ["1.1", "2.1", "2.2", "3.1", "3.2", "3.3", "5.1"]
    assert all(said[key] for key in keys)
    assert line_from(Meant(at=at(0), key="99"), said) == "step     99"
