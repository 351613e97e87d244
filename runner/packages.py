"""Lists of runtime packages as pip prints them: what a new runtime lacks that the old one has; it reads nothing."""

from __future__ import annotations

import re

from packaging.version import InvalidVersion, Version

_NAME = r"(?:-e .*#egg=)?(?P<name>[A-Za-z0-9][A-Za-z0-9._-]*)"
_LINE = re.compile(_NAME + r"(?:\s*===?\s*(?P<pinned>\S+)|\s+\(?(?P<listed>\d[^\s)]*)\)?|\s*@\s.*)?")


def packages_in(text: str) -> dict[str, str]:
    """Package to version, one a line (``name==1.0``, ``name 1.0``, ``name (1.0)``); empty where none is said."""
    found = (_LINE.fullmatch(line.strip()) for line in text.splitlines())
    return {normal(one["name"]): one["pinned"] or one["listed"] or "" for one in found if one}


def normal(name: str) -> str:
    """A name as pip compares it: Mod_WSGI is mod-wsgi."""
    return re.sub(r"[-_.]+", "-", name).lower()


def lacking(before: dict[str, str], after: dict[str, str], minimums: dict[str, str],
            ordinary: tuple[str, ...] = (), required: tuple[str, ...] = ()) -> tuple[str, ...]:  # fmt: skip
    """What is missing or too old afterwards, in words: names decide, and versions where a minimum is stated."""
    silent = {normal(name) for name in ordinary}
    gone = sorted(before.keys() - after.keys() - silent)
    asked = sorted({normal(name) for name in required} - after.keys() - set(gone))
    old = ((normal(name), least) for name, least in minimums.items())
    low = tuple(f"{name} {after[name]} (at least {least})" for name, least in old if _below(after.get(name, ""), least))
    return (*gone, *(f"{name} (the vendor asks for it)" for name in asked), *low)


def _below(version: str, least: str) -> bool:
    """Whether a version is known to be lower; one that cannot be read is not."""
    try:
        return bool(version) and Version(version) < Version(least)
    except InvalidVersion:
        return False
