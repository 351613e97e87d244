"""The offer to restore: an archive or a snapshot checked whole, and a plan that gives a target its data.

It carries nothing out: of the target's nothing is touched before the plan is applied.
"""

from __future__ import annotations

from dataclasses import dataclass

from runner.backups import MARK
from runner.errors import Refused
from runner.facts import Container
from runner.options import Options
from runner.papercheck import check_on_paper
from runner.plan import BROUGHT, Plan
from runner.planner import plan_restore
from runner.refusals import refuse_unfit_for_restore
from runner.session import Session
from runner.snapshots import find_snapshot, verify
from runner.spec import data_mounts
from runner.survey import look_around
from runner.vault.archive_port import Archive, ArchivePort
from runner.vault.port import Room, Sealed, Source, VaultPlace
from runner.world import World


@dataclass(frozen=True)
class From:
    """Where the data comes from: an archive, or a snapshot in the vault by its run (or its target, for the newest)."""

    archive: Archive | None
    snapshot: str
    place: VaultPlace

    @property
    def spoken(self) -> str:
        """How people call it."""
        return self.archive.spoken if self.archive else f"snapshot {self.snapshot}"


@dataclass(frozen=True)
class RestoreOffer:
    """What a restore would do: the plan, and the sealed snapshot whose data it brings."""

    plan: Plan
    sealed: Sealed
    source: str


def offer_restore(session: Session, archives: ArchivePort, container: Container, source: From,
                  options: Options) -> RestoreOffer:  # fmt: skip
    """Check the source whole, then plan; Refused and VaultError where it is damaged, foreign or does not fit."""
    refuse_unfit_for_restore(_world(session, container, source.place, measure=False))
    run = session.new_run()
    sources = data_mounts(container)
    if source.archive is None:
        sealed = _snapshot(session, source, sources)
    else:
        sealed = _brought(session, archives, source.archive, _room(container, source.place, run), sources)
    try:
        world = _world(session, container, source.place, measure=True)
        plan = plan_restore(world, sealed.room, options, run, session.now())
        check_on_paper(plan, world)
    except BaseException:
        drop_room(session, sealed.room)
        raise
    return RestoreOffer(plan=plan, sealed=sealed, source=source.spoken)


def _world(session: Session, container: Container, place: VaultPlace, *, measure: bool) -> World:
    image = session.engine.image(container.image_id)
    return look_around(session.engine, session.vault, container, image, container.image_ref, place, measure=measure)


def _room(container: Container, place: VaultPlace, run: str) -> Room:
    return Room(place=place, target=container.name, run=f"{run}{BROUGHT}")


def _snapshot(session: Session, source: From, sources: tuple[Source, ...]) -> Sealed:
    """A snapshot in the vault, every file of it hashed again."""
    runs = {seen.room.run for seen in session.vault.rooms(source.place)}
    marked = f"{source.snapshot}{MARK}"
    room = find_snapshot(session.vault, source.place, marked if marked in runs else source.snapshot)
    sealed = verify(session.vault, room)
    if sealed.sources != sources:
        theirs = ", ".join(f"{each.spoken} on {each.destination}" for each in sealed.sources)
        what = f"Snapshot {room.run} of {room.target} is of other data: {theirs}."
        raise Refused("foreign", what, then="List them: refloat ls --snapshots")
    return sealed


def _brought(session: Session, archives: ArchivePort, archive: Archive, room: Room,
             sources: tuple[Source, ...]) -> Sealed:  # fmt: skip
    try:
        return archives.bring_in(archive, room, sources)
    except BaseException:
        drop_room(session, room)
        raise


def drop_room(session: Session, room: Room) -> None:
    """Remove what an archive was unpacked into; any other snapshot stays."""
    if room.run.endswith(BROUGHT):
        session.vault.close(room.run)
        session.vault.discard(room)
        session.vault.close(room.run)
