"""Reading what the present process of a container logged; it never judges a line."""

from __future__ import annotations

from datetime import UTC, datetime

from runner.engine.port import EnginePort
from runner.errors import EngineError, EngineUnreachable, OutcomeUnknown
from runner.facts import Container

# A process may log within the rounding of a time in nanoseconds to a float; the one before it ended earlier than this.
EARLIER_S = 0.001


def started_s(container: Container) -> float:
    """When its present process started, as Unix time; 0 where it never did."""
    if not container.state.ever_started:
        return 0.0
    moment = datetime.fromisoformat(container.state.started_at)
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def read_log(engine: EnginePort, container: Container, tail: int) -> str:
    """Read its log since its start, at most ``tail`` lines; empty where its log driver cannot be read."""
    return _readable(engine, container, tail, max(0.0, started_s(container) - EARLIER_S))


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
