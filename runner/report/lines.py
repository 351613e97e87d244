"""A run's records as lines, one by one, as they are written; it keeps no screen and decides nothing."""

from __future__ import annotations

from runner.outcome import unwell_before
from runner.plan import Plan, phases, undo_key
from runner.records import Closed, Did, End, Failed, Meant, Noted, Opened, Record, Turned, Wish
from runner.report.copies import copied_words
from runner.report.plan_text import of_member
from runner.report.story import Event
from runner.report.words import seconds_words
from runner.steps import AnyForward
from runner.steps.proof import ProveHealth
from runner.unasked import shown_probe

STUCK = "stuck: neither forward nor back"
MARKS = {"warning": "!", "log": "|", "waiting": "…", "seen": "·"}
BACK = "back"

Labelled = dict[str, tuple[str, str]]


def labelled(plan: Plan) -> Labelled:
    """What each key of a journal stands for, as phase and sentence: steps, every part of their undo, the good ends."""
    name = plan.target
    said = {
        End.NEW.value: ("", f"{name} runs {plan.new.spoken}"),
        End.OLD.value: ("", f"{name} {'is' if unwell_before(plan) else 'runs'} {plan.old.spoken} again"),
    }
    for phase, steps in phases(plan):
        for key, step in steps:
            said[key] = (phase.value, of_member(plan, step, shown(step).sentence))
            for part, undo in enumerate(step.undo()):
                said[undo_key(int(key) - 1, part)] = (BACK, of_member(plan, step, undo.sentence))
    return said


def shown(step: AnyForward) -> AnyForward:
    """The step as it may be printed: a command that is asked of a container may hold a password."""
    if not isinstance(step, ProveHealth):
        return step
    probes = tuple(shown_probe(probe) for probe in step.terms.probes)
    return step.model_copy(update={"terms": step.terms.model_copy(update={"probes": probes})})


def line_from(record: Record, said: Labelled) -> str:
    """One record in words; empty where it is not worth a line."""
    event = event_from(record, said)
    return event_line(event) if event else ""


def event_line(event: Event) -> str:
    """One event: its label in a column of its own, a mark for what was only seen."""
    return f"   {MARKS[event.label]} {event.text}" if event.label in MARKS else f"{event.label:<8} {event.text}"


def event_from(record: Record, said: Labelled) -> Event | None:
    """One record as an event; None where it is not worth one."""
    match record:
        case Opened():
            return Event(at=record.at, label="start", text=_opened(record))
        case Meant():
            label, text = said.get(record.key, ("step", record.key))
            return Event(at=record.at, label=label, text=text)
        case Did():
            copied = copied_words(record.facts)
            return Event(at=record.at, label="seen", text=copied) if copied else None
        case Failed():
            return Event(at=record.at, label="failed", text=f"{record.what} [{record.code}]", log=record.log)
        case Turned():
            return Event(at=record.at, label="turning", text=f"back: {record.why.rstrip('.')}")
        case Noted():
            return Event(at=record.at, label=record.kind, text=noted(record))
        case Closed():
            end = said.get(record.end, ("", STUCK))[1]
            return Event(at=record.at, label="end", text=f"{end}{f': {record.why}' if record.why else ''}")


def noted(record: Noted) -> str:
    """What was seen, and how long it may still take."""
    text = f"waiting: {record.text}" if record.kind == "waiting" else record.text
    return text if record.left_s is None else f"{text} (up to {seconds_words(record.left_s)} more)"


def _opened(record: Opened) -> str:
    way = "forward" if record.wish is Wish.FORWARD else "back"
    inferred = ", the journal inferred from the engine" if record.from_engine else ""
    return f"going {way}{inferred}"
