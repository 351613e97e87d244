"""What comes next: plan + records + wish → the next move, and records inferred from an engine; it does nothing.

Apply, resume and roll back are this one function with another wish. Going back undoes, last first, every step that
was meant: a step that was never done is undone by looking and finding nothing to do.
"""

from __future__ import annotations

from dataclasses import dataclass

from runner.facts import Container, Json
from runner.plan import Member, Plan, step_key, undo_key
from runner.records import Did, End, Failed, Meant, Opened, Record, Turned, Wish
from runner.steps import AnyForward, BackStep
from runner.steps.configuration import RefreshConfiguration
from runner.steps.forward import BringBackData, StartAgain, StartSuccessor
from runner.steps.pauses import PauseAgain
from runner.steps.proof import AcceptVerdict, CompareEvidence, ProveHealth

TOUCHING = (StartSuccessor, StartAgain, BringBackData, RefreshConfiguration)
"""The steps after which data is not what it was."""


@dataclass(frozen=True)
class Do:
    """Do this step; ``undo_of`` is the forward step it takes back, None on the way forward."""

    key: str
    step: AnyForward | BackStep
    undo_of: AnyForward | None = None
    accepted: bool = False
    """Whether the verdict is accepted: what is left is only told, and nothing turns back for it."""


@dataclass(frozen=True)
class Finish:
    """Nothing is left to do."""

    end: End


Move = Do | Finish


def wish_of(records: tuple[Record, ...]) -> Wish:
    """Where the run is going: back once it turned, else what the last runner that took it up wished."""
    wish = Wish.FORWARD
    for record in records:
        if isinstance(record, Opened):
            wish = record.wish if wish is Wish.FORWARD else wish
        elif isinstance(record, Turned):
            wish = Wish.BACK
    return wish


def next_move(plan: Plan, records: tuple[Record, ...], wish: Wish) -> Move:
    """The next step on the way to ``wish``, or the end."""
    done = _done(plan, records)
    if wish is Wish.FORWARD:
        return _forward(plan, done)
    meant = {record.key for record in records if isinstance(record, Meant)}
    return _back(plan, meant, done)


def _done(plan: Plan, records: tuple[Record, ...]) -> set[str]:
    """What is done; a proof counts only for the runner that saw it, unless the verdict was accepted on it."""
    proofs = {step_key(i) for i, step in enumerate(plan.steps) if isinstance(step, ProveHealth | CompareEvidence)}
    verdict = verdict_key(plan)
    done: set[str] = set()
    for record in records:
        if isinstance(record, Did):
            done.add(record.key)
        elif isinstance(record, Opened) and verdict not in done:
            done -= proofs
    return done


def verdict_key(plan: Plan) -> str:
    """The journal's key of the step that accepts the new version."""
    return next(step_key(i) for i, step in enumerate(plan.steps) if isinstance(step, AcceptVerdict))


def _forward(plan: Plan, done: set[str]) -> Move:
    for index, step in enumerate(plan.steps):
        if step_key(index) not in done:
            return Do(step_key(index), step, accepted=_is_accepted(plan, done))
    return Finish(End.NEW)


def _is_accepted(plan: Plan, done: set[str]) -> bool:
    verdicts = (step_key(index) for index, step in enumerate(plan.steps) if isinstance(step, AcceptVerdict))
    return all(key in done for key in verdicts)


def _back(plan: Plan, meant: set[str], done: set[str]) -> Move:
    for index, step in reversed(tuple(enumerate(plan.steps))):
        if step_key(index) not in meant:
            continue
        for part, undo in enumerate(step.undo()):
            if undo_key(index, part) not in done:
                return Do(undo_key(index, part), undo, undo_of=step)
    return Finish(End.OLD)


def failure(records: tuple[Record, ...]) -> Failed | None:
    """The first failure since the run began: what made it turn."""
    return next((record for record in records if isinstance(record, Failed)), None)


def found_by(plan: Plan, records: tuple[Record, ...], kind: str, member: str = "") -> Json:
    """The facts of the last step of this kind that was done, of one member where it is named."""
    keys = {
        step_key(index)
        for index, step in enumerate(plan.steps)
        if step.kind == kind and member in ("", plan.member_of(step).run)
    }
    for record in reversed(records):
        if isinstance(record, Did) and record.key in keys:
            return record.facts
    return {}


@dataclass(frozen=True)
class Seen:
    """What stands of one member on the engine and in the vault where the journal was lost."""

    member: Member
    old: Container | None
    successor: Container | None
    sealed: bool


def records_from_seen(plan: Plan, seen: tuple[Seen, ...], at: str, *, accepted: bool) -> tuple[Record, ...]:
    """Infer records where the journal was lost; ``accepted``: the vault holds an accepted verdict.

    While an old container runs that is to be replaced, all data is its own, so nothing may be restored: all are stopped
    before the first new one is started, and run again only after everything was restored.
    """
    if accepted:  # whether it was paused again nobody knows, and once more does no harm
        done = (index for index, step in enumerate(plan.steps) if not isinstance(step, PauseAgain))
        return tuple(Did(at=at, key=step_key(index)) for index in done)
    touched = frozenset() if _is_as_before(seen) else frozenset(one.member.run for one in seen if one.sealed)
    return tuple(
        Meant(at=at, key=step_key(index))
        for index, step in enumerate(plan.steps)
        if plan.member_of(step).run in touched or not isinstance(step, TOUCHING)
    )


def _is_as_before(seen: tuple[Seen, ...]) -> bool:
    """Whether the data of all is as it was: not yet touched, or restored already."""
    if any(one.old is not None and one.old.state.alive for one in seen if one.member.recreated):
        return True
    return any(_came_back(one, seen) for one in seen)


def _came_back(one: Seen, seen: tuple[Seen, ...]) -> bool:
    """Whether an old version was started after the new ones: that comes after everything was restored."""
    if one.old is None:
        return False
    new = tuple(each.successor.state for each in seen if each.successor is not None)
    if not one.member.recreated:
        ended = tuple(state.finished_at for state in new if state.ever_started)
        return bool(ended) and not any(state.alive for state in new) and one.old.state.started_at > max(ended)
    mine = one.successor.state if one.successor is not None else None
    return mine is not None and mine.ever_started and one.old.state.started_at > mine.started_at
