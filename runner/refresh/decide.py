"""The decision tables of a config refresh: old default, user's, new default → what to do; it never touches a disk.

The rows are those of Checkmk's ``omd update``, the best-known program of this kind. Where that loses a user's
directory without a word (a default directory that becomes a file or a link), a question is asked here.
"""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple

from runner.refresh.entries import Entry, Kind, differs


class Act(StrEnum):
    """What a row does to the user's path."""

    NOTHING = "nothing"
    INSTALL = "install"
    REMOVE = "remove"
    MERGE = "merge"


class Ask(StrEnum):
    """The questions a row can raise; the value is the answer that is not *keep*."""

    REPLACE = "replace"
    REMOVE = "remove"
    DEFAULT = "default"
    MERGE = "merge"


class Verdict(NamedTuple):
    """The row that fired, what it does, and the question to be answered before."""

    row: int
    act: Act
    ask: Ask | None = None


class ModeVerdict(NamedTuple):
    """The permission rule that fired; ``sets`` is whether the new default's mode is set, perhaps after a question."""

    rule: int
    sets: bool = False
    ask: Ask | None = None
    title: str = ""


def decide(old: Entry | None, user: Entry | None, new: Entry | None, names: int = 0) -> Verdict:
    """Yield the first row that matches; ``names`` is how many names the user's directory holds by now."""
    if old is None:
        return _decide_new(user, new)
    if new is None:
        return _decide_dropped(old, user, names)
    if user is None:
        return Verdict(10 if differs(old, new) else 9, Act.NOTHING)
    if not differs(old, new):
        return Verdict(11, Act.NOTHING)
    return _decide_changed(old, user, new, names)


def _decide_new(user: Entry | None, new: Entry | None) -> Verdict:
    if user is None:
        return Verdict(1, Act.INSTALL)
    if not differs(user, new):
        return Verdict(2, Act.NOTHING)
    return Verdict(3, Act.INSTALL, Ask.REPLACE)


def _decide_dropped(old: Entry, user: Entry | None, names: int) -> Verdict:
    if user is None:
        return Verdict(4, Act.NOTHING)
    if user.kind is not old.kind:
        return Verdict(5, Act.REMOVE, Ask.REMOVE)
    if differs(old, user):
        return Verdict(6, Act.REMOVE, Ask.REMOVE)
    if user.kind is Kind.DIRECTORY and names:
        return Verdict(7, Act.REMOVE, Ask.REMOVE)
    return Verdict(8, Act.REMOVE)


def _decide_changed(old: Entry, user: Entry, new: Entry, names: int) -> Verdict:
    # Directories never differ, yet one with something in it holds more than a default: it is never replaced unasked.
    holds_more = user.kind is Kind.DIRECTORY and names > 0
    if not differs(user, old) and not holds_more:
        return Verdict(12, Act.INSTALL)
    if not differs(user, new):
        return Verdict(13, Act.NOTHING)
    if old.kind is not new.kind:
        return Verdict(16, Act.INSTALL, Ask.REPLACE)
    if user.kind is not old.kind:
        return Verdict(17, Act.INSTALL, Ask.REPLACE)
    if user.kind is Kind.FILE:
        return Verdict(14, Act.MERGE)
    return Verdict(15, Act.INSTALL, Ask.REPLACE)


def decide_mode(old: Entry | None, user: Entry | None, new: Entry | None, *, new_wins: bool = False) -> ModeVerdict:
    """Yield the permission rule for a path whose content is settled; ``user`` is the path as it will be."""
    if user is None or new is None or new.kind is Kind.LINK or user.kind is not new.kind:
        return ModeVerdict(1)
    if user.mode == new.mode:
        return ModeVerdict(2)
    if old is None:
        return ModeVerdict(3, sets=True)
    if new_wins and old.mode != new.mode:
        return ModeVerdict(4, sets=True)
    if old.kind is new.kind and old.mode not in (user.mode, new.mode):
        return ModeVerdict(5, True, Ask.DEFAULT, "Permission conflict")
    if old.kind is new.kind and user.mode == old.mode:
        return ModeVerdict(6, sets=True)
    return _decide_mode_of_another_kind(old, user, new)


def _decide_mode_of_another_kind(old: Entry, user: Entry, new: Entry) -> ModeVerdict:
    if old.mode == new.mode:
        return ModeVerdict(8)
    if user.mode == old.mode:
        return ModeVerdict(7, sets=True)
    return ModeVerdict(7, True, Ask.DEFAULT, "Wrong permission")
