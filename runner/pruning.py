"""What no open or retained run needs any more, found first and removed on order; never anything of a run at work.

Of a target's snapshots the retention of its newest run decides; those of runs that nobody here knows may be another
machine's way back, and go only where that is wished (``foreign``).
"""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterator
from datetime import datetime
from typing import Literal, assert_never

from runner.backups import MARK, clear_left_backups, left_backups
from runner.errors import Conflict, NotFound
from runner.facts import Fact
from runner.labels import READERS, ROLE, RUN, run_of
from runner.needs import Needs
from runner.plan import BROUGHT, HELD, Plan, held_tag
from runner.records import End
from runner.session import Session
from runner.staging import is_at_work, left_scenes, strike_left
from runner.unused_versions import unused_versions
from runner.vault.port import Room, RoomSeen, VaultPlace

FOLDERS_KEPT = 20
"""How many finished runs of one target the history keeps."""


class Leftover(Fact):
    """One thing nobody needs."""

    kind: Literal["container", "snapshot", "volume", "image tag", "version", "run folder", "rehearsal", "backup"]
    name: str
    run: str
    why: str
    size_bytes: int = 0
    room: Room | None = None


def find_leftovers(session: Session, place: VaultPlace, *, foreign: bool = False,
                   versions: bool = False) -> tuple[Leftover, ...]:  # fmt: skip
    """Everything that can go, in the order in which it goes; old ``versions`` of products only where that is wished."""
    engine = session.engine
    needs = Needs(session, engine.containers(), session.vault.rooms(place), engine.engine().id, foreign)
    return (*_containers(needs), *_volumes(needs), *_rooms(needs), *_tags(needs), *_folders(needs),
            *_rehearsals(needs), *_backups(needs), *(_versions(needs) if versions else ()))  # fmt: skip


def _containers(needs: Needs) -> Iterator[Leftover]:
    for each in needs.containers:
        if RUN not in each.labels or each.labels.get(ROLE) not in READERS:
            continue
        run = each.labels[RUN].removesuffix("-clone")
        if needs.is_over(run, each.created):
            yield Leftover(kind="container", name=each.name, run=run, why="its run is over")


def _volumes(needs: Needs) -> Iterator[Leftover]:
    for volume in needs.session.engine.volumes({RUN: ""}):
        run = volume.labels.get(RUN, "")
        if needs.is_over(run, volume.created):
            room = next((seen.room for seen in needs.rooms if seen.room.run == run), None)
            yield Leftover(kind="volume", name=volume.name, run=run, why="a clone of a run that is over", room=room)


def _rooms(needs: Needs) -> Iterator[Leftover]:
    for seen in needs.rooms:
        room, why = seen.room, _why_not_kept(needs, seen)
        if why:
            name, size = f"{room.target}/{room.run}", seen.unique_bytes
            yield Leftover(kind="snapshot", name=name, run=room.run, why=why, size_bytes=size, room=room)


def _why_not_kept(needs: Needs, seen: RoomSeen) -> str:
    """Why a room can go; empty where it stays."""
    room = seen.room
    run = room.run
    if not needs.is_over(run.removesuffix(BROUGHT), seen.made_at) or run in needs.needed:
        return ""
    if run.endswith(BROUGHT):
        return "an archive unpacked for a restore that is over"
    if not seen.sealed:
        return "an unfinished copy of a run that is over"
    if _went_back(needs, run):
        return "its run was rolled back"
    if run in needs.let_go:
        return f"kept are {needs.let_go[run].spoken}"
    unknown = needs.foreign and run_of(run) not in needs.plans and not _is_base(needs, room)
    return "no run known here took it" if unknown else ""


def _is_base(needs: Needs, room: Room) -> bool:
    """Whether the next backup of a container that is there copies only what changed since this one."""
    return room.run.endswith(MARK) and room.target in {container.name for container in needs.containers}


def _went_back(needs: Needs, run: str) -> bool:
    plan = needs.plans.get(run_of(run))
    return plan is not None and needs.session.outcome(plan).end is End.OLD


def _tags(needs: Needs) -> Iterator[Leftover]:
    for image in needs.session.engine.images():
        for tag in image.tags:
            run = tag.removeprefix(HELD)
            if tag.startswith(HELD) and needs.is_over(run, _begun(run)) and not _is_way_back(needs, run):
                size = image.size_bytes if len(image.tags) == 1 else 0
                yield Leftover(kind="image tag", name=tag, run=run, why="no snapshot needs it", size_bytes=size)


def _versions(needs: Needs) -> Iterator[Leftover]:
    for one in unused_versions(needs.session.engine.images(), needs.containers):
        yield Leftover(kind="version", name=one.tag, run="", why=one.why, size_bytes=one.size_bytes)


def _begun(run: str) -> str:
    """When a run was planned: its name begins with it; a tag has no time of its own."""
    try:
        return datetime.strptime(run[:15], "%Y%m%d-%H%M%S").isoformat()  # UTC, as all times here
    except ValueError:
        return ""


def _is_way_back(needs: Needs, run: str) -> bool:
    """Whether a rollback to this run's old image is still possible: its snapshot is there, or it needs none."""
    plan = needs.plans.get(run_of(run))
    if run_of(run) in needs.sealed:  # of a stack all go back, those without data too
        return True
    if plan is None or _went_back(needs, run) or run_of(run) not in _newest(needs, plan):
        return False
    return not any(member.sources for member in plan.members if member.run == run)


def _newest(needs: Needs, plan: Plan) -> tuple[str, ...]:
    return needs.session.runs.of_target(plan.engine_id, plan.target)[: plan.keep]


def _folders(needs: Needs) -> Iterator[Leftover]:
    targets = dict.fromkeys(plan.target for plan in needs.plans.values() if plan.engine_id == needs.engine_id)
    for target in targets:
        for run in needs.session.runs.of_target(needs.engine_id, target)[FOLDERS_KEPT:]:
            if run not in needs.sealed and not needs.is_open(run):
                why = f"older than the last {FOLDERS_KEPT} runs of {target}"
                yield Leftover(kind="run folder", name=run, run=run, why=why)


def _rehearsals(needs: Needs) -> Iterator[Leftover]:
    for scene in left_scenes(needs.session):
        if not is_at_work(needs.session, scene):
            yield Leftover(kind="rehearsal", name=scene.stand_in, run=scene.run, why="a rehearsal that was cut off")


def _backups(needs: Needs) -> Iterator[Leftover]:
    for begun in left_backups(needs.session):
        yield Leftover(kind="backup", name=begun.target, run=begun.room.run, why="a backup that was cut off")


def prune(session: Session, leftover: Leftover) -> None:  # noqa: C901  # one case a kind, nothing nested
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
                session.engine.untag(held_tag(leftover.run))
        case "image tag":
            session.engine.untag(held_tag(leftover.run))
        case "version":
            with contextlib.suppress(Conflict):  # a container came to use it
                session.engine.untag(leftover.name)
        case "run folder":
            shutil.rmtree(session.runs.folder(leftover.run), ignore_errors=True)
        case "rehearsal":
            strike_left(session)
        case "backup":
            clear_left_backups(session)
        case _:
            assert_never(leftover.kind)


def _drop_volume(session: Session, leftover: Leftover) -> None:
    if leftover.room:
        session.vault.drop_clone(leftover.room, {leftover.name: leftover.name})
    else:
        session.engine.remove_volume(leftover.name)
