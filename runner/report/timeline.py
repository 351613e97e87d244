"""A story's time drawn to scale: acts as bars in per cent, with ticks and the downtime; it draws no shape itself."""

from __future__ import annotations

from dataclasses import dataclass

from runner.report.story import Act, Span, StepState, StepTold
from runner.report.words import seconds_words

THINNEST = 0.6
"""Per cent: what took no time at all must still be seen."""
TELLING = 0.2
"""A downtime that is a smaller part of its act than this is drawn once more, larger."""
MARGIN = 0.25
ROUND_S = (0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1200, 1800, 3600, 7200, 14400, 43200, 86400)
MOST_TICKS = 5


@dataclass(frozen=True)
class Bar:
    """One step as a bar; ``left`` and ``width`` in per cent of the drawing."""

    left: float
    width: float
    phase: str
    failed: bool
    words: str


@dataclass(frozen=True)
class Tick:
    """A mark on the axis."""

    left: float
    words: str


@dataclass(frozen=True)
class Strip:
    """One drawing: a stretch of time with its bars."""

    title: str
    bars: tuple[Bar, ...]
    ticks: tuple[Tick, ...]
    down: tuple[float, float] | None
    """Left and width of the downtime."""
    down_words: str
    turned: float | None
    words: str
    """The same for those who see no picture."""


def strips(act: Act) -> tuple[Strip, ...]:
    """An act as a whole and, where the downtime is but a small part of it, once more around that."""
    whole = Span(begun_s=act.begun_s, until_s=act.begun_s + max(act.took_s, 0.001))
    if not act.down or act.down.until_s is None:
        return (_strip(act.title, act, whole),)
    down_s = act.down.until_s - act.down.begun_s
    if act.took_s <= 0 or down_s / act.took_s >= TELLING:
        return (_strip(act.title, act, whole),)
    around = Span(
        begun_s=max(act.begun_s, act.down.begun_s - down_s * MARGIN),
        until_s=min(act.begun_s + act.took_s, act.down.until_s + down_s * MARGIN),
    )
    return _strip(act.title, act, whole), _strip("Around the downtime", act, around)


def bar_of(step: StepTold, act: Act) -> Bar:
    """One step on the scale of its act."""
    return _bar(step, Span(begun_s=act.begun_s, until_s=act.begun_s + max(act.took_s, 0.001)))


def down_of(act: Act) -> tuple[float, float]:
    """Left and width of the downtime on the scale of its act; nothing where there is none."""
    if act.down is None:
        return 0, 0
    view = Span(begun_s=act.begun_s, until_s=act.begun_s + max(act.took_s, 0.001))
    return _part(act.down.begun_s, act.down.until_s or act.down.begun_s, view)


def _strip(title: str, act: Act, view: Span) -> Strip:
    end = view.until_s or view.begun_s
    seen = tuple(step for step in act.steps if step.begun_s <= end and step.begun_s + step.took_s >= view.begun_s)
    down = _part(act.down.begun_s, act.down.until_s or end, view) if act.down else None
    length_s = act.down.until_s - act.down.begun_s if act.down and act.down.until_s is not None else None
    words = f"downtime {seconds_words(length_s)}" if length_s is not None else "downtime" if act.down else ""
    return Strip(
        title=title,
        bars=tuple(_bar(step, view) for step in seen),
        ticks=_ticks(act, view),
        down=down,
        down_words=words,
        turned=_left(act.turned_s, view) if act.turned_s is not None else None,
        words=f"{title}: {seconds_words(end - view.begun_s)} in {len(seen)} steps{f', {words}' if words else ''}.",
    )


def _bar(step: StepTold, view: Span) -> Bar:
    left, width = _part(step.begun_s, step.begun_s + step.took_s, view)
    return Bar(
        left=left,
        width=width,
        phase=step.phase,
        failed=step.state is StepState.FAILED,
        words=f"{step.sentence}: {seconds_words(step.took_s)}, {step.state.value}",
    )


def _part(begun_s: float, until_s: float, view: Span) -> tuple[float, float]:
    """Left and width of a stretch in per cent of the view, wide enough to be seen and never beyond its end."""
    left, right = _left(begun_s, view), _left(until_s, view)
    width = max(right - left, THINNEST)
    return round(min(left, 100 - width), 3), round(width, 3)


def _left(at_s: float, view: Span) -> float:
    length = (view.until_s or view.begun_s) - view.begun_s
    return round(min(max((at_s - view.begun_s) / length * 100, 0), 100), 3)


def _ticks(act: Act, view: Span) -> tuple[Tick, ...]:
    """Round seconds since the act began."""
    first, last = view.begun_s - act.begun_s, (view.until_s or view.begun_s) - act.begun_s
    apart = next((each for each in ROUND_S if (last - first) / each <= MOST_TICKS), last - first)
    numbers = range(int(first / apart + 0.999), int(last / apart) + 1)
    return tuple(Tick(_left(act.begun_s + number * apart, view), _tick_words(number * apart)) for number in numbers)


def _tick_words(seconds: float) -> str:
    if seconds < 60:
        return f"{seconds:g} s"
    return seconds_words(seconds).removesuffix(" 0 s").removesuffix(" 0 min")
