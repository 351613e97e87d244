"""How a run ended, in a few lines: the verdict, the downtime, the last words, what to type next; it decides nothing."""

from __future__ import annotations

from runner.outcome import Outcome
from runner.plan import Plan
from runner.records import Closed, End, Meant, Record, Turned
from runner.report.lines import labelled
from runner.report.story import Advice
from runner.report.words import count_words, seconds_words, unproven_words


def headline(end: Outcome) -> str:
    """Where it ended, without the reason."""
    if end.end is End.NEW:
        return f"{end.target} runs {end.new}{', on the restored data' if end.verb == 'restore' else ''}"
    if end.end is End.OLD and end.unwell_before:
        return f"{end.target} is {end.old} again, on its data as it was, and as unwell as before"
    if end.end is End.OLD:
        return f"{end.target} runs {end.old} again, on its data as it was"
    if end.end is End.STUCK:
        return f"{end.target} is stuck between {end.old} and {end.new}"
    return f"The run {end.run} of {end.target} is not finished"


def verdict_line(end: Outcome) -> str:
    """The one sentence people want first."""
    if end.end is End.OLD and end.code == "not-now":
        return f"{end.target} stays at {end.old}: {end.why}"
    if end.end is End.OLD and end.why:
        return f"{headline(end)} ({end.why.rstrip('.')})."
    if end.end is End.STUCK:
        return f"{headline(end)}: {end.why or 'see below'}"
    return f"{headline(end)}."


def advice(end: Outcome) -> tuple[Advice, ...]:
    """What to do next where the run itself wants or offers something; empty where nothing needs to be done."""
    if end.end is None or end.end is End.STUCK:
        return (
            Advice(text="See what stands", command=f"refloat show {end.run}"),
            Advice(text="Then finish it", command=f"refloat recover {end.target}"),
        )
    if end.held:
        return (
            Advice(text="The verdict is open. Accept it", command=f"refloat commit {end.target}"),
            Advice(text="Or go back", command=f"refloat rollback {end.target}"),
        )
    if end.end is End.NEW and end.verb == "upgrade":
        return (Advice(text="Go back while its snapshot is kept", command=f"refloat rollback {end.target}"),)
    if end.end is End.NEW and end.verb == "restore":
        back = f"refloat restore {end.target} {end.run}"
        return (Advice(text="Take it back while its snapshot is kept", command=back),)
    return ()


def what_next(end: Outcome) -> str:
    """What to type next; empty where nothing needs to be done."""
    if end.end is End.OLD and not end.asked_back:
        return f"See the whole story: refloat show {end.run}"
    return ". ".join(each.sentence for each in advice(end))


def ending(end: Outcome) -> str:
    """How a run ended: the verdict, its downtime, the last words of what failed, and what to type next."""
    lines = [verdict_line(end)]
    if end.downtime_s is not None:
        lines.append(
            f"Downtime {seconds_words(end.downtime_s)}, {seconds_words(end.total_s or 0)} in all; run {end.run}."
        )
    if end.end is End.NEW and end.unasked:
        lines.append(f"{unproven_words(end.unasked)}.")
    if end.end is End.NEW and end.removed_entries:
        lines.append(removed_words(end))
    lines += [f"Write it yourself, or compose brings the other version again: {each}" for each in end.unedited]
    if end.log:
        lines += ["The last it said:", *(f"  | {line}" for line in end.log)]
    following = what_next(end)
    return "\n".join([*lines, following] if following else lines)


def removed_words(end: Outcome) -> str:
    """What an overlay would have left behind."""
    more = end.removed_entries - len(end.removed)
    names = ", ".join((*end.removed, *((f"and {more} more",) if more > 0 else ())))
    return f"Gone, for it was not in the snapshot: {count_words(end.removed_entries, 'entry')} ({names})."


def open_step(plan: Plan, records: tuple[Record, ...]) -> str:
    """What the run is doing, or was doing when it was left; empty where it is closed."""
    last = next((record for record in reversed(records) if isinstance(record, Meant | Closed | Turned)), None)
    return " ".join(labelled(plan).get(last.key, ("", ""))).strip() if isinstance(last, Meant) else ""
