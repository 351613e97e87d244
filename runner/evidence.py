"""Evidence: a value out of an answer, and what a value before and one after mean together; it measures nothing."""

from __future__ import annotations

import json
import re
from decimal import Decimal, InvalidOperation

from pydantic import JsonValue

from runner.facts import Fact
from runner.steps.nouns import Reading

VALUE_CHARS = 2048
WORDS_CHARS = 80


class Finding(Fact):
    """What one piece of evidence says about the upgrade."""

    name: str
    ok: bool
    words: str
    before: str | None = None
    after: str | None = None

    @property
    def verdict(self) -> bool | None:
        """Whether it is as it should be; None where there was nothing to compare with, which speaks for neither."""
        return self.ok if self.before is not None else None

    @property
    def sentence(self) -> str:
        """The finding with its name."""
        return f"{self.name}: {self.words}"


def compare(readings: tuple[Reading, ...], before: dict[str, str], after: dict[str, str],
            goal_version: str) -> tuple[Finding, ...]:  # fmt: skip
    """One finding a reading; what could not be read before proves nothing now."""
    return tuple(_finding(one, before.get(one.name), after.get(one.name), goal_version) for one in readings)


def value_from(reading: Reading, text: str) -> str | None:
    """The value in an answer, at most 2 kB of it; None where it is not in there."""
    found: str | None = text
    if reading.pointer:
        found = _pointed(reading, text)
    if found is not None and reading.pick:
        found = _picked(reading, found)
    return found.strip()[:VALUE_CHARS] if found is not None else None


def same_version(value: str, goal: str) -> bool:
    """Whether one of the two versions is the other, or the beginning of it; true where the goal is no number."""
    asked, got = _numbers(goal), _numbers(value)
    shared = min(len(asked), len(got))
    return not asked or (shared > 0 and asked[:shared] == got[:shared])


def _finding(reading: Reading, before: str | None, after: str | None, goal: str) -> Finding:
    ok, words = _judged(reading, before, after, goal)
    return Finding(name=reading.name, ok=ok, words=words, before=before, after=after)


def _judged(reading: Reading, before: str | None, after: str | None, goal: str) -> tuple[bool, str]:
    if before is None:
        return True, "not compared: the old version did not answer" + (f"; now {_brief(after)}" if after else "")
    if after is None:
        return False, f"was {_brief(before)}, and the new version does not answer"
    if reading.rule == "goal_version":
        return _judged_version(before, after, goal)
    if reading.rule == "shown":
        return True, f"{_brief(before)} → {_brief(after)}"
    if before == after:
        return True, f"{_brief(after)}, as before"
    return _judged_difference(reading, before, after)


def _judged_version(before: str, after: str, goal: str) -> tuple[bool, str]:
    if same_version(after, goal):
        return True, f"{_brief(before)} → {_brief(after)}"
    return False, f"it says {_brief(after)}, but {_brief(goal)} was to run (was {_brief(before)})"


def _judged_difference(reading: Reading, before: str, after: str) -> tuple[bool, str]:
    """Two values that are not the same text."""
    shown = f"{_brief(before)} → {_brief(after)}"
    was, now = _decimal(before), _decimal(after)
    if was is None or now is None:
        return False, f"{shown}: it must not change"
    if reading.rule == "not_less":
        return now >= was, shown if now >= was else f"{shown}: it must not shrink"
    if reading.rule == "within_percent":
        allowed = abs(was) * Decimal(str(reading.percent)) / 100
        ok = abs(now - was) <= allowed
        return ok, shown if ok else f"{shown}: it may differ by {reading.percent:g} % only"
    return now == was, shown if now == was else f"{shown}: it must not change"


def _picked(reading: Reading, text: str) -> str | None:
    """What the expression matches; with ``count`` and no pointer, how often it does."""
    if reading.count and not reading.pointer:
        return str(sum(1 for _ in re.finditer(reading.pick, text, re.MULTILINE)))
    match = re.search(reading.pick, text, re.MULTILINE)
    if match is None:
        return None
    return match.group(1) if match.re.groups else match.group()


def _pointed(reading: Reading, text: str) -> str | None:
    """What stands at a JSON pointer (RFC 6901)."""
    try:
        here: JsonValue = json.loads(text)
        for part in reading.pointer.split("/")[1:]:
            here = _child(here, part.replace("~1", "/").replace("~0", "~"))
    except (ValueError, LookupError):
        return None
    if reading.count:
        return str(len(here)) if isinstance(here, list | dict) else None
    return here if isinstance(here, str) else json.dumps(here, sort_keys=True)


def _child(here: JsonValue, part: str) -> JsonValue:
    if isinstance(here, list):
        return here[int(part)]
    if isinstance(here, dict):
        return here[part]
    raise LookupError(part)


def _numbers(version: str) -> tuple[int, ...]:
    found = re.search(r"\d+(?:\.\d+)*", version)
    return tuple(int(part) for part in found.group().split(".")) if found else ()


def _decimal(text: str) -> Decimal | None:
    try:
        number = Decimal(text)
    except InvalidOperation:
        return None
    return number if number.is_finite() else None


def _brief(text: str | None) -> str:
    flat = " ".join((text or "").split()) or "nothing"
    return flat if len(flat) <= WORDS_CHARS else flat[: WORDS_CHARS - 1] + "…"
