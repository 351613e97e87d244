"""Questions of a refresh and their answers: what can be chosen, by which key; it asks nobody.

An answer is bound to its conflict by a fingerprint, so that one given beforehand never decides another conflict.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from runner.errors import Refused
from runner.refresh.decide import Ask
from runner.refresh.entries import printable
from runner.refresh.merge import Merge

KEEP, OPEN, LOOK_AGAIN, ABORT, SHELL = "keep", "open", "look again", "abort", "shell"
RESTORE, INSTALL = "restore", "install"


class Conflict(StrEnum):
    """What to do with every conflict nobody has answered."""

    ASK = "ask"
    INSTALL = "install"
    KEEPOLD = "keepold"
    ABORT = "abort"


@dataclass(frozen=True)
class Texts:
    """The three versions of a file and what a merge made of them."""

    user: bytes
    old: bytes
    new: bytes
    merged: Merge


@dataclass(frozen=True)
class Question:
    """One conflict: where, what about, and which conflict exactly.

    ``texts`` is there for a merge alone; ``compares`` is whether without one, too, the user's is a file to be shown
    beside a new default file.
    """

    path: str
    ask: Ask
    sentence: str
    fingerprint: str
    texts: Texts | None = None
    compares: bool = False

    @property
    def choices(self) -> tuple[str, ...]:
        """What ends the question; a menu offers more on the way."""
        return (KEEP, RESTORE, INSTALL, ABORT) if self.ask is Ask.MERGE else (KEEP, self.ask.value, ABORT)


@dataclass(frozen=True)
class Answer:
    """A choice; for a merge, *keep* may bring the text a person has made of it."""

    choice: str
    text: bytes | None = None


class Asks(Protocol):
    """Whoever answers: a policy, prepared answers, or a person at a terminal."""

    def __call__(self, question: Question) -> Answer:
        """Answer one question, or raise to abort."""


def keys_of(options: Iterable[str]) -> dict[str, str]:
    """Give each option the first letter of its word no earlier option has taken."""
    keys: dict[str, str] = {}
    for option in options:
        key = next(letter for letter in option if letter not in keys and letter != " ")
        keys[key] = option
    return keys


def answer_by_policy(policy: Conflict, question: Question) -> Answer:
    """Answer without asking anybody; ASK leaves the question open."""
    match policy:
        case Conflict.INSTALL:
            return Answer(INSTALL if question.ask is Ask.MERGE else question.ask.value)
        case Conflict.KEEPOLD:
            return Answer(RESTORE if question.ask is Ask.MERGE else KEEP)
        case Conflict.ABORT:
            what = f"{printable(question.path)}: {question.sentence}"
            then = "Look at it with --preview, then choose --conflict ask, install or keepold."
            raise Refused("refresh-conflict", what, then=then)
        case Conflict.ASK:
            return Answer(OPEN)


def stop_on_abort(answer: Answer) -> Answer:
    """Pass an answer on unless it is to abort the whole refresh."""
    if answer.choice == ABORT:
        raise Refused("refresh-aborted", "The refresh was aborted.", then="Start it again whenever you like.")
    return answer
