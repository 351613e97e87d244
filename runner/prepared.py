"""Answers to conflicts of configuration, from a file to what a plan may hold of them; it asks nobody."""

from __future__ import annotations

import hashlib
from base64 import b64encode
from pathlib import Path

from runner.facts import Fact
from runner.refresh.answers import answers_in
from runner.vault.configuration import PreparedAnswer


class Prepared(Fact):
    """Answers, and apart from them the texts they bring: configuration, with whatever secrets it holds."""

    answers: tuple[PreparedAnswer, ...]
    texts: dict[str, str]
    """SHA-256 → text as base64."""


def read_prepared(path: Path) -> Prepared:
    """Read a file of answers; UsageError says what is wrong with it."""
    answers, texts = [], {}
    for (where, question), (fingerprint, answer) in answers_in(path).items():
        known = ""
        if answer.text is not None:
            known = hashlib.sha256(answer.text).hexdigest()
            texts[known] = b64encode(answer.text).decode()
        answers.append(PreparedAnswer(path=where, question=question, fingerprint=fingerprint, choice=answer.choice,
                                      text_sha256=known))  # fmt: skip
    return Prepared(answers=tuple(answers), texts=texts)
