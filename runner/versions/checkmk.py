"""Checkmk's versions: innovation, beta, patch, candidate and daily builds, with the edition in either naming."""

from __future__ import annotations

import re
from datetime import date

from runner.versions.release import DAILY, FINAL, Release, Stage

OLD_NAMES = {"cre": "community", "cee": "pro", "cce": "ultimate", "cme": "ultimatemt", "cse": "cloud", "cfe": "free"}
NEW_NAMES = ("community", "pro", "ultimate", "ultimatemt", "cloud")
NEW_NAMES_SINCE = (2, 5)
FREE_SINCE = (2, 0)

DEMO = "cee.demo"
"""How the free edition was called before 2.0."""

_EDITION = rf"(?:\.(cee\.demo|{'|'.join((*OLD_NAMES, *NEW_NAMES))}))?"
_BASED = re.compile(r"(\d+)\.(\d+)\.(\d+)(?:([ibp])(\d+)|-(\d{4}\.\d\d\.\d\d))?(?:-rc(\d+))?" + _EDITION)
_BASELESS = re.compile(r"(\d{4})\.(\d\d)\.(\d\d)(?:-rc(\d+))?" + _EDITION)
_KINDS = {"i": 0, "b": 1, "p": 3}
_BUILT: tuple[int, int, str] = (1, 0, "")


def checkmk(text: str) -> Release | None:
    """2.3.0p10.cre, 2.4.0b1, 2.4.0-2025.03.01.cee, 2.5.0p1.community, or a daily without base: 2025.03.01."""
    bare = _BASELESS.fullmatch(text)
    if bare is not None:
        return _baseless(bare, text)
    match = _BASED.fullmatch(text)
    if match is None or (match[6] and not _is_date(match[6])):
        return None
    stage = _stage(match[4], match[5], match[6])
    return Release(_triple(match), _with_candidate(stage, match[7]), _edition(match[8]), text)


def _baseless(match: re.Match[str], text: str) -> Release | None:
    """A build of the development branch: its year as first number puts it above everything that has a base."""
    if not _is_date(text[:10]):
        return None
    stage = _with_candidate(((DAILY, 0, ""),), match[4])
    return Release(_triple(match), stage, _edition(match[5]), text, unplaced=True)


def _stage(kind: str | None, number: str | None, day: str | None) -> Stage:
    """A daily of a branch counts as newer than its patches: it holds them and more."""
    if day:
        return ((DAILY, int(day.replace(".", "")), ""),)
    return ((_KINDS[kind], int(number or 0), ""),) if kind else FINAL


def _with_candidate(stage: Stage, candidate: str | None) -> Stage:
    """A candidate stands just below what it is a candidate for."""
    return (*stage, (0, int(candidate), "")) if candidate else (*stage, _BUILT)


def _triple(match: re.Match[str]) -> tuple[int, int, int]:
    return int(match[1]), int(match[2]), int(match[3])


def _is_date(text: str) -> bool:
    try:
        date.fromisoformat(text.replace(".", "-"))
    except ValueError:
        return False
    return True


def _edition(suffix: str | None) -> str:
    if suffix == DEMO:
        return "free"
    return OLD_NAMES.get(suffix or "", suffix or "")


def bare(text: str) -> str:
    """A version without its edition, as tags have it."""
    return re.sub(_EDITION + "$", "", text)


def spelled(release: Release, edition: str) -> str:
    """The release as its edition writes it: by the names of its generation."""
    plain = bare(release.text)
    if release.numbers[:2] >= NEW_NAMES_SINCE and edition in NEW_NAMES:
        return f"{plain}.{edition}"
    if release.numbers[:2] < FREE_SINCE and edition == "free":
        return f"{plain}.{DEMO}"
    old = next((short for short, name in OLD_NAMES.items() if name == edition), edition)
    return f"{plain}.{old}"
