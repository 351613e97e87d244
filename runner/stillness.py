"""Copies data that is in use: the target stands still for what changed meanwhile, and wakes up whatever dies.

That it is ours to wake up is on the disk before it is paused; of the user's it pauses that target, or the members of
one stack, and no more.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path

from runner.facts import Container, Json
from runner.freezing import freeze, thaw
from runner.journal import write_durably
from runner.session import Session
from runner.vault.port import Room, Source


def take_snapshot(session: Session, room: Room, sources: tuple[Source, ...], container: Container, note: Path,
                  settle: Callable[[], None] = lambda: None) -> float:  # fmt: skip
    """Copy and seal the data of what runs; gives how long it stood still meanwhile, in seconds.

    ``note`` is the file that says, as long as it is there, that the target is ours to wake up; ``settle`` is done last
    before it is paused.
    """
    session.vault.warm_copy(room, sources)
    settle()
    with standing_still(session, note, container.id):
        began = session.clock.monotonic()
        copy_still(session, room, sources, container)
    return round(session.clock.monotonic() - began, 3)


def copy_still(session: Session, room: Room, sources: tuple[Source, ...], container: Container) -> None:
    """Copy and seal the data that nobody writes to."""
    taken: Json = {"container": container.id, "name": container.name, "image": container.image_id}
    session.vault.cold_copy(room, sources)
    session.vault.seal(room, sources, taken)


@contextlib.contextmanager
def standing_still(session: Session, note: Path, *container_ids: str) -> Iterator[None]:
    """Pause containers, in this order; that they are ours to wake up is on the disk before the first is paused."""
    write_durably(note, "".join(f"{each}\n" for each in container_ids))
    try:
        for each in container_ids:
            freeze(session.engine, session.clock, each)
        session.announce("performed pause")
        yield
    finally:
        wake(session, note)


def wake(session: Session, note: Path) -> None:
    """Wake up whom a note says was paused by us, the last paused first; nothing where there is no note."""
    if note.exists():
        for each in reversed(note.read_text(encoding="utf-8").split()):
            thaw(session.engine, session.clock, each)
        note.unlink()
