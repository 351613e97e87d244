"""Asking one probe of one container, whatever its kind; it never decides what an answer means for an upgrade."""

from __future__ import annotations

from typing import assert_never

from runner.engine.port import EnginePort
from runner.errors import EngineError, EngineUnreachable, OutcomeUnknown
from runner.facts import Container
from runner.probes import command, http, image, log, tcp
from runner.probes.answer import Answer
from runner.probes.prober import close_probers
from runner.steps.nouns import CommandProbe, HttpProbe, ImageHealth, LogProbe, Probe, TcpProbe

__all__ = ["Answer", "ask", "close_probers"]


def ask(engine: EnginePort, probe: Probe, container: Container, run: str) -> Answer:
    """Ask once; raises only where nothing can be known (EngineUnreachable, OutcomeUnknown)."""
    try:
        return _ask(engine, probe, container, run)
    except (EngineUnreachable, OutcomeUnknown):
        raise
    except EngineError as refusal:
        # Mostly: it died between looking and asking. That is for its state to say, not for a probe.
        return Answer(ok=False, said="it does not run" if refusal.code == "not-running" else refusal.what)


def _ask(engine: EnginePort, probe: Probe, container: Container, run: str) -> Answer:
    match probe:
        case ImageHealth():
            return image.ask(engine, probe, container)
        case HttpProbe():
            return http.ask(engine, probe, container, run)
        case TcpProbe():
            return tcp.ask(engine, probe, container, run)
        case CommandProbe():
            return command.ask(engine, probe, container)
        case LogProbe():
            return log.ask(engine, probe, container)
        case _:
            assert_never(probe)
