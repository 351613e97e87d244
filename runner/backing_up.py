"""The backup: a sealed snapshot of a target's data, exported as an archive; the target is afterwards as it was before.

The newest backup's snapshot stays in the vault, which makes the next one cheap; older ones of the target go.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass

from runner.backups import MARK, Begun, at_work, clear_left_backups, note_of
from runner.errors import RefloatError
from runner.facts import Container, Fact
from runner.recipes.loader import recipe_for_image
from runner.refusals import refuse_unfit_for_backup
from runner.session import Session
from runner.spec import data_mounts
from runner.stillness import copy_still, take_snapshot
from runner.survey import look_around
from runner.vault.archive_port import Archive, ArchivePort, Depot, Exported
from runner.vault.port import Room, Sealed, Source, VaultError, VaultPlace
from runner.way import repository

SETTLE_S = 300.0
"""How long a product may write out what it holds in memory."""


@dataclass(frozen=True)
class Wanted:
    """Where the archive is to go, and where the snapshot it is made of is kept."""

    depot: Depot
    place: VaultPlace
    init: bool = False
    """Make the repository where there is none."""


class BackedUp(Fact):
    """One backup that was made."""

    run: str
    target: str
    archive: str
    """As ``restore`` takes it."""
    size_bytes: int
    """Of the file; 0 in a repository."""
    sha256: str
    data_bytes: int
    entries: int
    paused_s: float | None = None
    """How long the target stood still; None where it did not run."""
    export_s: float
    total_s: float
    warning: str = ""


def back_up(session: Session, archives: ArchivePort, container: Container, wanted: Wanted,
            tell: Callable[[str], None]) -> BackedUp:  # fmt: skip
    """Make one backup. Refused and VaultError where there is none; Busy where another one of this target is at work."""
    clear_left_backups(session)
    began = session.clock.monotonic()
    _refuse_unfit(session, container, wanted)
    archives.check(wanted.depot, init=wanted.init)
    run = session.new_run()
    room = Room(place=wanted.place, target=container.name, run=f"{run}{MARK}")
    with at_work(session, Begun(engine_id=session.engine.engine().id, target=container.name, room=room)):
        sealed, paused_s = _sealed(session, room, container, tell)
        tell(f"export   {wanted.depot.spoken}")
        exported = _exported(archives, room, wanted.depot, run, container)
        _retire_older(session, room)
    return BackedUp(
        run=run,
        target=container.name,
        archive=Archive(depot=wanted.depot, name=exported.name[:8] if wanted.depot.restic else exported.name).spoken,
        size_bytes=exported.size_bytes,
        sha256=exported.sha256,
        data_bytes=sealed.size_bytes,
        entries=sealed.entries,
        paused_s=paused_s,
        export_s=exported.seconds,
        total_s=round(session.clock.monotonic() - began, 3),
        warning=_warning(container) if paused_s is not None else "",
    )


def _refuse_unfit(session: Session, container: Container, wanted: Wanted) -> None:
    image = session.engine.image(container.image_id)
    place = wanted.place
    world = look_around(session.engine, session.vault, container, image, container.image_ref, place, measure=True)
    refuse_unfit_for_backup(world, wanted.depot)


def _settle(session: Session, container: Container) -> None:
    """Let the product write out what it holds in memory alone, where its recipe says how."""
    recipe = recipe_for_image(repository(container.image_ref))
    if recipe and recipe.consistent_copy.by == "command":
        session.engine.execute(container.id, recipe.consistent_copy.argv, timeout_s=SETTLE_S)


def _warning(container: Container) -> str:
    """What the recipe says where neither a pause nor a command makes a consistent copy."""
    recipe = recipe_for_image(repository(container.image_ref))
    if recipe is None or recipe.consistent_copy.by != "stop":
        return ""
    return f"{recipe.title} was only paused; its recipe wants it at rest: docker stop {container.name}, then again."


def _sealed(session: Session, room: Room, container: Container,
            tell: Callable[[str], None]) -> tuple[Sealed, float | None]:  # fmt: skip
    """The data as a sealed snapshot, and how long the target stood still for it."""
    sources: tuple[Source, ...] = data_mounts(container)
    running = container.state.running
    tell(f"copy     {', '.join(source.spoken for source in sources)}{'; a pause for what changed' if running else ''}")
    paused_s = None
    with session.runs.lock(session.engine.engine().id, container.name, room.run, session.now()):
        if running:
            note = note_of(session, room)
            paused_s = take_snapshot(session, room, sources, container, note, lambda: _settle(session, container))
        else:
            copy_still(session, room, sources, container)
    return session.vault.sealed(room), paused_s


def _exported(archives: ArchivePort, room: Room, depot: Depot, run: str, container: Container) -> Exported:
    try:
        return archives.export(room, depot, run)
    except RefloatError as no:
        no.stands = f"{container.name} is as it was before; of this backup nothing is left."
        raise


def _retire_older(session: Session, room: Room) -> None:
    """What the next backup is compared with is the newest snapshot; one that is in use now stays until later."""
    for seen in session.vault.rooms(room.place):
        mine = seen.room.target == room.target and seen.room.run.endswith(MARK)
        if mine and seen.sealed and seen.room.run < room.run:
            with contextlib.suppress(VaultError):
                session.vault.discard(seen.room)
            session.vault.close(seen.room.run)
