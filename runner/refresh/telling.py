"""The report of a refresh as plain JSON of bounded size, safe to keep and to show; it decides and prints nothing."""

from __future__ import annotations

from base64 import b64encode
from typing import TypedDict

from runner.refresh.choices import Question
from runner.refresh.entries import printable
from runner.refresh.report import Report

DIFFS_LIMIT_CHARS = 60_000
TEXTS_LIMIT_BYTES = 1024 * 1024


class ToldPath(TypedDict):
    """One path of which there is something to say."""

    path: str
    lines: list[str]
    diff: str


class ToldQuestion(TypedDict):
    """A conflict that waits for its answer; ``texts`` (user, old, new, merged) are base64, of a merge alone."""

    path: str
    question: str
    sentence: str
    choices: list[str]
    fingerprint: str
    texts: dict[str, str]


class Told(TypedDict):
    """What the refresh of one place came to, or would."""

    path: str
    paths: list[ToldPath]
    counts: dict[str, int]
    changed: int
    open: list[ToldQuestion]


def told_of(place: str, report: Report) -> Told:
    """A report in plain words; diffs beyond what a journal should hold are left out, and that is said."""
    paths: list[ToldPath] = []
    left = DIFFS_LIMIT_CHARS
    for outcome in report.settlement.outcomes:
        lines = [str(line) for line in outcome.lines]
        lines += [f"   - {printable(path)}" for path in report.lost.get(outcome.path, ())]
        diff = _bounded(report.diffs.get(outcome.path, ""), left)
        left -= len(diff)
        if lines or diff:
            paths.append({"path": _shown(place, outcome.path), "lines": lines, "diff": diff})
    settlement = report.settlement
    return {
        "path": place,
        "paths": paths,
        "counts": dict(settlement.counts),
        "changed": len({change.path for change in settlement.changes}),
        "open": [_question(place, question) for question in settlement.still_open],
    }


def _shown(place: str, path: str) -> str:
    return path if path.startswith("/") else f"{place}/{printable(path)}"


def _bounded(diff: str, left: int) -> str:
    text = diff.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    return text if len(text) <= left else f"({len(text.splitlines())} lines, too many to be kept here)\n"


def _question(place: str, question: Question) -> ToldQuestion:
    return {
        "path": _shown(place, question.path),
        "question": question.ask.value,
        "sentence": printable(question.sentence),
        "choices": list(question.choices),
        "fingerprint": question.fingerprint,
        "texts": _texts(question),
    }


def _texts(question: Question) -> dict[str, str]:
    texts = question.texts
    if texts is None or max(len(texts.user), len(texts.old), len(texts.new)) > TEXTS_LIMIT_BYTES:
        return {}
    named = {"user": texts.user, "old": texts.old, "new": texts.new, "merged": texts.merged.text}
    return {name: b64encode(text).decode() for name, text in named.items()}
