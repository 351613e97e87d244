"""What a container's state alone proves against it: crashed, crash-looping, out of memory; it asks nobody."""

from __future__ import annotations

from runner.errors import Exit, RefloatError
from runner.facts import Container, State

# Exit codes a shell and the engine give to a command that could not be run or found.
CANNOT_RUN = (126, 127)
KILLED = 137


class NotProven(RefloatError):
    """A started container is not what was hoped for; ``log`` is what it said last."""

    exit_status = Exit.ROLLED_BACK

    def __init__(self, code: str, what: str, log: tuple[str, ...] = ()) -> None:
        super().__init__(code, what, stands="It has been started; its data may have been written to.")
        self.log = log


def verdict_from(now: Container, first: Container | None) -> NotProven | None:
    """The verdict its state alone gives, against the first look at it; None while there is hope."""
    state = now.state
    if state.status == "created":
        return _of_never_started(now)
    if state.status in ("exited", "dead", "removing"):
        return _of_stopped(now)
    if state.status == "restarting":
        return NotProven(
            "crash-looping", f"{now.name} crashes and is restarted again and again: {_how_it_ended(state)}."
        )
    return _of_another_process(now, first) if first else None


def verdict_on_gone(name: str) -> NotProven:
    """It was there and is not any more, as with ``--rm`` after its process ended."""
    return NotProven("crashed", f"{name} is gone: it ended, and the engine removed it, or somebody else did.")


def _of_never_started(now: Container) -> NotProven | None:
    state = now.state
    if state.exit_code not in CANNOT_RUN and not state.error:
        return None
    why = state.error or f"exit code {state.exit_code}: its command cannot be run"
    return NotProven("not-started", f"{now.name} cannot be started: {why}.")


def _of_stopped(now: Container) -> NotProven:
    code = "oom" if now.state.oom_killed else "crashed"
    return NotProven(code, f"{now.name} does not stay up: {_how_it_ended(now.state)}.")


def _of_another_process(now: Container, first: Container) -> NotProven | None:
    if now.state.restart_count > first.state.restart_count:
        times = now.state.restart_count - first.state.restart_count
        again = f"and was restarted by the engine ({times} so far)."
        if now.state.oom_killed:
            return NotProven("oom", f"{now.name} was killed for memory {again}")
        return NotProven("crash-looping", f"{now.name} crashed {again}")
    if not first.state.ever_started:
        return None
    if (now.id, now.state.started_at, now.state.pid) != (first.id, first.state.started_at, first.state.pid):
        return NotProven("other-process", f"{now.name} is not the process it was: somebody or something restarted it.")
    return None


def _how_it_ended(state: State) -> str:
    if state.oom_killed:
        return f"it was killed for memory (exit code {state.exit_code})"
    if state.exit_code == KILLED:
        return f"it was killed (exit code {KILLED}: by SIGKILL, as for memory or after a stop timeout)"
    words = f"exit code {state.exit_code}"
    return f"{words}, {state.error}" if state.error else words
