"""Answers in a file: given once, in a rehearsal or by a program, and replayed; it asks nobody and guesses nothing."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from pathlib import Path

from runner.errors import Refused, UsageError
from runner.refresh.choices import KEEP, Answer, Asks, Question, stop_on_abort
from runner.refresh.decide import Ask
from runner.refresh.entries import printable

_VERSION = 1
_THEN = 'See "open" in the output of --preview --json for paths, questions, choices and fingerprints.'


class PreparedAnswers:
    """Answers by path and question, each bound to its conflict; other questions go on to somebody else."""

    def __init__(self, answers: dict[tuple[str, str], tuple[str, Answer]], otherwise: Asks) -> None:
        self._answers = answers
        self._otherwise = otherwise

    def __call__(self, question: Question) -> Answer:
        """Answer from the file, or pass the question on."""
        prepared = self._answers.get((question.path, question.ask.value))
        if prepared is None:
            return self._otherwise(question)
        fingerprint, answer = prepared
        where = printable(question.path)
        if fingerprint != question.fingerprint:
            what = f"The answer prepared for {where} was given to another conflict: something there has changed since."
            raise Refused("refresh-answer-stale", what, then="Prepare the answers again on the data as it is now.")
        if answer.choice not in question.choices:
            raise _unreadable(f"{where} cannot be answered with {answer.choice!r}: only {', '.join(question.choices)}")
        return stop_on_abort(answer)


def read_answers(path: Path, otherwise: Asks) -> PreparedAnswers:
    """Read a file of answers to the questions of one tree."""
    return PreparedAnswers(answers_in(path), otherwise)


def answers_in(path: Path) -> dict[tuple[str, str], tuple[str, Answer]]:
    """Path and question → fingerprint and answer, as they stand in a file; UsageError where it is none."""
    try:
        found = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise _unreadable(f"{printable(str(path))} cannot be read: {error}") from error
    if not isinstance(found, dict) or found.get("version") != _VERSION or not isinstance(found.get("answers"), list):
        raise _unreadable(f'{printable(str(path))} is no file of answers: it needs "version": 1 and a list "answers"')
    return dict(_answer_from(item) for item in found["answers"])


def save_answers(path: Path, answered: Iterable[tuple[Question, Answer]]) -> None:
    """Write the answers given; the file may hold configuration, so only its owner can read it."""
    found = {"version": _VERSION, "answers": [_plain(question, answer) for question, answer in answered]}
    try:
        _write_for_its_owner_only(path, json.dumps(found, indent=2) + "\n")
    except OSError as error:
        what = f"The answers cannot be written to {printable(str(path))}: {error.strerror or error}."
        raise UsageError("refresh-answers-unwritable", what, then="Choose another file for --save-answers.") from error


def _write_for_its_owner_only(path: Path, text: str) -> None:
    draft = path.with_name(f".{path.name}.draft")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
    draft.replace(path)


def _plain(question: Question, answer: Answer) -> dict[str, str]:
    plain = {"path": question.path, "question": question.ask.value, "fingerprint": question.fingerprint}
    plain["choice"] = answer.choice
    if question.ask is Ask.MERGE and answer.choice == KEEP and answer.text is not None:
        plain["text"] = answer.text.decode("utf-8", "surrogateescape")
    return plain


def _answer_from(item: object) -> tuple[tuple[str, str], tuple[str, Answer]]:
    if not isinstance(item, dict):
        raise _unreadable(f"an answer is an object, not {item!r}")
    missing = [name for name in ("path", "question", "fingerprint", "choice") if not isinstance(item.get(name), str)]
    if missing or not isinstance(item.get("text", ""), str):
        raise _unreadable(f"an answer lacks {', '.join(missing) or 'a readable text'}: {item!r:.200}")
    if item["question"] not in [*Ask]:
        raise _unreadable(f"{printable(item['question'])!r} is no question: only {', '.join(Ask)}")
    text = item["text"].encode("utf-8", "surrogateescape") if "text" in item else None
    return (item["path"], item["question"]), (item["fingerprint"], Answer(item["choice"], text))


def _unreadable(what: str) -> UsageError:
    return UsageError("refresh-answers-unreadable", f"{what}.", then=_THEN)
