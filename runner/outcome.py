"""How a run ended, in figures and words, told from its plan and records alone; pure."""

from __future__ import annotations

from datetime import datetime, timedelta
from types import UnionType
from typing import TypedDict

from runner.errors import Exit
from runner.facts import Fact
from runner.plan import Plan, step_key, undo_key
from runner.progress import failure, found_by
from runner.records import Closed, Did, End, Meant, Opened, Record, Turned, Wish
from runner.steps.back import ProveBack, StartContainer, StopOurs
from runner.steps.forward import StopContainer
from runner.steps.proof import EditFile, ProveHealth
from runner.unasked import unasked


class Outcome(Fact):
    """The end of one run; ``end`` is None while nobody has finished it."""

    run: str
    verb: str
    target: str
    old: str
    new: str
    end: End | None
    code: str = ""
    """Why it turned or got stuck; empty where it went through."""
    why: str = ""
    log: tuple[str, ...] = ()
    """The last words of what failed."""
    downtime_s: float | None = None
    """From the stop to the first proof of health; None where nothing was stopped."""
    total_s: float | None = None
    """How long runners were at work on it; not what lay in between."""
    asked_back: bool = False
    """Whether somebody wished to go back, rather than something having failed."""
    committed: bool = False
    held: bool = False
    unwell_before: bool = False
    """Whether the old version was not up and healthy before either, so that nothing is asked of it on the way back."""
    removed_entries: int = 0
    """What bringing data back took away: it was there and is not in the snapshot."""
    removed: tuple[str, ...] = ()
    """The first few of those."""
    unasked: tuple[str, ...] = ()
    """Probes and evidence that the old version did not answer, so that they say nothing of the new one."""
    unedited: tuple[str, ...] = ()
    """What should be written in the user's files now and is not: ``PATH, line N: TEXT``."""

    @property
    def exit_status(self) -> Exit:
        """What the command line returns."""
        if self.end is End.NEW or (self.end is End.OLD and self.asked_back):
            return Exit.DONE
        if self.code == "interrupted":
            return Exit.INTERRUPTED
        if self.code == "not-now" and self.end is End.OLD:
            return Exit.LATER
        if self.code == "busy":
            return Exit.BUSY
        return Exit.ROLLED_BACK if self.end is End.OLD else Exit.STUCK


def outcome(plan: Plan, records: tuple[Record, ...], commit: tuple[Record, ...] = ()) -> Outcome:
    """Tell the end of a run."""
    closed = closed_by(records)
    turned = next((record for record in records if isinstance(record, Turned)), None)
    failed = failure(records)
    end = closed.end if closed else None
    committed = any(isinstance(record, Closed) for record in commit)
    stuck = closed if closed and closed.end is End.STUCK else None
    return Outcome(
        run=plan.run,
        verb=plan.verb,
        target=plan.target,
        old=plan.old.spoken,
        new=plan.new.spoken,
        end=end,
        code=stuck.code if stuck else turned.code if turned else "",
        why=stuck.why if stuck else turned.why if turned else "",
        log=failed.log if failed else (),
        downtime_s=downtime_s(plan, records),
        total_s=round(sum(_seconds(each[0].at, each[-1].at) for each in sittings(records)), 3) if records else None,
        asked_back=turned is None and any(isinstance(r, Opened) and r.wish is Wish.BACK for r in records),
        committed=committed,
        held=end is End.NEW and not committed,
        unwell_before=unwell_before(plan),
        unasked=unasked(plan, records),
        unedited=_unedited(plan, records) if end is End.NEW else (),
        **_removed(plan, records),
    )


def unwell_before(plan: Plan) -> bool:
    """Whether the plan asks no proof of the old version, because it was not up and healthy when it was made."""
    return any(isinstance(step, StopContainer) and step.terms.deadline_s <= 0 for step in plan.steps)


def _unedited(plan: Plan, records: tuple[Record, ...]) -> tuple[str, ...]:
    """The changes of files that were not made; the last word on each counts."""
    made = {record.key: record.facts.get("edited") for record in records if isinstance(record, Did)}
    edits = (each.edit for index, each in enumerate(plan.steps)
             if isinstance(each, EditFile) and made.get(step_key(index)) is False)  # fmt: skip
    return tuple(f"{edit.path}, line {edit.line}: {edit.shown_after}" for edit in edits)


def sittings(records: tuple[Record, ...]) -> tuple[tuple[Record, ...], ...]:
    """What each runner wrote that took the run up, one after another."""
    starts = [index for index, record in enumerate(records) if isinstance(record, Opened) or index == 0]
    return tuple(records[start:end] for start, end in zip(starts, [*starts[1:], len(records)], strict=True))


class _Removed(TypedDict, total=False):
    removed_entries: int
    removed: tuple[str, ...]


def _removed(plan: Plan, records: tuple[Record, ...]) -> _Removed:
    """What the step that brings data back found out; nothing where there was none, or one of an older refloat."""
    facts = found_by(plan, records, "bring-back-data")
    count, names = facts.get("removed_entries"), facts.get("removed")
    if not isinstance(count, int) or not isinstance(names, list):
        return {}
    return {"removed_entries": count, "removed": tuple(str(name) for name in names)}


def closed_by(records: tuple[Record, ...]) -> Closed | None:
    """The record that ended the run, unless somebody opened it again since."""
    for record in reversed(records):
        if isinstance(record, Closed):
            return record
        if isinstance(record, Opened):
            return None
    return None


class Downtime(Fact):
    """A time in which nothing served, RFC 3339; ``until`` is empty where nothing is proven since."""

    since: str
    until: str = ""


def downtime_s(plan: Plan, records: tuple[Record, ...]) -> float | None:
    """Seconds from the intent to stop what ran to the first proof of health of what runs now.

    A held version serves until somebody wants it back: what it served in between is no downtime.
    """
    there, back = _parts(records)
    down = _downtime(plan, back, _undo_keys(plan, StopOurs)) if back else _downtime(plan, there, _stops(plan))
    return _seconds(down.since, down.until) if down and down.until else None


def downtimes(plan: Plan, records: tuple[Record, ...]) -> tuple[Downtime, ...]:
    """Every time in which nothing served: on the way there, and where a held version went back later."""
    there, back = _parts(records)
    found = (_downtime(plan, there, _stops(plan)), _downtime(plan, back, _undo_keys(plan, StopOurs)))
    return tuple(down for down in found if down)


def _parts(records: tuple[Record, ...]) -> tuple[tuple[Record, ...], tuple[Record, ...]]:
    """The records up to an open verdict, and those of going back after it, none before anything is done there."""
    held = max((index for index, each in enumerate(records) if isinstance(each, Closed) and each.end is End.NEW),
               default=-1)  # fmt: skip
    back = records[held + 1 :]
    if held >= 0 and any(isinstance(each, Did) for each in back):
        return records[: held + 1], back
    return records, ()


def _downtime(plan: Plan, records: tuple[Record, ...], stops: tuple[str, ...]) -> Downtime | None:
    stopped = _at(records, Meant, stops)
    return Downtime(since=stopped, until=_proven_at(plan, records) or "") if stopped else None


def _stops(plan: Plan) -> tuple[str, ...]:
    return _keys(plan, StopContainer)


def _proven_at(plan: Plan, records: tuple[Record, ...]) -> str | None:
    keys = (*_keys(plan, ProveHealth), *_undo_keys(plan, StartContainer | ProveBack))
    for record in reversed(records):
        if isinstance(record, Did) and record.key in keys:
            ready_s = record.facts.get("ready_after_s")
            begun = _at(records, Meant, (record.key,)) if isinstance(ready_s, float) else None
            return _later(begun, ready_s) if begun and isinstance(ready_s, float) else record.at
    return None


def _later(at: str, seconds: float) -> str:
    return (datetime.fromisoformat(at) + timedelta(seconds=seconds)).isoformat(timespec="milliseconds")


def _keys(plan: Plan, kind: type) -> tuple[str, ...]:
    return tuple(step_key(index) for index, step in enumerate(plan.steps) if isinstance(step, kind))


def _undo_keys(plan: Plan, kinds: type | UnionType) -> tuple[str, ...]:
    return tuple(
        undo_key(index, part)
        for index, step in enumerate(plan.steps)
        for part, undo in enumerate(step.undo())
        if isinstance(undo, kinds)
    )


def _at(records: tuple[Record, ...], kind: type[Meant], keys: tuple[str, ...]) -> str | None:
    return next((record.at for record in records if isinstance(record, kind) and record.key in keys), None)


def _seconds(begin: str, end: str) -> float:
    return round((datetime.fromisoformat(end) - datetime.fromisoformat(begin)).total_seconds(), 3)
