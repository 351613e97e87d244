"""Reading evidence off a running container, and giving late values time to come; what they mean is in evidence.py."""

from __future__ import annotations

from collections.abc import Callable

from runner.clock import Clock
from runner.engine.port import EnginePort
from runner.errors import EngineError, EngineUnreachable, OutcomeUnknown
from runner.evidence import Finding, compare, value_from
from runner.facts import Container
from runner.probes.command import run_command
from runner.probes.http import read_page, welcome
from runner.steps.nouns import HttpProbe, Reading

# A monitoring product needs a round of its own before it knows again what it knew: scrapes, polls, peers.
PATIENCE_S = 30.0
AGAIN_S = 1.0


def read_evidence(engine: EnginePort, container: Container, readings: tuple[Reading, ...], run: str) -> dict[str, str]:
    """Read all that answers; what does not is left out. Raises only where the engine does not answer."""
    found = {one.name: _value(engine, container, one, run) for one in readings}
    return {name: value for name, value in found.items() if value is not None}


def settle_evidence(engine: EnginePort, clock: Clock, container: Container, readings: tuple[Reading, ...],
                    before: dict[str, str], goal_version: str, *, run: str, patience_s: float = PATIENCE_S,
                    interrupted: Callable[[], bool] = lambda: False) -> tuple[Finding, ...]:  # fmt: skip
    """Compare with before, and read again what is not right yet, until all is right or patience ends."""
    until = clock.monotonic() + patience_s
    after: dict[str, str] = {}
    open_ones = readings
    while True:
        for one in open_ones:
            after.pop(one.name, None)
        after |= read_evidence(engine, container, open_ones, run)
        findings = compare(readings, before, after, goal_version)
        wrong = {finding.name for finding in findings if not finding.ok}
        if not wrong or clock.monotonic() >= until or interrupted():
            return findings
        open_ones = tuple(one for one in readings if one.name in wrong)
        clock.sleep(AGAIN_S)


def _value(engine: EnginePort, container: Container, reading: Reading, run: str) -> str | None:
    try:
        text = _answer(engine, container, reading, run)
    except (EngineUnreachable, OutcomeUnknown):
        raise
    except EngineError:
        return None
    return value_from(reading, text) if text is not None else None


def _answer(engine: EnginePort, container: Container, reading: Reading, run: str) -> str | None:
    if isinstance(reading.how, HttpProbe):
        page = read_page(engine, reading.how, container, run)
        return page.body if welcome(reading.how, page.status) else None
    finished = run_command(engine, reading.how, container)
    return finished.text if finished.exit_code == 0 else None
