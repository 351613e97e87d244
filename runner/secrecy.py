"""Secrets that are only pointed to, and command lines that show one in the clear; it reads none and asks nobody."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Annotated

from pydantic import Field

from runner.hops import Stated

_WORD = r"(?:pass(?:word|wd|phrase)?|pwd|secret|token|credentials?)"
_OPTION = re.compile(rf"--?[\w.-]*{_WORD}", re.IGNORECASE)
_ASSIGNED = re.compile(rf"[\w.-]*{_WORD}=([^\s'\"][^\s]*|'[^']+'|\"[^\"]+\")", re.IGNORECASE)
_ADDRESS = re.compile(r"\w://[^/\s:@]*:([^/\s]+)@")
_MYSQL = re.compile(r"-p(?=.)")
_REDIS = re.compile(r"-a|--pass")


class FromFile(Stated):
    """A secret that is the whole text of a file (``!file PATH``), whose name counts from refloat.yaml's folder."""

    file: str


Secret = Annotated[str, Field(pattern=r"^\$\{[A-Za-z_]\w*\}$")] | FromFile
"""Where a secret is: ``${NAME}`` in refloat's environment, or a file; never the secret itself."""


def secret_word(argv: Sequence[str]) -> str:
    """The name of what is in the clear in a command line, never its value; empty where nothing is.

    ``$NAME`` and the name of a file are no secrets: they are looked up where the command runs.
    """
    words = [part for word in argv for part in (word.split() if " " in word else [word])]
    for before, word in zip(["", *words], words, strict=False):
        if found := _shown(words, before, word):
            return found
    return ""


def _shown(words: Sequence[str], before: str, word: str) -> str:
    if (match := _ASSIGNED.search(word)) and not _is_pointer(match[1]):
        return word[: match.start(1)]
    if (match := _ADDRESS.search(word)) and not _is_pointer(match[1]):
        return "the address"
    if _MYSQL.match(word) and _calls(words, "mysql", "mariadb") and not _is_pointer(word[2:]):
        return "-p"
    telling = _OPTION.fullmatch(before) or (_REDIS.fullmatch(before) and _calls(words, "redis-cli", "valkey-cli"))
    return before if telling and not word.startswith("-") and not _is_pointer(word) else ""


def _calls(words: Sequence[str], *programs: str) -> bool:
    return any(word.rpartition("/")[2].startswith(programs) for word in words)


def _is_pointer(text: str) -> bool:
    bare = text.strip("'\"")
    return bare.startswith(("$", "/", "`")) or not bare
