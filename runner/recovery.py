"""Finds runs that were cut off, in the journals or on the engine and in the vault; it changes nothing of them."""

from __future__ import annotations

from dataclasses import dataclass

from runner.compose.project import PROJECT
from runner.engine.port import EnginePort
from runner.errors import NotFound, Stuck, UsageError
from runner.facts import Container
from runner.labels import REHEARSAL, RETURNED, ROLE, RUN, SUCCESSOR, run_of
from runner.perform_data import VERDICT_PAPER
from runner.plan import Member, Plan, plan_from_json, step_key
from runner.progress import Seen, records_from_seen, wish_of
from runner.records import Did, End, Record, Wish
from runner.session import Session
from runner.steps.forward import StartSuccessor
from runner.vault.port import Room, VaultError, VaultPlace
from runner.way import kept_name, staging_name


@dataclass(frozen=True)
class Open:
    """A run that somebody must finish or undo; ``inferred`` records stand for a lost journal."""

    plan: Plan
    lost: bool = False
    inferred: tuple[Record, ...] = ()


def open_runs(session: Session, target: str) -> tuple[Open, ...]:
    """The runs on this engine whose journal says that they did not end, or whose commit did not; oldest first."""
    engine_id = session.engine.engine().id
    plans = (session.runs.plan(run) for run in reversed(session.runs.readable()))
    return tuple(
        Open(plan=plan)
        for plan in plans
        if plan.engine_id == engine_id and target in ("", plan.run, *plan.names) and _cut_off(session, plan)
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
    found = (_lost(session, one, place) for one in _strange_successors(session, target, place))
    return tuple(lost for lost in found if lost is not None)


def refuse_unexplained(session: Session, target: str, place: VaultPlace) -> None:
    """Stuck ``no-papers`` where a run is open on the engine that neither a journal here nor this vault explains."""
    for successor in _strange_successors(session, target, place):
        if "plan.json" not in _papers(session, successor.labels[RUN], place):
            _refuse_if_open(session.engine, successor, place)


def _strange_successors(session: Session, target: str, place: VaultPlace) -> tuple[Container, ...]:
    """One of each run that no journal here knows, by run: of what is asked for by name, else of the stack of that name.

    The name of a stack of refloat.yaml is on no container: only the papers of its runs tell it.
    """
    known = set(session.runs.all())
    successors = session.engine.containers({RUN: "", ROLE: SUCCESSOR})
    strange = tuple(each for each in successors if run_of(each.labels[RUN]) not in known)
    asked = tuple(each for each in strange if _is_asked_for(each, target))
    seen = {run_of(each.labels[RUN]): each for each in asked or _of_stack(session, strange, target, place)}
    return tuple(seen[run] for run in sorted(seen))


def _is_asked_for(successor: Container, target: str) -> bool:
    """Told by name, before any papers are read: another target's may be in another vault, and no business of ours.

    A rehearsal's is a copy; it is cleared away as a whole, not finished.
    """
    if REHEARSAL in successor.labels:
        return False
    plain = successor.name.removesuffix(staging_name(""))
    label = successor.labels[RUN]
    return target in ("", plain, successor.name, label, run_of(label), successor.labels.get(PROJECT, ""))


def _of_stack(
    session: Session, successors: tuple[Container, ...], name: str, place: VaultPlace
) -> tuple[Container, ...]:
    """Those of a stack of refloat.yaml, whose name is on no container: only the papers of its runs tell it."""
    copies = (each for each in successors if name and REHEARSAL not in each.labels)
    return tuple(each for each in copies if _stack_of(session, each, place) == name)


def _stack_of(session: Session, successor: Container, place: VaultPlace) -> str:
    try:
        plan = plan_of_successor(session, successor, place)
    except UsageError:  # of another version of refloat
        return ""
    return plan.target if plan else ""


def plan_of_stack_named(session: Session, name: str, place: VaultPlace) -> Plan | None:
    """The newest plan by that name in the vault, of a run that made containers which are still there."""
    successors = session.engine.containers({RUN: "", ROLE: SUCCESSOR})
    found = _of_stack(session, successors, name, place)
    newest = max(found, key=lambda each: each.labels[RUN], default=None)
    return plan_of_successor(session, newest, place) if newest else None


def _lost(session: Session, successor: Container, place: VaultPlace) -> Open | None:
    plan = plan_of_successor(session, successor, place)
    if plan is None:
        return None
    seen = tuple(_seen(session, member) for member in plan.members)
    accepted = session.vault.read_papers(plan.lead.room).get(VERDICT_PAPER) == "accepted"
    if accepted and all(one.old is None for one in seen if one.member.recreated):
        return None
    return Open(plan=plan, lost=True, inferred=records_from_seen(plan, seen, session.now(), accepted=accepted))


def _seen(session: Session, member: Member) -> Seen:
    return Seen(
        member=member,
        old=_container(session.engine, member.container_id) or _first(session.engine, member.run, RETURNED),
        successor=_first(session.engine, member.run, SUCCESSOR),
        sealed=_is_sealed(session, member.room),
    )


def plan_of_successor(session: Session, container: Container, place: VaultPlace) -> Plan | None:
    """The plan by which a container was made, from the vault where no journal knows it; None where it is not there."""
    run = container.labels.get(RUN, "")
    papers = _papers(session, run, place) if run else {}
    return plan_from_json(papers["plan.json"], f"the plan of run {run} in the vault") if "plan.json" in papers else None


def _papers(session: Session, run: str, place: VaultPlace) -> dict[str, str]:
    room = next((seen.room for seen in session.vault.rooms(place) if seen.room.run == run), None)
    return session.vault.read_papers(room) if room else {}


def _refuse_if_open(engine: EnginePort, successor: Container, place: VaultPlace) -> None:
    """A successor is never without papers; where the run is open they must be in another vault."""
    parked = successor.name.endswith(staging_name(""))
    if parked or _container(engine, kept_name(successor.name)) is not None:
        run, vault = successor.labels[RUN], place.volume or place.path
        what = f"Run {run} left {successor.name}, and its papers are not in {vault}."
        then = f"Say where its vault is: refloat recover {run} --vault VOLUME_OR_PATH"
        raise Stuck("no-papers", what, "Nothing of it was changed now.", then)


def _container(engine: EnginePort, ref: str) -> Container | None:
    try:
        return engine.container(ref)
    except NotFound:
        return None


def _first(engine: EnginePort, run: str, role: str) -> Container | None:
    """The new container of a member, or the old one made anew on the way back where the engine had deleted it."""
    return next(iter(engine.containers({RUN: run, ROLE: role})), None)


def _is_sealed(session: Session, room: Room) -> bool:
    try:
        session.vault.sealed(room)
    except VaultError:
        return False
    return True
