"""Seeing a started container up, healthy and the same process for a while; it never starts, stops or changes it."""

from __future__ import annotations

from collections.abc import Callable

from runner.clock import Clock
from runner.engine.port import EnginePort
from runner.facts import Container, Fact
from runner.probes import ask
from runner.steps.nouns import HealthTerms
from runner.unasked import is_asked
from runner.verdict import NotProven
from runner.watch import Tell, Watch

__all__ = ["NotProven", "Proven", "Tell", "probe_once", "prove_health"]

# A busy machine may miss one answer, and a probe not answered before is not asked afterwards.
TRIES = 2


class Proven(Fact):
    """A container that is up, healthy and stays so."""

    container_id: str
    started_at: str
    ready_after_s: float
    """From the first look until every probe was content."""
    probes: tuple[str, ...]


def prove_health(engine: EnginePort, clock: Clock, find: Callable[[], Container], terms: HealthTerms, *, run: str,
                 answered: frozenset[str] | None = None, tell: Tell = lambda _waiting, _left: None,
                 interrupted: Callable[[], bool] = lambda: False) -> Proven:  # fmt: skip
    """Wait until it is proven; raises NotProven, Interrupted, or what the engine said when it never answered.

    ``answered`` names the conditional probes the old version answered; None asks all.
    """
    asked = tuple(probe for probe in terms.probes if answered is None or is_asked(probe, answered))
    watch = Watch(engine, clock, find, terms, asked, run, tell, interrupted)
    while True:
        container = watch.wait_until_ready()
        ready_after_s = watch.lasted_s
        if watch.stays_so():
            return Proven(
                container_id=container.id,
                started_at=container.state.started_at,
                ready_after_s=ready_after_s,
                probes=tuple(probe.spoken for probe in asked),
            )


def probe_once(engine: EnginePort, container: Container, terms: HealthTerms, run: str) -> frozenset[str]:
    """Which probes it answers now, at the second try too; raises only where the engine does not answer."""
    return frozenset(
        probe.spoken for probe in terms.probes if any(ask(engine, probe, container, run).ok for _ in range(TRIES))
    )
