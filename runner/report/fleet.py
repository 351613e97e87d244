"""How the upgrades of many targets ended: one row each, the worst status, one report of all; it runs none."""

from __future__ import annotations

import html
import json
from collections.abc import Mapping
from enum import StrEnum
from xml.etree.ElementTree import Element, fromstring, tostring

from pydantic import JsonValue

from runner.errors import Exit
from runner.facts import Fact
from runner.report.formats import Format, rendered
from runner.report.markdown import cell
from runner.report.story import Story
from runner.report.words import columns, seconds_words

WORST = (Exit.STUCK, Exit.BUG, Exit.UNREACHABLE, Exit.ROLLED_BACK, Exit.INTERRUPTED, Exit.BUSY, Exit.USAGE,
         Exit.REFUSED, Exit.REHEARSAL_FAILED, Exit.LATER, Exit.DONE)  # fmt: skip
"""The worst first: what needs a human at once, what went wrong, what did not begin."""
HEADS = ("target", "end", "from", "to", "downtime", "run", "why")


class Ending(StrEnum):
    """What became of one target."""

    UPGRADED = "upgraded"
    HELD = "upgraded, verdict open"
    UP_TO_DATE = "up to date"
    HELD_BACK = "held back"
    ROLLED_BACK = "rolled back"
    FAILED = "failed"
    NOT_BEGUN = "not begun"
    SKIPPED = "skipped"


class One(Fact):
    """One target of many."""

    target: str
    ending: Ending
    exit: int = 0
    old: str = ""
    new: str = ""
    runs: tuple[str, ...] = ()
    downtime_s: float | None = None
    code: str = ""
    why: str = ""


def one_from(target: str, status: int, answer: Mapping[str, JsonValue]) -> One:
    """What ``apply --json`` said of one target and the status it left with."""
    error = answer.get("error")
    if isinstance(error, dict):
        why = " ".join(str(error.get("what", "")).split())
        return One(target=target, ending=_without_run(status), exit=status, code=str(error.get("code", "")), why=why)
    ends = answer.get("ends")
    runs = [each for each in (*ends, answer.get("undone")) if isinstance(each, dict)] if isinstance(ends, list) else []
    return _of_runs(target, status, runs or [dict(answer)])


def _of_runs(target: str, status: int, runs: list[dict[str, JsonValue]]) -> One:
    first, last = runs[0], runs[-1]
    down = [each["downtime_s"] for each in runs if isinstance(each.get("downtime_s"), int | float)]
    return One(
        target=target,
        ending=_of_run(status, held=bool(last.get("held"))) if last.get("run") else _without_run(status),
        exit=status,
        old=str(first.get("old", "")),
        new=str(last.get("new", "")),
        runs=tuple(str(each["run"]) for each in runs if each.get("run")),
        downtime_s=round(sum(float(str(each)) for each in down), 3) if down else None,
        code=str(last.get("code", "")),
        why=str(last.get("why", "")),
    )


def _without_run(status: int) -> Ending:
    if status == Exit.DONE:
        return Ending.UP_TO_DATE
    if status in (Exit.REFUSED, Exit.LATER, Exit.REHEARSAL_FAILED):
        return Ending.HELD_BACK
    return Ending.ROLLED_BACK if status == Exit.ROLLED_BACK else Ending.FAILED


def _of_run(status: int, *, held: bool) -> Ending:
    if status == Exit.DONE:
        return Ending.HELD if held else Ending.UPGRADED
    return Ending.HELD_BACK if status == Exit.LATER else _without_run(status)


def worst(every: tuple[One, ...]) -> int:
    """The exit status of all of them."""
    order = [int(status) for status in WORST]
    return min((one.exit for one in every), key=lambda status: order.index(status) if status in order else 0, default=0)


def table(every: tuple[One, ...]) -> str:
    """The rows for people."""
    return columns(tuple(_cells(one) for one in every), HEADS)


def _cells(one: One) -> tuple[str, ...]:
    down = seconds_words(one.downtime_s) if one.downtime_s is not None else ""
    return (one.target, one.ending, one.old, one.new, down, " ".join(one.runs), one.why)


def as_json(every: tuple[One, ...]) -> dict[str, object]:
    """The rows for programs."""
    return {"targets": [one.model_dump(mode="json") for one in every], "exit": worst(every)}


def fleet_report(every: tuple[One, ...], stories: tuple[Story, ...], form: Format) -> str:
    """One document: the table, then the report of each run."""
    reports = [rendered(story, form) for story in stories]
    match form:
        case Format.JSON:
            whole = {**as_json(every), "reports": [json.loads(each) for each in reports]}
            return json.dumps(whole, indent=2, ensure_ascii=False) + "\n"
        case Format.MARKDOWN:
            return "\n".join((_markdown_table(every), *reports))
        case Format.JUNIT:
            return _one_junit(reports)
        case Format.HTML:
            return _page(every, stories, reports)
        case Format.TEXT:
            return "\n".join((table(every) + "\n", *reports))


def _markdown_table(every: tuple[One, ...]) -> str:
    rows = (HEADS, ("---",) * len(HEADS), *(tuple(cell(text) for text in _cells(one)) for one in every))
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)


def _one_junit(reports: list[str]) -> str:
    root = Element("testsuites")
    for report in reports:
        root.extend(fromstring(report))  # noqa: S314  # it was written a moment ago, by us
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + tostring(root, encoding="unicode") + "\n"


def _page(every: tuple[One, ...], stories: tuple[Story, ...], reports: list[str]) -> str:
    """Each run's own page stays whole, in a frame of this one."""
    rows = "".join(f"<tr>{''.join(f'<td>{html.escape(text)}</td>' for text in _cells(one))}</tr>\n" for one in every)
    heads = "".join(f"<th>{head}</th>" for head in HEADS)
    frames = "".join(
        f"<details><summary>{html.escape(story.headline)}</summary>"
        f'<iframe srcdoc="{html.escape(report)}" title="{html.escape(story.run)}"></iframe></details>\n'
        for story, report in zip(stories, reports, strict=True)
    )
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>refloat upgrade-all</title><style>'
        "body{font:15px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:70rem;padding:0 1rem}"
        "table{border-collapse:collapse}td,th{text-align:left;padding:.2rem 1rem .2rem 0;vertical-align:top}"
        "iframe{width:100%;height:80vh;border:1px solid #8888}"
        f"</style></head><body>\n<h1>{len(every)} targets</h1>\n<table><tr>{heads}</tr>\n{rows}</table>\n"
        f"{frames}</body></html>\n"
    )
