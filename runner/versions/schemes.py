"""The version schemes by name, each with its form in words; the one door through which text becomes a release."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial
from typing import Literal

from runner.errors import UsageError
from runner.versions import checkmk, opmantek, plain
from runner.versions.release import Release

SchemeName = Literal[
    "semver",
    "two-part",
    "three-part",
    "four-part",
    "calendar",
    "checkmk",
    "postgresql",
    "zabbix",
    "gitlab",
    "opmantek",
]


def _unchanged(release: Release, _edition: str) -> str:
    return release.text


def _with_tag_suffix(release: Release, edition: str) -> str:
    return f"{release.text.split('-', 1)[0]}-{edition}.0"


@dataclass(frozen=True)
class Scheme:
    """How one family of versions is read and written."""

    name: SchemeName
    form: str
    parse: Callable[[str], Release | None]
    spelled: Callable[[Release, str], str] = _unchanged
    bare: Callable[[str], str] = str
    """A version without its edition."""


_ALL = (
    Scheme("semver", "X.Y.Z, as in 2.53.3 or v3.0.0-rc.1", plain.semver),
    Scheme("two-part", "two numbers, as in 5.1", partial(plain.numbers, 2)),
    Scheme("three-part", "three numbers, as in 5.1.2", partial(plain.numbers, 3)),
    Scheme("four-part", "four numbers, as in 1.2.0.3", partial(plain.numbers, 4)),
    Scheme("calendar", "year, month and a number, as in 24.10.1", plain.calendar),
    Scheme("checkmk", "as in 2.3.0p10.cre, 2.4.0b1 or 2.5.0.community", checkmk.checkmk, checkmk.spelled, checkmk.bare),
    Scheme("postgresql", "major.minor, as in 17.2, or 9.6.24 before 10", plain.postgresql),
    Scheme("zabbix", "X.Y.Z, as in 7.0.5 or 7.0.0rc1", plain.zabbix),
    Scheme("gitlab", "X.Y.Z, as in 17.5.2 or 17.5.2-ce.0", plain.gitlab, _with_tag_suffix),
    Scheme("opmantek", "as in 9.1.0G or NMIS 9 9.1.0G", opmantek.opmantek),
)
_BY_NAME = {scheme.name: scheme for scheme in _ALL}


def scheme_named(name: SchemeName) -> Scheme:
    """The scheme of this name."""
    return _BY_NAME[name]


@cache
def release_from(text: str, name: SchemeName) -> Release:
    """The release a text names, or a clear error: a version that cannot be read is never guessed at."""
    scheme = scheme_named(name)
    release = scheme.parse(text)
    if release is None:
        raise UsageError(
            "version-unparsable",
            f"{text!r} is not a version this product writes.",
            then=f"Its versions look like this: {scheme.form}.",
        )
    return release


@cache
def series_from(text: str) -> tuple[int, ...]:
    """The leading numbers a series is named by: 2.3 or 17."""
    pieces = text.split(".")
    if not all(piece.isdigit() for piece in pieces):
        raise UsageError(
            "series-unparsable", f"{text!r} does not name a series.", then="A series is written as 2.3 or 17."
        )
    return tuple(int(piece) for piece in pieces)
