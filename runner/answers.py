"""What people answered to the gates, once per target and release: it keeps and finds answers, and judges none."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from runner.errors import UsageError
from runner.facts import Fact
from runner.journal import ensure_private, write_durably


class Answer(Fact):
    """One answer: to which gate, for which target on its way to which release, and when it was given."""

    target: str
    goal: str
    gate: str
    answer: str
    at: str
    by: str = ""
    """Who gave it, where that was asked for."""

    @property
    def to(self) -> tuple[str, str, str]:
        """What it answers; a later answer to the same replaces it."""
        return (self.target, self.goal, self.gate)


@cache
def _adapter() -> TypeAdapter[tuple[Answer, ...]]:
    return TypeAdapter(tuple[Answer, ...])  # slow to make, and most have no answers


def answers_file(home: Path) -> Path:
    """Where the answers are kept."""
    return home / "answers.json"


def read_answers(home: Path) -> tuple[Answer, ...]:
    """Every answer ever given; UsageError ``bad-answers`` where the file is not what we wrote."""
    path = answers_file(home)
    try:
        text = path.read_bytes()
        return _adapter().validate_json(text)
    except FileNotFoundError:
        return ()
    except (OSError, ValidationError) as wrong:
        why = wrong.strerror if isinstance(wrong, OSError) else wrong.errors()[0]["msg"]
        what = f"The answers in {path} cannot be read: {why}."
        raise UsageError(
            "bad-answers", what, then=f"Put the file away and answer again: mv {path} {path}.old"
        ) from None


def keep_answers(home: Path, given: tuple[Answer, ...]) -> tuple[Answer, ...]:
    """Add answers to those on the disk; all there are now."""
    try:
        with _alone(home):
            known = {one.to: one for one in (*read_answers(home), *given)}
            every = tuple(known[key] for key in sorted(known))
            write_durably(answers_file(home), _adapter().dump_json(every, indent=2).decode() + "\n")
    except OSError as wrong:
        what = f"The answers cannot be written to {answers_file(home)}: {wrong.strerror}."
        raise UsageError("not-writable", what, then="Make room there, or set REFLOAT_HOME to another folder.") from None
    return every


@contextmanager
def _alone(home: Path) -> Iterator[None]:
    """Wait until nobody else adds answers: what two terminals say at once is kept of both."""
    path = home / "locks" / "answers.lock"
    ensure_private(path.parent)
    with path.open("a", encoding="utf-8") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
