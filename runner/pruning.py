"""What no open or retained run needs any more, found first and removed on order; never anything of a run at work."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import Literal, assert_never

from runner.errors import Conflict, NotFound
from runner.facts import Container, Fact
from runner.labels import READERS, ROLE, RUN, SUCCESSOR
from runner.plan import HELD, Plan, held_tag
from runner.records import End
from runner.session import Session
from runner.staging import is_at_work, left_scenes, strike_left
from runner.vault.port import Room, RoomSeen, VaultPlace
from runner.way import kept_name

FOLDERS_KEPT = 20
"""How many finished runs of one target the history keeps."""
STRANGE_AGE = timedelta(days=1)
"""What belongs to no run of this machine may be another one's, at work; after a day without a successor it is not."""


class Leftover(Fact):
    """One thing nobody needs."""

    kind: Literal["container", "snapshot", "volume", "image tag", "run folder", "rehearsal"]
    name: str
    run: str
    why: str
    size_bytes: int = 0
    room: Room | None = None


@dataclass(frozen=True)
class _Ground:
    """All that decides what is needed, read once."""

    session: Session
    containers: tuple[Container, ...]
    rooms: tuple[RoomSeen, ...]
    engine_id: str

    @cached_property
    def plans(self) -> dict[str, Plan]:
        return {run: self.session.runs.plan(run) for run in self.session.runs.all()}

    @cached_property
    def sealed(self) -> frozenset[str]:
        return frozenset(seen.room.run for seen in self.rooms if seen.sealed)

    def is_open(self, run: str) -> bool:
        """Whether somebody may still need a run's things; a run of another machine shows by its containers."""
        if run in self.plans:
            return not self.session.finished(run)
        names = {container.name for container in self.containers}
        return any(
            container.name.endswith("-refloat-next") or kept_name(container.name) in names
            for container in self.containers
            if container.labels.get(RUN) == run and container.labels.get(ROLE) == SUCCESSOR
        )

    def is_over(self, run: str, since: str) -> bool:
        """Whether nobody can need a thing of this run any more that was made at ``since``."""
        return not self.is_open(run) and (run in self.plans or _is_old(since, self.session.clock.now()))


def _is_old(since: str, now: datetime) -> bool:
    """RFC 3339 to the second; a time that cannot be read is never old."""
    try:
        return now - datetime.fromisoformat(since[:19] + "+00:00") > STRANGE_AGE
    except ValueError:
        return False


def find_leftovers(session: Session, place: VaultPlace) -> tuple[Leftover, ...]:
    """Everything that can go, in the order in which it goes."""
    ground = _Ground(session, session.engine.containers(), session.vault.rooms(place), session.engine.engine().id)
    return (*_containers(ground), *_volumes(ground), *_rooms(ground), *_tags(ground), *_folders(ground),
            *_rehearsals(ground))  # fmt: skip


def _containers(ground: _Ground) -> Iterator[Leftover]:
    for each in ground.containers:
        if RUN not in each.labels or each.labels.get(ROLE) not in READERS:
            continue
        run = each.labels[RUN].removesuffix("-clone")
        if ground.is_over(run, each.created):
            yield Leftover(kind="container", name=each.name, run=run, why="its run is over")


def _volumes(ground: _Ground) -> Iterator[Leftover]:
    for volume in ground.session.engine.volumes({RUN: ""}):
        run = volume.labels.get(RUN, "")
        if ground.is_over(run, volume.created):
            room = next((seen.room for seen in ground.rooms if seen.room.run == run), None)
            yield Leftover(kind="volume", name=volume.name, run=run, why="a clone of a run that is over", room=room)


def _rooms(ground: _Ground) -> Iterator[Leftover]:
    """Sealed snapshots stay: retention is the commit's, and one of another machine may be its way back."""
    for seen in ground.rooms:
        run = seen.room.run
        if not ground.is_over(run, seen.made_at) or (seen.sealed and not _went_back(ground, run)):
            continue
        why = "its run was rolled back" if seen.sealed else "an unfinished copy of a run that is over"
        size = seen.unique_bytes
        yield Leftover(
            kind="snapshot", name=f"{seen.room.target}/{run}", run=run, why=why, size_bytes=size, room=seen.room
        )


def _went_back(ground: _Ground, run: str) -> bool:
    plan = ground.plans.get(run)
    return plan is not None and ground.session.outcome(plan).end is End.OLD


def _tags(ground: _Ground) -> Iterator[Leftover]:
    for image in ground.session.engine.images():
        for tag in image.tags:
            run = tag.removeprefix(HELD)
            if tag.startswith(HELD) and ground.is_over(run, _begun(run)) and not _is_way_back(ground, run):
                size = image.size_bytes if len(image.tags) == 1 else 0
                yield Leftover(kind="image tag", name=tag, run=run, why="no snapshot needs it", size_bytes=size)


def _begun(run: str) -> str:
    """When a run was planned: its name begins with it; a tag has no time of its own."""
    try:
        return datetime.strptime(run[:15], "%Y%m%d-%H%M%S").isoformat()  # UTC, as all times here
    except ValueError:
        return ""


def _is_way_back(ground: _Ground, run: str) -> bool:
    """Whether a rollback to this run's old image is still possible: its snapshot is there, or it needs none."""
    plan = ground.plans.get(run)
    if run in ground.sealed:
        return True
    return plan is not None and not plan.sources and not _went_back(ground, run) and run in _newest(ground, plan)


def _newest(ground: _Ground, plan: Plan) -> tuple[str, ...]:
    return ground.session.runs.of_target(plan.engine_id, plan.target)[: plan.keep]


def _folders(ground: _Ground) -> Iterator[Leftover]:
    targets = dict.fromkeys(plan.target for plan in ground.plans.values() if plan.engine_id == ground.engine_id)
    for target in targets:
        for run in ground.session.runs.of_target(ground.engine_id, target)[FOLDERS_KEPT:]:
            if run not in ground.sealed and not ground.is_open(run):
                why = f"older than the last {FOLDERS_KEPT} runs of {target}"
                yield Leftover(kind="run folder", name=run, run=run, why=why)


def _rehearsals(ground: _Ground) -> Iterator[Leftover]:
    for scene in left_scenes(ground.session):
        if not is_at_work(ground.session, scene):
            yield Leftover(kind="rehearsal", name=scene.stand_in, run=scene.run, why="a rehearsal that was cut off")


def prune(session: Session, leftover: Leftover) -> None:
    """Remove one of them; what is gone already, or came into use since, is left alone."""
    match leftover.kind:
        case "container":
            with contextlib.suppress(NotFound):
                session.engine.remove_container(leftover.name, force=True, volumes=True)
        case "volume":
            with contextlib.suppress(NotFound, Conflict):
                _drop_volume(session, leftover)
        case "snapshot":
            if leftover.room:
                session.vault.discard(leftover.room)
                session.vault.close(leftover.run)
        case "image tag":
            session.engine.untag(held_tag(leftover.run))
        case "run folder":
            shutil.rmtree(session.runs.folder(leftover.run), ignore_errors=True)
        case "rehearsal":
            strike_left(session)
        case _:
            assert_never(leftover.kind)


def _drop_volume(session: Session, leftover: Leftover) -> None:
    if leftover.room:
        session.vault.drop_clone(leftover.room, {leftover.name: leftover.name})
    else:
        session.engine.remove_volume(leftover.name)
