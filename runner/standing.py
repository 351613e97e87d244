"""How every run stands and what to type next, from the run folders alone; it asks no engine and changes nothing."""

from __future__ import annotations

import os
import socket
from difflib import get_close_matches

from runner.errors import RefloatError, Refused
from runner.facts import Fact
from runner.journal import Runs, read_records
from runner.outcome import Outcome, outcome
from runner.plan import Plan
from runner.records import Closed, End, Opened, Record
from runner.report.ending import open_step

OPEN = ("at work", "cut off", "stuck", "verdict open", "unreadable")
"""The states in which somebody or something still has to do a thing."""


class Standing(Fact):
    """One run, for people and programs."""

    run: str
    target: str
    verb: str
    old: str
    new: str
    at: str = ""
    """When it was begun, RFC 3339; when it was planned where it never began; empty where that is not known."""
    state: str
    doing: str = ""
    """The step it is at, or was left at."""
    downtime_s: float | None = None
    why: str = ""
    then: str = ""
    """What to type next."""

    @property
    def is_open(self) -> bool:
        """Whether it wants something."""
        return self.state in OPEN


class Told(Fact):
    """One run with all that was written about it."""

    plan: Plan
    records: tuple[Record, ...]
    commit: tuple[Record, ...]
    end: Outcome


def told(runs: Runs, run: str) -> Told:
    """Read one run."""
    plan = runs.plan(run)
    records, commit = runs.records(run), read_records(runs.commit_path(run))
    return Told(plan=plan, records=records, commit=commit, end=outcome(plan, records, commit))


def standings(runs: Runs, wanted: str = "") -> tuple[Standing, ...]:
    """All runs, or those of one target or of one name; newest first."""
    rows = (_row(runs, run, wanted) for run in runs.all())
    return tuple(row for row in rows if row is not None)


def _row(runs: Runs, run: str, wanted: str) -> Standing | None:
    try:
        one = told(runs, run)
    except RefloatError as no:
        return _unreadable(runs, run, no) if wanted in ("", run) else None
    return standing(one, at_work=is_at_work(one.records)) if _is_wanted(one.plan, wanted) else None


def _is_wanted(plan: Plan, wanted: str) -> bool:
    named = wanted in ("", plan.run, *plan.names)
    return named or (len(wanted) >= 12 and any(each.container_id.startswith(wanted) for each in plan.members))


def _unreadable(runs: Runs, run: str, no: RefloatError) -> Standing:
    """A run whose folder is damaged, or was written by another version of refloat."""
    then = f"mv {runs.folder(run)} elsewhere, then: refloat recover"
    return Standing(run=run, target="unknown", verb="run", old="unknown", new="unknown", state="unreadable",
                    why=no.what, then=then)  # fmt: skip


def find_run(runs: Runs, text: str) -> str:
    """The run of this name or beginning, or the newest of a target; Refused ``no-such-run`` names the nearest."""
    every = runs.all()
    begun = tuple(run for run in every if run.startswith(text))
    if text in every or len(begun) == 1:
        return text if text in every else begun[0]
    if len(begun) > 1:
        raise Refused("ambiguous", f"{text} begins several runs: {', '.join(begun)}.", then="Write more of it.")
    names = {run: runs.plan(run).names for run in runs.readable()}
    for run, known in names.items():
        if text in known:
            return run
    nearest = get_close_matches(text, (*every, *(name for known in names.values() for name in known)), n=1)
    meant = f"Did you mean {nearest[0]}? " if nearest else ""
    raise Refused("no-such-run", f"There is no run {text} here.", then=f"{meant}List them: refloat history")


def is_at_work(records: tuple[Record, ...]) -> bool:
    """Whether the process that took the run up last is alive; never known of another host's, so taken as alive."""
    opened = next((record for record in reversed(records) if isinstance(record, Opened)), None)
    if opened is None or isinstance(records[-1], Closed):
        return False
    if opened.host != socket.gethostname():
        return True
    try:
        os.kill(opened.pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def standing(one: Told, *, at_work: bool) -> Standing:
    """How one run stands."""
    state = state_of(one.end, at_work=at_work)
    plan, end = one.plan, one.end
    return Standing(
        run=plan.run,
        target=plan.target,
        verb=plan.verb,
        old=plan.old.spoken,
        new=plan.new.spoken,
        at=one.records[0].at if one.records else plan.made_at,
        state=state,
        doing=open_step(plan, one.records) if state in ("at work", "cut off") else "",
        downtime_s=end.downtime_s,
        why=end.why,
        then=_then(state, plan),
    )


def state_of(end: Outcome, *, at_work: bool) -> str:
    """One or two words."""
    if at_work:
        return "at work"
    if end.end is None:
        return "cut off"
    if end.end is End.STUCK:
        return "stuck"
    if end.end is End.OLD:
        return "rolled back"
    return "verdict open" if end.held else "done"


def _then(state: str, plan: Plan) -> str:
    if state in ("cut off", "stuck"):
        return f"refloat recover {plan.target}"
    if state == "verdict open":
        return f"refloat commit {plan.target} | refloat rollback {plan.target}"
    return f"refloat rollback {plan.target}" if state == "done" and plan.verb == "upgrade" else ""
