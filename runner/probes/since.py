"""Reading what the present process of a container logged; it never judges a line."""

from __future__ import annotations

from datetime import UTC, datetime

from runner.engine.port import EnginePort
from runner.errors import EngineError, EngineUnreachable, OutcomeUnknown
from runner.facts import Container

LATE_S = 1.0
"""The engine notes a start when it hears of it: first lines were seen 2.4 ms before it, on a quiet machine."""
BETWEEN_S = 0.1
"""At least so long an engine waits before it starts by itself what ended."""


def since_s(container: Container) -> float:
    """From when on what it logged is its present process's, as Unix time: 0 where there was none before."""
    started, ended = _unix(container.state.started_at), _unix(container.state.finished_at)
    if not ended:
        return 0.0
    if ended > started:  # that was the present one's end; when the one before ended is not known
        return started - BETWEEN_S / 2
    return max((ended + started) / 2, started - LATE_S)


def _unix(at: str) -> float:
    """A time of the engine's; 0 where it never was."""
    if not at:
        return 0.0
    moment = datetime.fromisoformat(at)
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def read_log(engine: EnginePort, container: Container, tail: int) -> str:
    """Read its log since its start, at most ``tail`` lines; empty where its log driver cannot be read."""
    return _readable(engine, container, tail, max(0.0, since_s(container)))


def read_last_lines(engine: EnginePort, container: Container, lines: int) -> str:
    """Read its last lines whenever they were written: what a crash-looping process said before."""
    return _readable(engine, container, lines, 0)


def _readable(engine: EnginePort, container: Container, tail: int, since_s: float) -> str:
    try:
        return engine.logs(container.id, tail=tail, since_s=since_s)
    except (EngineUnreachable, OutcomeUnknown):
        raise
    except EngineError:
        return ""
