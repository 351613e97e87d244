"""The schemes made of numbers: semver-like, fixed counts, calendar, PostgreSQL, Zabbix; what does not fit is None."""

from __future__ import annotations

import re

from runner.versions.release import FINAL, Release, Stage

_SEMVER = re.compile(r"v?(\d+)\.(\d+)\.(\d+)(?:-([0-9A-Za-z.-]+))?(?:\+[0-9A-Za-z.-]+)?")
_UNFINISHED = re.compile(
    r"(a|alpha|b|beta|m|milestone|pre|preview|rc|dev|snapshot|nightly)[.-]?\d*(\.\d+)*", re.IGNORECASE
)
_POSTGRESQL = re.compile(r"(\d+)(?:\.(\d+))?(?:\.(\d+))?(?:(alpha|beta|rc)(\d+))?")
_ZABBIX = re.compile(r"(\d+)\.(\d+)\.(\d+)(?:(alpha|beta|rc)(\d+))?")
_CALENDAR = re.compile(r"(\d{2}|\d{4})\.(\d{1,2})(?:\.(\d+))?")
_GITLAB = re.compile(r"v?(\d+)\.(\d+)\.(\d+)(?:-rc(\d+))?(?:-(ce|ee)\.\d+)?")
_STAGES = {"alpha": 0, "beta": 0, "rc": 1}


def semver(text: str) -> Release | None:
    """X.Y.Z, with a leading v if the vendor writes one, and with the usual words for what is unfinished."""
    match = _SEMVER.fullmatch(text)
    if match is None or (match[4] and not _UNFINISHED.fullmatch(match[4])):
        return None
    return Release(_ints(match, 1, 2, 3), _semver_stage(match[4]), text=text)


def _semver_stage(words: str | None) -> Stage:
    """Numbers compare as numbers and stand below words, as the semver specification has it."""
    if not words:
        return FINAL
    pieces = re.findall(r"\d+|[A-Za-z]+", words.lower())
    return tuple((0, int(piece), "") if piece.isdigit() else (1, 0, piece) for piece in pieces)


def numbers(count: int, text: str) -> Release | None:
    """Exactly so many numbers."""
    if not re.fullmatch(rf"v?\d+(\.\d+){{{count - 1}}}", text):
        return None
    return Release(tuple(int(one) for one in text.removeprefix("v").split(".")), text=text)


def calendar(text: str) -> Release | None:
    """Year, month and a day or count; a year of two digits is of this century."""
    match = _CALENDAR.fullmatch(text)
    if match is None or not 1 <= int(match[2]) <= 12:
        return None
    year = int(match[1])
    return Release((year if year > 99 else 2000 + year, int(match[2]), int(match[3] or 0)), text=text)


def postgresql(text: str) -> Release | None:
    """Major and minor since 10, a major of two numbers before; a bare major, as the data has it, is its first."""
    match = _POSTGRESQL.fullmatch(text)
    if match is None:
        return None
    old = int(match[1]) < 10
    if (match[2] is None if old else match[3] is not None) or (match[4] and match[3 if old else 2]):
        return None
    found = _ints(match, 1, 2, 3) if old else _ints(match, 1, 2)
    return Release(found, _worded_stage(match[4], match[5]), text=text, longer_major=int(old))


def zabbix(text: str) -> Release | None:
    """X.Y.Z with alpha, beta or rc attached."""
    match = _ZABBIX.fullmatch(text)
    return match and Release(_ints(match, 1, 2, 3), _worded_stage(match[4], match[5]), text=text)


def gitlab(text: str) -> Release | None:
    """X.Y.Z with the edition as the image's tag has it: 17.5.2-ce.0."""
    match = _GITLAB.fullmatch(text)
    if match is None:
        return None
    return Release(_ints(match, 1, 2, 3), _worded_stage(match[4] and "rc", match[4]), match[5] or "", text)


def _worded_stage(word: str | None, number: str | None) -> Stage:
    return ((_STAGES[word], int(number or 0), word),) if word else FINAL


def _ints(match: re.Match[str], *groups: int) -> tuple[int, ...]:
    return tuple(int(match[group] or 0) for group in groups)
