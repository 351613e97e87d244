"""Compose's variables in a text: what each part of it resolves to and where that part is written; it does no I/O."""

from __future__ import annotations

import re
from dataclasses import dataclass

from runner.compose.places import Unclear

_PARTS = re.compile(
    r"(?P<escape>\$\$)"
    r"|\$\{(?P<braced>[A-Za-z_]\w*)(?:(?P<op>:?[-?+])(?P<default>[^{}$]*))?\}"
    r"|\$(?P<bare>[A-Za-z_]\w*)"
    r"|(?P<literal>[^$]+)"
    r"|(?P<odd>\$)"
)
_ASSIGNED = re.compile(
    r"""^[ \t]*(?:export[ \t]+)?(?P<name>[A-Za-z_]\w*)[ \t]*=[ \t]*"""
    r"""(?:'(?P<single>[^'\r\n]*)'|"(?P<double>[^"\\$\r\n]*)"|(?P<plain>[^\s'"#$\\][^\s#$\\]*)?)"""
    r"""[ \t]*(?:[ \t]\#[^\r\n]*)?\r?$""",
    re.MULTILINE,
)
_NAMED = re.compile(r"^[ \t]*(?:export[ \t]+)?([A-Za-z_]\w*)[ \t]*=", re.MULTILINE)


@dataclass(frozen=True)
class Part:
    """A piece of a resolved text. ``start`` is where it is written: in the scalar, or in the file of variables."""

    text: str
    start: int
    variable: str = ""
    """The variable whose assignment holds it; empty where the scalar itself does."""


@dataclass(frozen=True)
class Assigned:
    """A variable's value in a file of variables, and where it begins there."""

    value: str
    start: int


def assignments(text: str) -> dict[str, Assigned | None]:
    """The variables of a file, the last assignment of each; None where its value is not plain to read."""
    found: dict[str, Assigned | None] = dict.fromkeys(_NAMED.findall(text))
    for match in _ASSIGNED.finditer(text):
        group = next((name for name in ("single", "double", "plain") if match[name] is not None), None)
        value = Assigned(match[group], match.start(group)) if group else Assigned("", match.end("name"))
        found[match["name"]] = value
    for name in found:
        last = [match.start(1) for match in _NAMED.finditer(text) if match[1] == name][-1]
        read = [match.start("name") for match in _ASSIGNED.finditer(text) if match["name"] == name]
        found[name] = found[name] if read and read[-1] == last else None
    return found


def resolved(value: str, known: dict[str, Assigned | None]) -> tuple[Part, ...]:
    """The parts of a value, ``start`` counted from its beginning; Unclear where a variable is not known."""
    return tuple(_part(match, known) for match in _PARTS.finditer(value))


def _part(match: re.Match[str], known: dict[str, Assigned | None]) -> Part:
    if match["literal"] is not None:
        return Part(match["literal"], match.start())
    name, operator = match["braced"] or match["bare"], match["op"] or ""
    if name is None or operator.endswith("+"):
        raise Unclear(f"“{match[0]}” in it is not plain to read")
    assigned = known.get(name, Assigned("", -1))
    if assigned is None:
        raise Unclear(f"the value of {name} in .env is not plain to read")
    if (assigned.value and assigned.start >= 0) or (operator == "-" and name in known):
        return Part(assigned.value, assigned.start, variable=name)
    if operator.endswith("-"):
        return Part(match["default"], match.start("default"))
    raise Unclear(f"it is made with the variable {name}, which is the shell's: it is not in .env and has no default")


def mentions(text: str, variable: str) -> int:
    """How often a variable is used in a text; the lines that are comments do not count."""
    lines = (line for line in text.splitlines() if not line.lstrip().startswith("#"))
    return sum(len(re.findall(rf"(?<!\$)\$(?:{variable}\b|\{{{variable}\b)", line)) for line in lines)
