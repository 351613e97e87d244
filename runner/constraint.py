"""A goal in words: one version, or which releases will do (``>=2.45,<3``, ``2.x``, ``newest``); it knows no release."""

from __future__ import annotations

import re
from typing import Literal

from runner.errors import UsageError
from runner.facts import Fact
from runner.versions import Release

NEWEST = "newest"
_BOUND = re.compile(r"(>=|<=|==|!=|>|<)\s*v?(\d+(?:\.\d+)*)")
_SERIES = re.compile(r"v?(\d+(?:\.\d+)*)\.[x*]")
_SIGNS = re.compile(r"[<>=!,\s]|\.[x*]$")

Comparison = Literal[">=", "<=", "==", "!=", ">", "<"]


class Bound(Fact):
    """A comparison of as many leading numbers as were written: ``<=2.53`` admits 2.53.3, ``>2.53`` does not."""

    sign: Comparison
    numbers: tuple[int, ...]

    def admits(self, release: Release) -> bool:
        """Whether a release is on the right side."""
        mine, bound = release.series(len(self.numbers)), self.numbers
        match self.sign:
            case ">=":
                return mine >= bound
            case "<=":
                return mine <= bound
            case ">":
                return mine > bound
            case "<":
                return mine < bound
            case "==":
                return mine == bound
            case "!=":
                return mine != bound


class Constraint(Fact):
    """Which releases will do: those that every bound admits; with no bound any finished release."""

    text: str
    bounds: tuple[Bound, ...] = ()

    def admits(self, release: Release) -> bool:
        """Whether a release will do; unfinished ones never."""
        return release.is_final and all(bound.admits(release) for bound in self.bounds)


def is_constraint(text: str) -> bool:
    """Whether a goal leaves a choice; anything else is one version, spelled as its tag."""
    return text == NEWEST or _SIGNS.search(text) is not None


def constraint_from(text: str) -> Constraint:
    """Read a constraint; UsageError ``bad-constraint``."""
    if text == NEWEST:
        return Constraint(text=text)
    parts = re.sub(r"([<>=!])\s+", r"\1", text).replace(",", " ").split()
    if not parts:
        raise _unclear(text, text)
    return Constraint(text=text, bounds=tuple(_bound(part, text) for part in parts))


def _bound(part: str, text: str) -> Bound:
    if series := _SERIES.fullmatch(part):
        return Bound(sign="==", numbers=_numbers(series[1]))
    if compared := _BOUND.fullmatch(part):
        return Bound.model_validate({"sign": compared[1], "numbers": _numbers(compared[2])})
    raise _unclear(part, text)


def _unclear(part: str, text: str) -> UsageError:
    what = f"“{part}” in the goal “{text}” says nothing about a version."
    return UsageError("bad-constraint", what, then="Write a version, newest, 2.x, or bounds such as >=2.45,<3.")


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split("."))
