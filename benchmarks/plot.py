"""The downtimes as bars in an SVG, on a logarithmic scale; it measures nothing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape
from math import log10

from benchmarks.table import Result

LEFT, RIGHT, TOP, BAR, GAP = 130, 70, 64, 16, 14
SCALE = 440
COLOURS = ("#0b7285", "#adb5bd", "#f08c00", "#c92a2a")
LEAST_S = 0.1


def svg_from(results: Sequence[Result]) -> str:
    """A group of bars for each load, one bar for each way."""
    ways = tuple(results[0].upgrades)
    longest_s = max(result.downtime_s(way) for result in results for way in result.upgrades)
    decades = max(1.0, log10(longest_s / LEAST_S))
    height = TOP + len(results) * (len(ways) * BAR + GAP) + 8
    lines = [*_legend(ways), *_bars(results, decades)]
    head = f'<svg xmlns="http://www.w3.org/2000/svg" width="{LEFT + SCALE + RIGHT}" height="{height}"'
    style = 'font-family="sans-serif" font-size="12"'
    return "\n".join([f"{head} {style}>", '<rect width="100%" height="100%" fill="white"/>', *lines, "</svg>"]) + "\n"


def _legend(ways: Sequence[str]) -> Iterator[str]:
    yield _text(8, 20, "Downtime of an upgrade (logarithmic)", weight="bold")
    for number, way in enumerate(ways):
        at = 8 + number * 158
        yield f'<rect x="{at}" y="34" width="12" height="12" fill="{COLOURS[number]}"/>'
        yield _text(at + 17, 45, way)


def _bars(results: Sequence[Result], decades: float) -> Iterator[str]:
    at = TOP
    for result in results:
        yield _text(8, at + 2 * BAR, result.load.name)
        for number, way in enumerate(result.upgrades):
            down_s = result.downtime_s(way)
            width = max(2.0, SCALE * log10(max(down_s, LEAST_S) / LEAST_S) / decades)
            fill = COLOURS[number]
            yield f'<rect x="{LEFT}" y="{at}" width="{width:.0f}" height="{BAR - 3}" fill="{fill}"/>'
            yield _text(LEFT + width + 6, at + BAR - 5, f"{down_s:.2f} s")
            at += BAR
        at += GAP


def _text(x: float, y: float, words: str, weight: str = "normal") -> str:
    return f'<text x="{x:.0f}" y="{y:.0f}" font-weight="{weight}">{escape(words)}</text>'
