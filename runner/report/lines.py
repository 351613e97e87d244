"""A run's records as lines, one by one, as they are written; it keeps no screen and decides nothing."""

from __future__ import annotations

from runner.plan import Plan, phases, undo_key
from runner.records import Closed, Did, End, Failed, Meant, Noted, Opened, Record, Turned, Wish
from runner.report.copies import copied_words
from runner.report.words import seconds_words

STUCK = "stuck: neither forward nor back"
MARKS = {"warning": "!", "log": "|", "waiting": "…", "seen": "·"}


def sentences(plan: Plan) -> dict[str, str]:
    """What each key of a journal stands for: the steps, every part of their undo, and the two good ends."""
    name = plan.target
    said: dict[str, str] = {End.NEW: f"{name} runs {plan.new.spoken}", End.OLD: f"{name} runs {plan.old.spoken} again"}
    for phase, steps in phases(plan):
        for key, step in steps:
            said[key] = f"{phase.value:<8} {step.sentence}"
            for part, undo in enumerate(step.undo()):
                said[undo_key(int(key) - 1, part)] = f"{'back':<8} {undo.sentence}"
    return said


def line_from(record: Record, said: dict[str, str]) -> str:
    """One record in words; empty where it is not worth a line."""
    match record:
        case Opened():
            return _opened(record)
        case Meant():
            return said.get(record.key, f"step     {record.key}")
        case Did():
            copied = copied_words(record.facts)
            return f"   · {copied}" if copied else ""
        case Failed():
            return f"failed   {record.what} [{record.code}]"
        case Turned():
            return f"turning  back: {record.why.rstrip('.')}"
        case Noted():
            return f"   {MARKS[record.kind]} {noted(record)}"
        case Closed():
            return f"end      {said.get(record.end, STUCK)}{f': {record.why}' if record.why else ''}"


def noted(record: Noted) -> str:
    """What was seen, and how long it may still take."""
    text = f"waiting: {record.text}" if record.kind == "waiting" else record.text
    return text if record.left_s is None else f"{text} (up to {seconds_words(record.left_s)} more)"


def _opened(record: Opened) -> str:
    way = "forward" if record.wish is Wish.FORWARD else "back"
    inferred = ", the journal inferred from the engine" if record.from_engine else ""
    return f"start    going {way}{inferred}"
