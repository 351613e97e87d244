"""The wording of a refresh: one status line a path, as ``omd update`` prints them; it decides and prints nothing."""

from __future__ import annotations

from dataclasses import dataclass

from runner.refresh.entries import Entry, printable


@dataclass(frozen=True)
class Line:
    """One line: a marker, a status to count by, the path, and what more there is to say."""

    good: bool
    status: str
    path: str
    rest: str = ""

    @property
    def word(self) -> str:
        """The status without the numbers in it, to count by."""
        return self.status.partition("  ")[0]

    def __str__(self) -> str:
        marker = "*" if self.good else "!"
        return f" {marker} {self.status:<14} {printable(self.path)}{printable(self.rest)}"


def blocked_line(path: str, blocker: str) -> Line:
    """Say that a new default has no place to go to: something of the user's stands in the way."""
    return Line(False, "Missing", path, f" (not installed: your {blocker} is not a directory)")


def ignored_line(path: str) -> Line:
    """Say that a default is nothing that can be refreshed."""
    return Line(False, "Ignored", path, " (defaults are files, directories and links only)")


def open_line(path: str, choices: tuple[str, ...]) -> Line:
    """Say that a question waits for its answer."""
    return Line(False, "Conflict", path, f" ({' / '.join(choices)})")


def skipped_line(path: str, reason: str) -> Line:
    """Say that a path could not be changed and was left as it was."""
    return Line(False, "Skipped", path, f" ({reason})")


def kept_line(row: int, path: str, user: Entry) -> Line:
    """Say that the user's own stays."""
    if row == 16:
        return Line(True, "Keeping your version of", path)
    if row == 17:
        return Line(True, f"Keeping your {user.kind}", path)
    return Line(True, "Keeping your", path)


def replaced_line(row: int, path: str, user: Entry, new: Entry | None) -> Line:
    """Say that the user's own had to go, as it was answered."""
    if new is None:
        return Line(False, "Removed", path)
    if row == 15:
        return Line(False, "Set link", path, " to new target")
    if row == 16:
        return Line(False, f"Replaced your {user.kind}", path, f" by new default {new.kind}")
    if row == 17:
        return Line(False, f"Delete your {user.kind} and created new default {new.kind}", path)
    return Line(False, f"Installed {new.kind}", path)


def quiet_line(row: int, path: str, new: Entry | None) -> Line | None:
    """Say what a row did without asking anybody."""
    match row:
        case 1 if new is not None:
            return Line(True, f"Installed {new.kind}", path)
        case 2:
            return Line(True, "Identical new", path)
        case 4:
            return Line(True, "Obsolete", path)
        case 8:
            return Line(True, "Vanished", path)
        case 9:
            return Line(True, "Unwanted", path, " (unchanged, removed by you)")
        case 10:
            return Line(False, "Missing", path)
        case 12:
            return Line(True, "Updated", path)
        case 13:
            return Line(True, "Identical", path)
        case _:
            return None


def merge_line(path: str, choice: str) -> Line:
    """Say how a three-way merge ended: by itself, or by an answer."""
    match choice:
        case "restore":
            return Line(True, "Keeping your", path)
        case "install":
            return Line(False, "Installed default file", path)
        case "keep":
            return Line(False, "Merged", path, " (as you accepted it)")
        case _:
            return Line(True, "Merged", path)


def mode_line(path: str, before: int, after: int) -> Line:
    """Say which permissions a path gets or keeps."""
    shown = f"{before:04o}" if before == after else f"{before:04o} -> {after:04o}"
    rest = " (unchanged)" if before == after else ""
    return Line(True, f"Permissions    {shown}", path, rest)
