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

AGAIN_S = 1.0


def read_evidence(engine: EnginePort, container: Container, readings: tuple[Reading, ...], run: str) -> dict[str, str]:
    """Read all that answers, at the second try too; the rest is left out. Raises only where the engine does not answer.

    A busy machine may miss one answer, and what is not known from before proves nothing afterwards.
    """
    found = {one.name: _value(engine, container, one, run) or _value(engine, container, one, run) for one in readings}
    return {name: value for name, value in found.items() if value is not None}


def settle_evidence(engine: EnginePort, clock: Clock, container: Container, readings: tuple[Reading, ...],
                    before: dict[str, str], goal_version: str, *, run: str,
                    interrupted: Callable[[], bool] = lambda: False) -> tuple[Finding, ...]:  # fmt: skip
    """Compare with before; what is wrong is read again as long as its ``settle_s`` allows."""
    began = clock.monotonic()
    after = read_evidence(engine, container, readings, run)
    while True:
        findings = compare(readings, before, after, goal_version)
        wrong = {finding.name for finding in findings if not finding.ok}
        open_ones = tuple(one for one in readings if one.name in wrong and clock.monotonic() - began < one.settle_s)
        if not open_ones or interrupted():
            return findings
        clock.sleep(AGAIN_S)
        asked = {one.name for one in open_ones}
        kept = {name: value for name, value in after.items() if name not in asked}
        after = kept | read_evidence(engine, container, open_ones, run)


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
