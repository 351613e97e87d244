"""Backups at work and what killed ones left: a word on the disk for whoever tidies up; it makes none itself."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from runner.errors import Busy
from runner.facts import Fact
from runner.journal import write_durably
from runner.session import Session
from runner.stillness import wake
from runner.vault.port import Room

MARK = "-backup"
"""How the room of a backup's run ends: its snapshot is the backup's to remove."""


class Begun(Fact):
    """A backup at work, on the disk, so that whoever comes next can tidy up after it."""

    engine_id: str
    target: str
    room: Room


@contextlib.contextmanager
def at_work(session: Session, begun: Begun) -> Iterator[None]:
    """Hold the target's backups; a backup that fails leaves nothing, one that is killed leaves a note."""
    with _held(session, begun):
        write_durably(_path(session, begun.room), begun.model_dump_json(indent=2) + "\n")
        try:
            yield
        except BaseException:
            clear(session, begun, keep=False)
            raise
        clear(session, begun, keep=True)


def _held(session: Session, begun: Begun) -> contextlib.AbstractContextManager[None]:
    name, then = f"backup of {begun.target}", "Wait until it has ended."
    return session.runs.lock(begun.engine_id, name, begun.room.run, session.now(), then=then)


def clear(session: Session, begun: Begun, *, keep: bool) -> None:
    """Wake the target up and take away what the backup needed; its snapshot too, unless it is to be kept."""
    wake(session, note_of(session, begun.room))
    session.vault.close(begun.room.run)
    if not keep:
        session.vault.discard(begun.room)
        session.vault.close(begun.room.run)
    _path(session, begun.room).unlink(missing_ok=True)


def backups_folder(home: Path) -> Path:
    """Where backups at work leave word: ``RUN.json``, and ``RUN.paused`` while the target stands still."""
    return home / "backups"


def _path(session: Session, room: Room) -> Path:
    return backups_folder(session.home) / f"{room.run}.json"


def note_of(session: Session, room: Room) -> Path:
    """The file that says that the target of this backup is ours to wake up."""
    return backups_folder(session.home) / f"{room.run}.paused"


def left_backups(session: Session) -> tuple[Begun, ...]:
    """The backups on this engine whose process is gone."""
    engine_id = session.engine.engine().id
    paths = sorted(backups_folder(session.home).glob("*.json"))
    begun = (Begun.model_validate_json(path.read_text(encoding="utf-8")) for path in paths)
    return tuple(one for one in begun if one.engine_id == engine_id and not _is_at_work(session, one))


def _is_at_work(session: Session, begun: Begun) -> bool:
    try:
        with _held(session, begun):
            return False
    except Busy:
        return True


def clear_left_backups(session: Session) -> tuple[Begun, ...]:
    """Wake up and tidy after the backups whose process is gone, and give them; a snapshot that was sealed stays."""
    cleared = []
    for begun in left_backups(session):
        with contextlib.suppress(Busy), _held(session, begun):
            clear(session, begun, keep=_is_sealed(session, begun.room))
            cleared.append(begun)
    return tuple(cleared)


def _is_sealed(session: Session, room: Room) -> bool:
    return any(seen.room == room and seen.sealed for seen in session.vault.rooms(room.place))
