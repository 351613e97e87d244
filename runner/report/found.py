"""What a step found out, in a few words; facts it does not know are left out."""

from __future__ import annotations

from pydantic import JsonValue

from runner.facts import Json
from runner.report.copies import copied_words
from runner.report.words import count_words, seconds_words, size_words


def found_words(facts: Json) -> str:
    """The facts of a step in words; empty where there is nothing worth a word."""
    tellers = (_ended, _sealed, copied_words, _ready, _refreshed)
    return next((words for teller in tellers if (words := teller(facts))), "")


def number(value: JsonValue) -> float | None:
    """A number as a number; None for everything else."""
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def nested(facts: Json, name: str) -> Json:
    """The object of this name; empty where there is none."""
    value = facts.get(name)
    return value if isinstance(value, dict) else {}


def _ended(facts: Json) -> str:
    code = number(facts.get("exit_code"))
    if code is None:
        return ""
    return f"exit code {code:.0f}{', killed' if facts.get('killed') else ''}"


def _sealed(facts: Json) -> str:
    size, entries = number(facts.get("size_bytes")), number(facts.get("entries"))
    if size is None or entries is None:
        return ""
    copied = copied_words(facts)
    meanwhile = f"; copied meanwhile: {copied}" if copied else ""
    return f"{size_words(int(size))} in {count_words(int(entries), 'entry')}{meanwhile}"


def _refreshed(facts: Json) -> str:
    counts = nested(facts, "counts")
    return ", ".join(f"{word} {count}" for word, count in sorted(counts.items()))


def _ready(facts: Json) -> str:
    ready = number(facts.get("ready_after_s"))
    return f"healthy after {seconds_words(ready)}" if ready is not None else ""
