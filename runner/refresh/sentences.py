"""What a question of a refresh says, in one sentence; it asks nobody and decides nothing."""

from __future__ import annotations

from runner.refresh.entries import Entry, Kind


def about(row: int, old: Entry | None, user: Entry, new: Entry | None, names: int) -> str:
    """Say what makes a path a conflict."""
    if new is None:
        return _about_dropped(row, old, user, names)
    if row == 3:
        return f"The new version brings a {new.kind} here; you have a {_described(user)} of your own."
    if row == 14:
        return "You and the new version both changed this file; it is binary or too large to be merged."
    if row == 15:
        return f"The default link leads to {new.target} now; you have set yours to {user.target}."
    was = f"a {old.kind}" if old else "nothing"
    return f"The default was {was} and is now a {_described(new)}; you have a {_described(user, names)} here."


def about_merge(conflicts: int) -> str:
    """Say how far a merge came."""
    places = "one place" if conflicts == 1 else f"{conflicts} places"
    return f"You and the new version changed the same lines of this file, in {places}."


def about_mode(title: str, old: Entry | None, user: Entry, new: Entry) -> str:
    """Say which permissions disagree."""
    was = f", old default {old.mode:04o}" if old else ""
    return f"{title}: yours {user.mode:04o}, new default {new.mode:04o}{was}."


def _about_dropped(row: int, old: Entry | None, user: Entry, names: int) -> str:
    if row == 5 and old:
        return f"The default, a {old.kind}, is gone in the new version; you have a {_described(user, names)} here."
    if row == 7:
        return f"The default directory is gone in the new version; yours still holds {names} name(s)."
    return f"The default is gone in the new version; you have changed your {user.kind}."


def _described(entry: Entry, names: int = 0) -> str:
    if entry.kind is Kind.LINK:
        return f"link to {entry.target}"
    return f"dir with {names} name(s)" if entry.kind is Kind.DIRECTORY and names else str(entry.kind)
