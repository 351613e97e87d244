"""Opmantek's versions: `NMIS 9 9.1.0G`, also where a page has fused them; the ambiguous is not guessed."""

from __future__ import annotations

import re

from runner.versions.release import Release

_VERSION = re.compile(r"(\d+)\.(\d+)(?:\.(\d+))?([A-Z])?")


def opmantek(text: str) -> Release | None:
    """A bare version (9.1.0G), or product, family and version, apart or fused; the letter marks the release line."""
    product, _, rest = text.rpartition(" ") if _VERSION.fullmatch(text.rpartition(" ")[2]) else ("", "", text)
    if not product:
        return _version(rest, "", text)
    named = re.fullmatch(r"([A-Za-z]+)(?: ?(\d))?", product)
    if named is None:
        return None
    version = rest if named[2] else _unfused(rest)
    if named[2] and not version.startswith(f"{named[2]}."):
        return None  # a family's releases begin with its number
    return _version(version, named[1].lower(), text) if version else None


def _unfused(fused: str) -> str:
    """`99.1.0G` is family 9 and version 9.1.0G: only a doubled first digit says so. Anything else asks a person."""
    return fused[1:] if len(fused) > 1 and fused[0] == fused[1] else ""


def _version(version: str, product: str, text: str) -> Release | None:
    match = _VERSION.fullmatch(version)
    if match is None:
        return None
    return Release((int(match[1]), int(match[2]), int(match[3] or 0)), edition=product, text=text)
