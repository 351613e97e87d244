"""What a pass over the data did, in words, from the facts of its step; it measures nothing."""

from __future__ import annotations

from pydantic import ValidationError

from runner.facts import Json
from runner.report.words import count_words, size_words
from runner.vault.port import Copied

HOWS = {
    "reflink": "sharing its blocks with the data",
    "links": "what is unchanged linked to the snapshot before",
}


def copied_words(facts: Json) -> str:
    """How much was copied and how; empty where the step copied no data."""
    told = facts.get("copied", facts)
    try:
        copied = Copied.model_validate(told)
    except ValidationError:
        return ""
    ways = [HOWS[how] for how in copied.how.split(", ") if how in HOWS]
    much = f"{count_words(copied.copied_entries, 'entry')}, {size_words(copied.copied_bytes)}"
    return ", ".join((much, *ways))
