"""Making the changes of a settlement in a tree, all or none; it decides nothing and asks only where one fails."""

from __future__ import annotations

import fcntl
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from runner.errors import Busy, Interrupted, Refused, RolledBack
from runner.refresh import undo
from runner.refresh.entries import Entry, Kind, printable
from runner.refresh.look import Defaults, read_user
from runner.refresh.root import Root
from runner.refresh.settlement import Change, SetMode, Settlement, Swap

# On a path that cannot be changed: "retry", "continue" without it, or "abort".
Fails = Callable[[str, OSError], str]


def abort_on_failure(_path: str, _error: OSError) -> str:
    """Answer a failure nobody is there to be asked about."""
    return "abort"


@contextmanager
def tree_of_our_own(root: Root) -> Iterator[None]:
    """Hold the tree for one refresh, and undo one that was interrupted before."""
    try:
        fcntl.flock(root.fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as taken:
        what = f"Another refresh of {printable(str(root.path))} is going on."
        raise Busy("refresh-busy", what, then="Wait until it is done, then try again.") from taken
    if undo.is_unfinished(root):
        undo.undo_all(root)
    undo.clean(root)
    yield


def _nothing() -> None:
    return


def apply(root: Root, defaults: Defaults, settlement: Settlement, fails: Fails = abort_on_failure,
          before_accepting: Callable[[], None] = _nothing) -> dict[str, str]:  # fmt: skip
    """Make every change, or put everything back; yield the paths left out, with the reason, if it was so answered.

    ``before_accepting`` comes last of all that may still fail: where it does, everything is put back.
    """
    _refuse_a_changed_tree(root, settlement)
    if not settlement.changes:
        before_accepting()
        return {}
    left_out: dict[str, str] = {}
    try:
        undo.begin(root, settlement.changes)
        for number, change in enumerate(settlement.changes):
            if reason := _make_or_ask(root, defaults, number, change, fails):
                left_out[change.path] = reason
        _sync(root, settlement.changes)
        before_accepting()
        undo.accept(root)
    except BaseException as error:
        raise _undone(root, error) from error
    undo.clean(root)
    return left_out


def _refuse_a_changed_tree(root: Root, settlement: Settlement) -> None:
    expected = settlement.seen
    there = {path: entry for path, entry in expected.items() if entry}
    now = read_user(root, dict.fromkeys(expected, Entry(Kind.SPECIAL, 0)), there)
    changed = [path for path, entry in expected.items() if now.get(path) != entry]
    if changed:
        what = f"{printable(changed[0])} changed while the refresh was being settled ({len(changed)} such path(s))."
        raise Refused("refresh-tree-changed", what, then="Stop what writes there, then try again.")


def _make_or_ask(root: Root, defaults: Defaults, number: int, change: Change, fails: Fails) -> str:
    while True:
        try:
            _make(root, defaults, number, change)
        except OSError as error:
            undo.undo_one(root, number, change)
            answer = fails(change.path, error)
            if answer == "abort":
                # The error itself knows at best the last name of the path.
                raise OSError(error.errno, error.strerror or str(error), change.path) from error
            if answer == "continue":
                return error.strerror or str(error)
        else:
            return ""


def _make(root: Root, defaults: Defaults, number: int, change: Change) -> None:
    if isinstance(change, SetMode):
        undo.set_mode(root, change.path, change.after)
        return
    if change.had:
        undo.move(root, change.path, undo.saved(number))
    if change.new:
        made = undo.made(number)
        _prepare(root, defaults, change, change.new, made)
        _give_to_owner(root, made, root.status(undo.saved(number)) or _status_above(root, change.path))
        if change.had and change.new.kind is Kind.FILE:
            _give_attributes(root, undo.saved(number), made)
        if change.new.kind is Kind.FILE:  # a change of owner takes set-user-id bits away, so the mode comes after it
            undo.set_mode(root, made, change.new.mode)
        undo.move(root, made, change.path)
        if change.new.kind is Kind.DIRECTORY:  # one that cannot be written to could not have been moved
            undo.set_mode(root, change.path, change.new.mode)


def _prepare(root: Root, defaults: Defaults, change: Swap, new: Entry, made: str) -> None:
    root.remove_all(made)
    with root.parent(made) as (fd, name):
        if new.kind is Kind.LINK:
            os.symlink(new.target, name, dir_fd=fd)
        elif new.kind is Kind.DIRECTORY:
            os.mkdir(name, 0o700, dir_fd=fd)
        else:
            chunks = defaults.chunks(change.path) if change.text is None else iter((change.text,))
            if undo.write_new_file(fd, name, chunks) != new.digest:
                raise OSError(f"the default of {printable(change.path)} changed while it was being installed")


def _status_above(root: Root, path: str) -> os.stat_result | None:
    above = path.rpartition("/")[0]
    return root.status(above) if above else os.fstat(root.fd)


def _give_to_owner(root: Root, made: str, like: os.stat_result | None) -> None:
    """Hand what is new to whom the old one belonged, else to the owner of the directory it goes to."""
    now = root.status(made)
    if like and now and (now.st_uid, now.st_gid) != (like.st_uid, like.st_gid):
        # Only root can give away; anybody else's files are his own anyway.
        with suppress(PermissionError), root.parent(made) as (fd, name):
            os.chown(name, like.st_uid, like.st_gid, dir_fd=fd, follow_symlinks=False)


def _give_attributes(root: Root, saved: str, made: str) -> None:
    """Carry over the access list, the security label and all other attributes from a file to what replaces it."""
    # What a file system does not know, and what only root may set, cannot have been set for this user either.
    with suppress(OSError), root.reading(saved) as old_fd, root.reading(made) as new_fd:
        for name in os.listxattr(old_fd) if sys.platform == "linux" else ():
            with suppress(OSError):
                os.setxattr(new_fd, name, os.getxattr(old_fd, name))


def _undone(root: Root, error: BaseException) -> BaseException:
    undo.undo_all(root)
    stands = "Everything is as it was before."
    if isinstance(error, OSError):
        where = f" at {printable(os.fsdecode(error.filename))}" if isinstance(error.filename, str | bytes) else ""
        what = f"The refresh failed{where}: {error.strerror or error}."
        return RolledBack("refresh-failed", what, stands, "Remove the cause, then try again.")
    if isinstance(error, KeyboardInterrupt):
        return Interrupted("refresh-interrupted", "The refresh was interrupted.", stands, "Start it again any time.")
    return error


def _sync(root: Root, changes: tuple[Change, ...]) -> None:
    for above in {change.path.rpartition("/")[0] for change in changes}:
        with suppress(FileNotFoundError, NotADirectoryError), root.directory(above) as fd:
            os.fsync(fd)
