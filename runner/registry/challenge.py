"""What a registry wants to see before it answers, read from its 401; it sends nothing and knows no password."""

from __future__ import annotations

import re
from typing import Literal, NamedTuple

_ITEM = re.compile(r'([a-zA-Z_]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+))')


class Challenge(NamedTuple):
    """Basic: name and password; bearer: a token that ``realm`` gives out."""

    kind: Literal["basic", "bearer"]
    realm: str = ""
    service: str = ""
    scope: str = ""


def challenge_from(header: str) -> Challenge | None:
    """The challenge in a WWW-Authenticate header, a bearer one first; None where it is neither."""
    bearer = re.search(r"\bbearer\s+(.*)", header, re.IGNORECASE | re.DOTALL)
    if bearer:
        said = {key.lower(): quoted or bare for key, quoted, bare in _ITEM.findall(bearer[1])}
        return Challenge("bearer", said.get("realm", ""), said.get("service", ""), said.get("scope", ""))
    return Challenge("basic") if re.search(r"\bbasic\b", header, re.IGNORECASE) else None
