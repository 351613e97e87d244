"""The journal's records: facts about a run in the past tense, one JSON object a line; they decide nothing."""

from __future__ import annotations

from enum import StrEnum
from functools import cache
from typing import Annotated, Literal

from pydantic import Field, TypeAdapter

from runner.facts import Fact, Json


class Wish(StrEnum):
    """Where a run is to end."""

    FORWARD = "forward"
    BACK = "back"


class End(StrEnum):
    """Where a run ended."""

    NEW = "new"
    OLD = "old"
    STUCK = "stuck"


class Opened(Fact):
    """A runner took the run up: the first time, or to recover it."""

    record: Literal["opened"] = "opened"
    at: str
    wish: Wish
    host: str
    pid: int
    from_engine: bool = False
    """True where the journal was lost and what follows was inferred from the engine and the vault."""


class Meant(Fact):
    """A step is about to be done."""

    record: Literal["meant"] = "meant"
    at: str
    key: str


class Did(Fact):
    """A step was done; ``facts`` is what it found out."""

    record: Literal["did"] = "did"
    at: str
    key: str
    facts: Json = {}


class Failed(Fact):
    """A step failed; ``log`` is what the container said last, ``facts`` what was found out all the same."""

    record: Literal["failed"] = "failed"
    at: str
    key: str
    code: str
    what: str
    log: tuple[str, ...] = ()
    facts: Json = {}


class Turned(Fact):
    """The way turned: from here on the run goes back."""

    record: Literal["turned"] = "turned"
    at: str
    code: str
    why: str


class Noted(Fact):
    """Something seen on the way: what is waited for, a warning, a log line."""

    record: Literal["noted"] = "noted"
    at: str
    kind: Literal["waiting", "warning", "log", "seen"]
    text: str
    left_s: float | None = None


class Closed(Fact):
    """The run ended, or stopped where only a human gets it on."""

    record: Literal["closed"] = "closed"
    at: str
    end: End
    code: str = ""
    why: str = ""


Record = Annotated[Opened | Meant | Did | Failed | Turned | Noted | Closed, Field(discriminator="record")]


@cache
def _adapter() -> TypeAdapter[Record]:
    return TypeAdapter(Record)  # slow to make, and only where there is a journal to read


def record_from_line(line: bytes) -> Record:
    """Read one line; pydantic's ValidationError where it is torn."""
    return _adapter().validate_json(line)


def record_to_line(record: Record) -> bytes:
    """One line, with its newline."""
    return record.model_dump_json().encode() + b"\n"
