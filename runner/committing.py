"""Accepting a verdict for good: a plan of its own with its own journal; only here is anything of the user's removed."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import assert_never

from runner.clock import Clock, stamp
from runner.errors import NotFound, Stuck
from runner.facts import Container, Fact, Json
from runner.hands import Hands
from runner.journal import Journal, Runs, write_durably
from runner.labels import run_of
from runner.perform_data import close_vault
from runner.plan import Plan, held_tag, step_key
from runner.records import Closed, Did, End, Meant, Opened, Wish
from runner.retention import let_go
from runner.steps import DestructiveStep
from runner.steps.destructive import CloseVault, RemoveKept, RetireSnapshot
from runner.steps.nouns import Existing
from runner.vault.port import Room, RoomSeen


class CommitPlan(Fact):
    """What a commit removes; fixed before the first removal, so that a commit cut off goes on with the same."""

    run: str
    target: str
    steps: tuple[DestructiveStep, ...]


def plan_commit(plan: Plan, rooms: tuple[RoomSeen, ...], finished: frozenset[str], now: datetime) -> CommitPlan:
    """Remove the kept container, and of this target's finished runs the snapshots that its retention lets go."""
    return CommitPlan(
        run=plan.run,
        target=plan.target,
        steps=(
            *_kept_steps(plan),
            *(RetireSnapshot(room=room, tag=held_tag(room.run)) for room in plan.brought),
            *(RetireSnapshot(room=room, tag=held_tag(room.run)) for room in retired(plan, rooms, finished, now)),
        ),
    )


def _kept_steps(plan: Plan) -> tuple[DestructiveStep, ...]:
    kept = (Existing(id=each.container_id, name=each.kept_name) for each in plan.members if each.recreated)
    closed = (CloseVault(run=each.run) for each in plan.members)
    return (*(RemoveKept(who=who, name=who.name) for who in kept), *closed)


def retired(plan: Plan, rooms: tuple[RoomSeen, ...], finished: frozenset[str], now: datetime) -> tuple[Room, ...]:
    """What retention lets go: of each of its targets, of finished runs, never this run's own."""
    known = finished | frozenset((plan.run,))
    return tuple(
        seen.room
        for member in plan.members
        for seen in let_go(_of_target(rooms, member.target, known), plan.retention, now)
        if run_of(seen.room.run) != plan.run
    )


def _of_target(rooms: tuple[RoomSeen, ...], target: str, runs: frozenset[str]) -> tuple[RoomSeen, ...]:
    return tuple(seen for seen in rooms if seen.room.target == target and run_of(seen.room.run) in runs)


def saved_commit(runs: Runs, plan: Plan, make: CommitPlan | None) -> CommitPlan:
    """The commit plan of a run: the saved one where there is one, else ``make``, saved first."""
    path = _path(runs, plan.run)
    if path.exists():
        return CommitPlan.model_validate_json(path.read_text(encoding="utf-8"))
    made = make or CommitPlan(run=plan.run, target=plan.target, steps=_kept_steps(plan))
    write_durably(path, made.model_dump_json(indent=2) + "\n")
    return made


def commit_begun(runs: Runs, run: str) -> bool:
    """Whether a commit was planned, finished or not."""
    return _path(runs, run).exists()


def _path(runs: Runs, run: str) -> Path:
    return runs.folder(run) / "commit-plan.json"


def execute_commit(commit: CommitPlan, log: Journal, hands: Hands, clock: Clock, host: str, pid: int) -> None:
    """Do what is not done yet; an error leaves the rest for another time."""
    log.write(Opened(at=stamp(clock), wish=Wish.FORWARD, host=host, pid=pid))
    done = {record.key for record in log.records if isinstance(record, Did)}
    for index, step in enumerate(commit.steps):
        key = step_key(index)
        if key not in done:
            log.write(Meant(at=stamp(clock), key=key))
            log.write(Did(at=stamp(clock), key=key, facts=perform_destructive(hands, step)))
    log.write(Closed(at=stamp(clock), end=End.NEW))


def perform_destructive(hands: Hands, step: DestructiveStep) -> Json:
    """Do one removal; what is gone already is done."""
    match step:
        case RemoveKept():
            return _remove_kept(hands, step)
        case RetireSnapshot():
            hands.vault.discard(step.room)
            hands.vault.close(step.room.run)
            hands.engine.untag(step.tag)
            return {}
        case CloseVault():
            return close_vault(hands, step.run)
        case _:
            assert_never(step)


def _remove_kept(hands: Hands, step: RemoveKept) -> Json:
    try:
        container = hands.engine.container(step.who.id)
    except NotFound:
        return {}
    if container.name != step.name or container.state.alive:
        raise _kept_changed(step, container)
    hands.engine.remove_container(container.id, volumes=False)
    return {"removed": container.id}


def _kept_changed(step: RemoveKept, container: Container) -> Stuck:
    what = f"The kept container was changed by somebody: it is {container.name}, {container.state.status}."
    parked = f"docker rename {container.name} {step.name}"
    order = f"docker stop {container.name}" if container.state.alive else parked
    then = f"If nobody needs it: {order}, then: refloat recover"
    return Stuck("kept-changed", what, "The new version runs; nothing was removed.", then)
