"""How far a path of several hops has come, on the disk: written before each hop begins; it carries nothing out."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pydantic import ValidationError

from runner.errors import Busy
from runner.facts import Fact
from runner.hops_ahead import HopsAhead
from runner.journal import write_durably
from runner.session import Session

KEPT = 50
"""How many paths are kept."""


class PathPaper(Fact):
    """One path: its hops, and the run of each that was begun."""

    id: str
    engine_id: str
    hops: HopsAhead
    runs: tuple[str, ...] = ()
    ended: bool = False
    """Whether whoever walked it came to an end, good or bad; a path that is cut off has none."""


def _folder(session: Session) -> Path:
    return session.home / "paths"


def write_paper(session: Session, paper: PathPaper) -> None:
    """Put it on the disk."""
    folder = _folder(session)
    write_durably(folder / f"{paper.id}.json", paper.model_dump_json(indent=2) + "\n")
    for old in sorted(folder.glob("*.json"))[:-KEPT]:
        old.unlink(missing_ok=True)


def papers(session: Session, target: str = "") -> tuple[PathPaper, ...]:
    """The paths on this engine that have not ended, of one target (or with one run) or of all; oldest first."""
    engine_id = session.engine.engine().id
    found = []
    for file in sorted(_folder(session).glob("*.json")):
        try:
            paper = PathPaper.model_validate_json(file.read_bytes())
        except ValidationError:
            continue  # of another version of refloat: its runs tell for themselves
        if not paper.ended and paper.engine_id == engine_id and target in ("", paper.hops.target, *paper.runs):
            found.append(paper)
    return tuple(found)


@contextmanager
def walking(session: Session, paper: PathPaper) -> Iterator[None]:
    """Hold a target's path: one at a time. Busy; the lock dies with its process."""
    name = f"path of {paper.hops.target}"
    then = f"Watch it: refloat status {paper.hops.target}"
    with session.runs.lock(paper.engine_id, name, paper.id, session.now(), then=then):
        yield


def close_cut_off(session: Session, target: str) -> tuple[PathPaper, ...]:
    """The paths that somebody died on, which are given up from now on: their rest is typed again."""
    closed = []
    for paper in papers(session, target):
        try:
            with walking(session, paper):
                write_paper(session, paper.model_copy(update={"ended": True}))
                closed.append(paper)
        except Busy:
            continue  # somebody walks it just now
    return tuple(closed)
