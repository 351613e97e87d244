"""Finds runs that were cut off, in the journals or on the engine and in the vault; it changes nothing of them."""

from __future__ import annotations

from dataclasses import dataclass

from runner.engine.port import EnginePort
from runner.errors import NotFound
from runner.facts import Container
from runner.hands import ROLE, RUN, SUCCESSOR
from runner.perform_data import VERDICT_PAPER
from runner.plan import Plan, plan_from_json, step_key
from runner.progress import Seen, records_from_seen, wish_of
from runner.records import Did, End, Record, Wish
from runner.session import Session
from runner.steps.forward import StartSuccessor
from runner.vault.port import Room, VaultError, VaultPlace


@dataclass(frozen=True)
class Open:
    """A run that somebody must finish or undo; ``inferred`` records stand for a lost journal."""

    plan: Plan
    lost: bool = False
    inferred: tuple[Record, ...] = ()


def open_runs(session: Session, target: str) -> tuple[Open, ...]:
    """The runs on this engine whose journal says that they did not end, or whose commit did not; oldest first."""
    engine_id = session.engine.engine().id
    plans = (session.runs.plan(run) for run in reversed(session.runs.all()))
    return tuple(
        Open(plan=plan)
        for plan in plans
        if plan.engine_id == engine_id and target in ("", plan.target, plan.run) and _cut_off(session, plan)
    )


def _cut_off(session: Session, plan: Plan) -> bool:
    told = session.outcome(plan)
    if told.end is End.NEW:
        return not plan.hold and not told.committed
    return told.end is not End.OLD


def resume_wish(plan: Plan, records: tuple[Record, ...]) -> Wish:
    """Forward only where the new version had been started: before that, going back costs least."""
    if wish_of(records) is Wish.BACK:
        return Wish.BACK
    started = {step_key(index) for index, step in enumerate(plan.steps) if isinstance(step, StartSuccessor)}
    done = any(isinstance(record, Did) and record.key in started for record in records)
    return Wish.FORWARD if done else Wish.BACK


def lost_runs(session: Session, target: str, place: VaultPlace) -> tuple[Open, ...]:
    """The runs that left containers on the engine, are not in any journal here, and have their papers in the vault."""
    known = set(session.runs.all())
    successors = {
        container.labels[RUN]: container
        for container in session.engine.containers({RUN: "", ROLE: SUCCESSOR})
        if container.labels[RUN] not in known
    }
    found = []
    for run, successor in sorted(successors.items()):
        lost = _lost(session, run, successor, place)
        if lost is not None and target in ("", lost.plan.target, run):
            found.append(lost)
    return tuple(found)


def _lost(session: Session, run: str, successor: Container, place: VaultPlace) -> Open | None:
    room = _room(session, run, place)
    papers = session.vault.read_papers(room) if room else {}
    if room is None or "plan.json" not in papers:
        _remove_unused(session.engine, successor)
        return None
    plan = plan_from_json(papers["plan.json"], f"the plan of run {run} in the vault")
    old = _container(session.engine, plan.container_id)
    accepted = papers.get(VERDICT_PAPER) == "accepted"
    if accepted and old is None:
        return None
    seen = Seen(old=old, successor=successor, sealed=_is_sealed(session, plan), accepted=accepted)
    return Open(plan=plan, lost=True, inferred=records_from_seen(plan, seen, session.now()))


def _room(session: Session, run: str, place: VaultPlace) -> Room | None:
    return next((seen.room for seen in session.vault.rooms(place) if seen.room.run == run), None)


def _remove_unused(engine: EnginePort, successor: Container) -> None:
    """A successor without papers was made before anything was touched: it may go."""
    if not successor.state.ever_started and successor.name.endswith("-refloat-next"):
        engine.remove_container(successor.id, force=True, volumes=True)


def _container(engine: EnginePort, ref: str) -> Container | None:
    try:
        return engine.container(ref)
    except NotFound:
        return None


def _is_sealed(session: Session, plan: Plan) -> bool:
    try:
        session.vault.sealed(plan.room)
    except VaultError:
        return False
    return True
