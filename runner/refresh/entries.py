"""What is known of a path in a tree of configuration, and in which order paths are visited; it never touches a disk.

Plain dataclasses, not pydantic models: a file name is any bytes a file system holds, and pydantic refuses the lone
surrogates Python reads those into. JSON carries them as escapes.
"""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum


class Kind(StrEnum):
    """The types a path can have; anything but the first three is never opened."""

    FILE = "file"
    DIRECTORY = "dir"
    LINK = "link"
    SPECIAL = "special file"


@dataclass(frozen=True, slots=True)
class Entry:
    """One path as it was read; a link is itself, never what it points to."""

    kind: Kind
    mode: int
    size: int = 0
    digest: str = ""
    target: str = ""
    names: int = 0  # of a directory: how many names it holds, ours or not


Tree = Mapping[str, Entry]


@dataclass(frozen=True)
class Rules:
    """What a product says about its own defaults."""

    unmanaged: frozenset[str] = frozenset()  # these paths and all below them are never looked at
    modes_to_set: frozenset[str] = frozenset()  # here a changed default mode wins over the user's


def differs(one: Entry | None, other: Entry | None) -> bool:
    """Whether two paths differ in type or content; two directories never do, and modes do not count."""
    if one is None or other is None:
        return one is not other
    return (one.kind, one.size, one.digest, one.target) != (other.kind, other.size, other.digest, other.target)


def is_below(path: str, tops: frozenset[str]) -> bool:
    """Whether a path is one of ``tops`` or lies under one."""
    return any(ancestor in tops for ancestor in (path, *ancestors_of(path)))


def ancestors_of(path: str) -> Iterator[str]:
    """Yield the directories above a path, the nearest first, without the root."""
    while "/" in path:
        path = path.rpartition("/")[0]
        yield path


def paths_from_the_top(tree: Tree) -> Iterator[str]:
    """Yield parents before children; in one directory, sub-directories before files."""
    inside: dict[str, list[str]] = defaultdict(list)
    for path in tree:
        inside[path.rpartition("/")[0]].append(path)
    waiting = [""]
    while waiting:
        names = sorted(inside[waiting.pop()])
        directories = [path for path in names if tree[path].kind is Kind.DIRECTORY]
        yield from directories
        yield from (path for path in names if tree[path].kind is not Kind.DIRECTORY)
        waiting.extend(reversed(directories))


def paths_in_order(old: Tree, new: Tree, rules: Rules) -> tuple[str, ...]:
    """Yield the new defaults from the top down, then what only the old defaults have from the bottom up."""
    dropped = reversed([path for path in paths_from_the_top(old) if path not in new])
    both = (*paths_from_the_top(new), *dropped)
    return tuple(path for path in both if not is_below(path, rules.unmanaged))


def fingerprint_of(*facts: Entry | str | int | None) -> str:
    """Yield a short name for exactly these facts; another conflict has another one."""
    plain = [asdict(fact) if isinstance(fact, Entry) else fact for fact in facts]
    return hashlib.sha256(json.dumps(plain, sort_keys=True).encode()).hexdigest()[:16]


def printable(text: str) -> str:
    """Yield a name that can neither break a line nor talk to the terminal."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def printable_line(line: str) -> str:
    """Yield a line of a text that cannot talk to the terminal; its tabs stay."""
    return "\t".join(printable(part) for part in line.split("\t"))


def plain_tree(tree: Tree) -> dict[str, dict[str, str | int]]:
    """Yield a tree as JSON takes it."""
    return {path: asdict(entry) for path, entry in tree.items()}


def tree_from(plain: Mapping[str, Mapping[str, str | int]]) -> dict[str, Entry]:
    """Yield the tree a ``plain_tree`` was made of."""
    return {path: _entry_from(**fields) for path, fields in plain.items()}


def _entry_from(
    *, kind: str | int, mode: str | int, size: str | int, digest: str | int, target: str | int, names: str | int
) -> Entry:
    return Entry(Kind(str(kind)), int(mode), int(size), str(digest), str(target), int(names))
