"""Runs and rehearsals to tell stories of: one that went through, one that came back, stuck, held and gone back."""

from __future__ import annotations

from runner.errors import Exit, Refused
from runner.facts import Json, Usage
from runner.outcome import outcome
from runner.plan import Estimate, Plan, PlanWarning
from runner.records import Closed, Did, End, Failed, Meant, Noted, Opened, Record, Turned, Wish
from runner.rehearsal import Altered, Rehearsed
from runner.report.candidates import Tried, candidates_story
from runner.report.story import Story
from runner.report.telling import path_story, rehearsal_story, run_story
from runner.steps.forward import ColdCopy, CreateSuccessor, StartSuccessor, StopContainer, TakeEvidence
from runner.steps.nouns import Blueprint, CommandProbe, HealthTerms, HttpProbe, Reading
from runner.steps.proof import AcceptVerdict, CompareEvidence, ProveHealth
from runner.vault.port import FileChange
from tests.pure.test_report_plan import DATA, NEW, OLD, ROOM, RUN, at, made, member

READINGS = (Reading(name="rows", how=HttpProbe(port=80), rule="equal"),)
PAGE, OTHER = HttpProbe(port=80, path="/health"), HttpProbe(port=81, if_before=True)
TERMS = HealthTerms(probes=(PAGE, OTHER, CommandProbe(argv=("ask", "--password", "hunter2"))), dwell_s=5)


def whole(verb: str = "upgrade") -> Plan:
    """A plan with every kind of step that a report tells something of."""
    body: Json = {"Env": ["TOKEN"], "Labels": {"tier": "one"}, "HostConfig": {"Memory": 1024}, "Image": "vendor/db:17"}
    blueprint = Blueprint(image_id="sha256:" + "b" * 64, image_ref="vendor/db:17", body=body, donors=(OLD,))
    steps = (
        CreateSuccessor(cause="errors show here", who=NEW, blueprint=blueprint),
        TakeEvidence(cause="to compare", who=OLD, readings=READINGS, terms=TERMS),
        StopContainer(cause="nobody may write", who=OLD, run=RUN, timeout_s=10, terms=TERMS),
        ColdCopy(cause="a snapshot", room=ROOM, sources=DATA, taken_from={}),
        StartSuccessor(cause="the change itself", who=NEW, stop_timeout_s=10, room=ROOM, sources=DATA),
        ProveHealth(cause="running is not healthy", who=NEW, terms=TERMS),
        CompareEvidence(cause="healthy is not complete", who=NEW, readings=READINGS, goal_version="17.1"),
        AcceptVerdict(cause="proven", name="db", room=ROOM),
    )
    old = Blueprint(image_id="sha256:" + "a" * 64, image_ref="vendor/db:15", body={**body, "User": "db"}, donors=())
    one = member(DATA).model_copy(update={"way_back": old})
    return made(steps=steps, members=(one,), warnings=(PlanWarning(code="uid", text="another user"),), verb=verb)


def done(second: int, key: str, **facts: object) -> tuple[Record, Record]:
    """A step that was begun and done a second later."""
    return Meant(at=at(second), key=key), Did.model_validate({"at": at(second + 1), "key": key, "facts": facts})


COPIED: Json = {"copied_bytes": 1200, "copied_entries": 1, "seconds": 0.1, "how": "links"}
START = (Opened(at=at(0), wish=Wish.FORWARD, host="h", pid=1), *done(0, "1"),
         *done(1, "2", answered=[PAGE.spoken], values={"rows": "7"}),
         *done(3, "3", exit_code=0, killed=False),
         *done(4, "4", size_bytes=2_500_000, entries=12, copied=COPIED),
         *done(5, "5"))  # fmt: skip
FINDING: Json = {"name": "rows", "ok": True, "words": "7, as before", "before": "7", "after": "7"}
THROUGH: tuple[Record, ...] = (
    *START,
    *done(6, "6", probes=[PAGE.spoken, TERMS.probes[2].spoken], ready_after_s=0.5),
    *done(8, "7", findings=[FINDING]),
    *done(9, "8"),
    Closed(at=at(11), end=End.NEW),
)
CRASHED: tuple[Record, ...] = (
    *START,
    Meant(at=at(6), key="6"),
    Noted(at=at(7), kind="waiting", text=f"{PAGE.spoken}: connection refused — it says: loading", left_s=90),
    Noted(at=at(7), kind="warning", text="db was killed"),
    Failed(at=at(8), key="6", code="crashed", what="db does not stay up.", log=("FATAL: incompatible",)),
    Turned(at=at(8), code="crashed", why="db does not stay up."),
    *done(9, "5.2"),
    *done(10, "5.3"),
    *done(11, "3.1"),
    *done(12, "3.2", ready_after_s=0.5),
    Closed(at=at(13), end=End.OLD),
)
WENT_BACK: tuple[Record, ...] = (
    *THROUGH,
    Opened(at="2024-01-04T00:00:00.000+00:00", wish=Wish.BACK, host="h", pid=2),
    Meant(at="2024-01-04T00:00:01.000+00:00", key="5.2"),
    Did(at="2024-01-04T00:00:02.000+00:00", key="5.2"),
    Meant(at="2024-01-04T00:00:02.000+00:00", key="3.2"),
    Did(at="2024-01-04T00:00:04.000+00:00", key="3.2"),
    Closed(at="2024-01-04T00:00:05.000+00:00", end=End.OLD),
)
STUCK: tuple[Record, ...] = (*CRASHED[:-1], Closed(at=at(13), end=End.STUCK, code="gone", why="the volume is gone"))
DIFFERS: tuple[Record, ...] = (
    *START,
    *done(6, "6", probes=[PAGE.spoken]),
    Meant(at=at(8), key="7"),
    Failed(at=at(9), key="7", code="evidence", what="The evidence differs.",
           facts={"findings": [{**FINDING, "ok": False, "after": "0", "words": "7 → 0: it must not change"}]}),
    Turned(at=at(9), code="evidence", why="The evidence differs."),
    Closed(at=at(10), end=End.OLD),
)  # fmt: skip


def story_of(records: tuple[Record, ...]) -> Story:
    """The story of a run with these records."""
    return run_story(whole(), records, (), "as it stands")


GROWN = FileChange(kind="changed", path="base/1/pg_class", before_bytes=8192, after_bytes=16384)
ALTERED = Altered(key="d0", source="volume rows", destination="/var/lib/db", added=1, added_bytes=1, changed=30,
                  changed_bytes=16384, deleted=0, deleted_bytes=0, size_bytes=99, biggest=(GROWN,))  # fmt: skip


def rehearsed(**changes: object) -> Rehearsed:
    """A rehearsal that passed, with the way back."""
    result = Rehearsed(run=RUN, target="db", at=at(30), old="15.4", new="17.1", new_ref="vendor/db:17", expectations=(),
                       passed=True, rolled_back=True, paused_s=0.2, settle_s=1, ready_s=2, downtime_s=4, total_s=20,
                       new_lines=("WARN: slow",), taken=("published ports",), changes=(ALTERED,), growth_bytes=-4096,
                       expected=Estimate(downtime_s=5, reasons=("4 s on the copy", "1 s more of copying")),
                       used=Usage(cpu_s=1.5, peak_bytes=90_000_000), used_before=Usage(cpu_s=1), migration_s=1,
                       image_differences=("the new image has no health check",))  # fmt: skip
    return result.model_copy(update=changes)


TRIED = (
    Tried("16", rehearsed(new="16.1")),
    Tried("17", rehearsed(passed=False, why="db does not stay up.")),
    Tried("99", refusal=Refused("no-such-image", "There is no such image.")),
)
STORIES: dict[str, Story] = {
    "through": story_of(THROUGH),
    "crashed": story_of(CRASHED),
    "went back": story_of(WENT_BACK),
    "stuck": story_of(STUCK),
    "differs": story_of(DIFFERS),
    "cut off": story_of(START[:-1]),
    "not begun": story_of(()),
    "rehearsal": rehearsal_story(rehearsed(), whole(verb="rehearsal"), WENT_BACK),
    "path": path_story(
        story_of(THROUGH), story_of(CRASHED), (outcome(whole(), THROUGH), outcome(whole(), CRASHED)), Exit.ROLLED_BACK
    ),
    "several versions": candidates_story("db", TRIED),
    "rehearsal not played": rehearsal_story(
        rehearsed(passed=False, rolled_back=None, code="not-settled", why="It does not come up.", log=("no",)), None, ()
    ),
}
