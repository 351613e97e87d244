"""A story as one HTML page that needs nothing else: no script, no picture, no address; it decides nothing."""

from __future__ import annotations

from functools import cache
from itertools import groupby

from jinja2 import Environment, PackageLoader, StrictUndefined, Template

from runner.report.figures import figure_words
from runner.report.lines import BACK
from runner.report.plan_text import REMARKS
from runner.report.story import Mark, StepTold, Story
from runner.report.timeline import bar_of, down_of, strips
from runner.report.words import clock_words, day_words, seconds_words, short_id, size_words
from runner.steps.nouns import Phase

SIGNS = {Mark.GOOD: "✓", Mark.BACK: "↩", Mark.BAD: "✕", Mark.OPEN: "…"}
BRIEF_CHARS = 300


def html_report(story: Story) -> str:
    """The page; every text in it is escaped."""
    return _template().render(story=story, sign=SIGNS[story.mark])


@cache
def _template() -> Template:
    environment = Environment(
        loader=PackageLoader("runner.report", "page"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(
        brief=_brief,
        clock=clock_words,
        day=day_words,
        figure=figure_words,
        seconds=seconds_words,
        short=short_id,
        size=size_words,
        took=_took,
    )
    environment.globals.update(
        bar_of=bar_of,
        down_of=down_of,
        kind_of=_kind_of,
        phases_of=_phases_of,
        remark=_remark,
        runs_of=_runs_of,
        strips=strips,
    )
    return environment.get_template("report.html")


def _kind_of(story: Story) -> str:
    return "Rehearsal of an upgrade" if story.verb == "rehearsal" else story.verb.capitalize()


def _phases_of(story: Story) -> tuple[str, ...]:
    return tuple(dict.fromkeys(step.phase for step in story.steps))


def _runs_of(steps: tuple[StepTold, ...]) -> list[tuple[str, list[StepTold]]]:
    """The steps, those of one phase that follow one another together."""
    return [(phase, list(each)) for phase, each in groupby(steps, key=lambda step: step.phase)]


def _remark(phase: str) -> str:
    return "everything as it was" if phase == BACK else REMARKS.get(Phase(phase), "")


def _took(seconds: float) -> str:
    return seconds_words(seconds) if seconds >= 0.05 else "< 0.1 s"


def _brief(text: str | None) -> str:
    if text is None:
        return "–"
    return text if len(text) <= BRIEF_CHARS else f"{text[: BRIEF_CHARS - 1]}…"
