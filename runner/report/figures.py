"""The figures of a story, from the records and, for a rehearsal, from its result; it measures nothing."""

from __future__ import annotations

from collections.abc import Iterator

from runner.facts import Json
from runner.outcome import Outcome
from runner.plan import Plan
from runner.progress import found_by
from runner.records import Record
from runner.rehearsal import Rehearsed
from runner.report.found import nested, number
from runner.report.story import EvidenceTold, Figure
from runner.report.words import count_words, seconds_words, size_words


def figure_words(figure: Figure) -> str:
    """A figure's value as people say it."""
    if figure.unit == "s":
        return seconds_words(figure.value)
    return size_words(int(figure.value)) if figure.unit == "B" else f"{figure.value:g}"


def run_figures(plan: Plan, records: tuple[Record, ...], end: Outcome,
                evidence: tuple[EvidenceTold, ...]) -> tuple[Figure, ...]:  # fmt: skip
    """The figures of a run."""
    return tuple(figure for figure in (*_times(plan, end), *_data(plan, records), *_counted(evidence)) if figure)


def rehearsal_figures(result: Rehearsed, evidence: tuple[EvidenceTold, ...]) -> tuple[Figure, ...]:
    """The figures of a rehearsal."""
    expected = result.expected
    seconds = (
        ("expected", "Downtime to expect", expected.downtime_s if expected else None, "an estimate, never a limit"),
        ("downtime", "Downtime on the copy", result.downtime_s, ""),
        ("ready", "New version healthy after", result.ready_s, ""),
        ("migration", "Migration", result.migration_s, "what it takes longer than the old version"),
        (
            "settle",
            "Old version healthy after",
            result.settle_s,
            "on the copies, all members together" if result.members else "on the copy",
        ),
        ("paused", f"{result.target} paused for", result.paused_s, "for the snapshot"),
        ("total", "In all", result.total_s, ""),
    )
    times = (
        Figure(code=code, name=name, value=value, unit="s", note=note)
        for code, name, value, note in seconds
        if value is not None
    )
    return (*times, *_used(result), *_counted(evidence))


def _used(result: Rehearsed) -> Iterator[Figure]:
    if result.growth_bytes is not None:
        less = result.growth_bytes < 0
        yield Figure(code="growth", name=f"Its data takes {'less' if less else 'more'}", value=abs(result.growth_bytes),
                     unit="B", note="of the disk than before")  # fmt: skip
    if result.used is None:
        return
    before = result.used_before
    was = f"{seconds_words(before.cpu_s)} by the old version" if before else ""
    yield Figure(code="cpu", name="Processor time", value=result.used.cpu_s, unit="s", note=was)
    if result.used.peak_bytes is not None:
        was = f"{size_words(before.peak_bytes)} by the old version" if before and before.peak_bytes else ""
        yield Figure(code="memory", name="Memory at its peak", value=result.used.peak_bytes, unit="B", note=was)


def _times(plan: Plan, end: Outcome) -> Iterator[Figure]:
    if end.downtime_s is not None:
        expected = f"about {seconds_words(plan.estimate.downtime_s)} expected"
        yield Figure(code="downtime", name="Downtime", value=end.downtime_s, unit="s", note=expected)
    if end.total_s is not None:
        yield Figure(code="total", name="In all", value=end.total_s, unit="s")


def _data(plan: Plan, records: tuple[Record, ...]) -> Iterator[Figure]:
    cold, proven = found_by(plan, records, "cold-copy"), found_by(plan, records, "prove-health")
    yield from _bytes("snapshot", "Snapshot", cold, "size_bytes", _entries(cold))
    yield from _bytes("copied-down", "Copied while down", nested(cold, "copied"), "copied_bytes", "")
    ready = number(proven.get("ready_after_s"))
    if ready is not None:
        yield Figure(code="ready", name="New version healthy after", value=ready, unit="s")


def _entries(cold: Json) -> str:
    entries = number(cold.get("entries"))
    return f"in {count_words(int(entries), 'entry')}" if entries is not None else ""


def _bytes(code: str, name: str, facts: Json, key: str, note: str) -> Iterator[Figure]:
    size = number(facts.get(key))
    if size is not None:
        yield Figure(code=code, name=name, value=size, unit="B", note=note)


def _counted(evidence: tuple[EvidenceTold, ...]) -> Iterator[Figure]:
    if evidence:
        good = sum(each.ok is True for each in evidence)
        yield Figure(code="evidence", name="Evidence as it should be", value=good, note=f"of {len(evidence)}")
