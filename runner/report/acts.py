"""The acts of a run: what each runner did at a stretch, step by step, with its times; it decides nothing."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from runner.outcome import Downtime, downtimes, sittings
from runner.plan import Plan, step_key
from runner.records import Did, Failed, Meant, Opened, Record, Turned, Wish
from runner.report.found import found_words
from runner.report.lines import Labelled, labelled
from runner.report.story import Act, Span, StepState, StepTold


def acts_of(plan: Plan, records: tuple[Record, ...]) -> tuple[Act, ...]:
    """Every act, in order."""
    if not records:
        return ()
    said, began, downs = labelled(plan), records[0].at, downtimes(plan, records)
    sat = sittings(records)
    return tuple(
        _act(plan, sitting, said, began, title, downs) for sitting, title in zip(sat, _titles(sat), strict=True)
    )


def not_reached(plan: Plan, records: tuple[Record, ...]) -> tuple[StepTold, ...]:
    """The steps of the plan that nobody ever began."""
    said = labelled(plan)
    meant = {record.key for record in records if isinstance(record, Meant)}
    return tuple(
        StepTold(key=key, phase=said[key][0], sentence=said[key][1], cause=step.cause, state=StepState.NOT_REACHED)
        for key, step in ((step_key(index), step) for index, step in enumerate(plan.steps))
        if key not in meant
    )


def seconds_between(begin: str, end: str) -> float:
    """Seconds from one moment to another, never less than none: clocks are set back at times."""
    return max(0.0, round((datetime.fromisoformat(end) - datetime.fromisoformat(begin)) / timedelta(seconds=1), 3))


def _titles(sat: tuple[tuple[Record, ...], ...]) -> Iterator[str]:
    for number, sitting in enumerate(sat):
        first = sitting[0]
        if isinstance(first, Opened) and first.wish is Wish.BACK:
            yield "The way back"
        elif number:
            yield "Taken up again"
        else:
            yield "There and back" if any(isinstance(each, Turned) for each in sitting) else "The way there"


def _act(plan: Plan, records: tuple[Record, ...], said: Labelled, began: str, title: str,
         downs: tuple[Downtime, ...]) -> Act:  # fmt: skip
    first, last = records[0].at, records[-1].at
    turned = next((record for record in records if isinstance(record, Turned)), None)
    return Act(
        title=title,
        at=first,
        begun_s=seconds_between(began, first),
        took_s=seconds_between(first, last),
        steps=tuple(_steps(plan, records, said, began)),
        turned_s=seconds_between(began, turned.at) if turned else None,
        down=_within(downs, began, first, last),
    )


def _within(downs: tuple[Downtime, ...], began: str, first: str, last: str) -> Span | None:
    """The part of the first downtime that lies in an act."""
    for down in downs:
        if down.since <= last and (not down.until or down.until > first):
            until = min(down.until, last) if down.until else last
            return Span(begun_s=seconds_between(began, max(down.since, first)), until_s=seconds_between(began, until))
    return None


def _steps(plan: Plan, records: tuple[Record, ...], said: Labelled, began: str) -> Iterator[StepTold]:
    for index, record in enumerate(records):
        if isinstance(record, Meant):
            phase, sentence = said.get(record.key, ("", f"step {record.key}"))
            ended = _ended(record.key, records[index + 1 :])
            yield StepTold(
                key=record.key,
                phase=phase,
                sentence=sentence,
                cause=_cause(plan, record.key),
                state=_state(ended),
                begun_s=seconds_between(began, record.at),
                took_s=seconds_between(record.at, (ended or records[-1]).at),
                found=found_words(ended.facts) if isinstance(ended, Did) else "",
                code=ended.code if isinstance(ended, Failed) else "",
                what=ended.what if isinstance(ended, Failed) else "",
                log=ended.log if isinstance(ended, Failed) else (),
            )


def _ended(key: str, later: tuple[Record, ...]) -> Did | Failed | None:
    return next((record for record in later if isinstance(record, Did | Failed) and record.key == key), None)


def _state(ended: Did | Failed | None) -> StepState:
    if ended is None:
        return StepState.CUT_OFF
    return StepState.DONE if isinstance(ended, Did) else StepState.FAILED


def _cause(plan: Plan, key: str) -> str:
    index, _, part = key.partition(".")
    if part or not index.isdecimal() or int(index) > len(plan.steps):
        return ""
    return plan.steps[int(index) - 1].cause
