"""A run told in words from its plan and its records: what happened, when, and where it ended; it decides nothing."""

from __future__ import annotations

from collections.abc import Iterator

from pydantic import JsonValue

from runner.outcome import Outcome, outcome
from runner.plan import Plan
from runner.records import Closed, Did, End, Failed, Meant, Noted, Record, Turned
from runner.report.lines import line_from, sentences
from runner.report.words import clock_words, day_words, seconds_words


def verdict_line(end: Outcome) -> str:
    """The one sentence people want first."""
    if end.end is End.NEW:
        return f"{end.target} runs {end.new}."
    if end.end is End.OLD:
        why = f" ({end.why.rstrip('.')})" if end.why else ""
        return f"{end.target} runs {end.old} again, on its data as it was{why}."
    if end.end is End.STUCK:
        return f"{end.target} is stuck between {end.old} and {end.new}: {end.why or 'see below'}"
    return f"The run {end.run} of {end.target} is not finished."


def what_next(end: Outcome) -> str:
    """What to type next; empty where nothing needs to be done."""
    if end.end is None or end.end is End.STUCK:
        return f"See what stands: refloat show {end.run}. Then finish it: refloat recover {end.target}"
    if end.held:
        return f"The verdict is open. Accept it: refloat commit {end.target}. Or go back: refloat rollback {end.target}"
    if end.end is End.NEW and end.verb == "rollback":
        return ""
    if end.end is End.NEW:
        return f"Go back while its snapshot is kept: refloat rollback {end.target}"
    return "" if end.asked_back else f"See the whole story: refloat show {end.run}"


def ending(end: Outcome) -> str:
    """How a run ended: the verdict, its downtime, the last words of what failed, and what to type next."""
    lines = [verdict_line(end)]
    if end.downtime_s is not None:
        lines.append(
            f"Downtime {seconds_words(end.downtime_s)}, {seconds_words(end.total_s or 0)} in all; run {end.run}."
        )
    if end.log:
        lines += ["The last it said:", *(f"  | {line}" for line in end.log)]
    following = what_next(end)
    return "\n".join([*lines, following] if following else lines)


def story(plan: Plan, records: tuple[Record, ...], commit: tuple[Record, ...] = ()) -> str:
    """The whole story of one run."""
    end = outcome(plan, records, commit)
    parts = (
        (f"{plan.verb} of {plan.target}: {plan.old.spoken} → {plan.new.spoken}", f"run {plan.run}", ending(end)),
        tuple(_events(plan, records)),
        tuple(_evidence(records)),
        tuple(_commit(commit)),
    )
    return "\n\n".join("\n".join(part) for part in parts if part) + "\n"


def _events(plan: Plan, records: tuple[Record, ...]) -> Iterator[str]:
    said = sentences(plan)
    if records:
        yield f"What happened (UTC, from {day_words(records[0].at)})"
    waited = ""
    for record in records:
        if isinstance(record, Noted) and record.kind in ("waiting", "log") and record.text == waited:
            continue  # said every few seconds while it lasts: once is enough in a story
        waited = record.text if isinstance(record, Noted) else ""
        line = line_from(record, said)
        if line:
            yield f"  {clock_words(record.at)}  {line}"
        if isinstance(record, Failed):
            yield from (f"            | {text}" for text in record.log)


def _evidence(records: tuple[Record, ...]) -> Iterator[str]:
    findings = [
        finding for record in records if isinstance(record, Did) for finding in _listed(record.facts.get("findings"))
    ]
    if findings:
        yield "Evidence"
    for finding in findings:
        if isinstance(finding, dict):
            mark = "✓" if finding.get("ok") else "✗"
            yield f"  {mark} {finding.get('name')}: {finding.get('words')}"


def _listed(value: JsonValue) -> list[JsonValue]:
    return value if isinstance(value, list) else []


def _commit(commit: tuple[Record, ...]) -> Iterator[str]:
    closed = next((record for record in reversed(commit) if isinstance(record, Closed)), None)
    if closed:
        yield f"Committed at {day_words(closed.at)}: what was kept is tidied away."
    elif commit:
        yield "A commit was begun and not finished: refloat recover"


def open_step(plan: Plan, records: tuple[Record, ...]) -> str:
    """What the run is doing, or was doing when it was left; empty where it is closed."""
    last = next((record for record in reversed(records) if isinstance(record, Meant | Closed | Turned)), None)
    return " ".join(sentences(plan).get(last.key, "").split()) if isinstance(last, Meant) else ""
