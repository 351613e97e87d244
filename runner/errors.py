"""Every failure a user can meet: its code, exit status and three answers; it never prints and never exits.

An error says *what* happened, *where things stand* now and *what to do next*. ``code`` is stable: scripts match it.
"""

from __future__ import annotations

from enum import IntEnum


class Exit(IntEnum):
    """Exit statuses of the command line; scripts depend on them."""

    DONE = 0
    USAGE = 2
    REFUSED = 3
    REHEARSAL_FAILED = 4
    ROLLED_BACK = 5
    STUCK = 6
    BUSY = 7
    UNREACHABLE = 8
    BUG = 70
    LATER = 75
    INTERRUPTED = 130


NOTHING_TOUCHED = "Nothing was touched."


class RefloatError(Exception):
    """The one root: what happened, where things stand now, what to type next."""

    exit_status: Exit = Exit.BUG

    def __init__(self, code: str, what: str, stands: str = NOTHING_TOUCHED, then: str = "") -> None:
        super().__init__(what)
        self.code = code
        self.what = what
        self.stands = stands
        self.then = then

    def __str__(self) -> str:
        return "\n".join(line for line in (self.what, self.stands, self.then) if line)


class UsageError(RefloatError):
    """The command or a file given to it cannot be understood."""

    exit_status = Exit.USAGE


class Refused(RefloatError):
    """We will not start: nothing was touched."""

    exit_status = Exit.REFUSED


class RegistryError(Refused):
    """A registry gave no answer that helps; ``code`` says why: unreachable, denied, rate limit, …"""


class NothingToDo(RefloatError):
    """What was asked for is so already."""

    exit_status = Exit.DONE


class RehearsalFailed(RefloatError):
    """The upgrade failed on copies; nothing of the user's was touched."""

    exit_status = Exit.REHEARSAL_FAILED


class RolledBack(RefloatError):
    """The upgrade failed and was undone: the old version runs on its data."""

    exit_status = Exit.ROLLED_BACK


class Stuck(RefloatError):
    """Neither forward nor back is possible without a human."""

    exit_status = Exit.STUCK


class Busy(RefloatError):
    """Another run holds the target."""

    exit_status = Exit.BUSY


class Later(RefloatError):
    """A gate or hook said: not now."""

    exit_status = Exit.LATER


class Interrupted(RefloatError):
    """The user pressed Ctrl-C (or sent SIGTERM)."""

    exit_status = Exit.INTERRUPTED


class EngineError(RefloatError):
    """The engine said no; ``code`` tells which kind of no. Raised by engine/ only."""

    exit_status = Exit.REFUSED


class NotFound(EngineError):
    """The engine has no such thing."""


class Conflict(EngineError):
    """The engine has something else in that place: a name, an address or a port is taken."""


class OutcomeUnknown(EngineError):
    """The call timed out or its answer was lost: it may have happened. Look, then decide."""

    exit_status = Exit.UNREACHABLE


class EngineUnreachable(EngineError):
    """No engine answers; the call did not happen."""

    exit_status = Exit.UNREACHABLE
