"""The image's own health check, run by us as soon as the container is up; it never waits for the engine's interval."""

from __future__ import annotations

from runner.engine.port import EnginePort
from runner.facts import Container
from runner.probes.answer import Answer, answer_from_exit
from runner.spec.healthcheck import check_argv
from runner.steps.nouns import ImageHealth


def ask(engine: EnginePort, probe: ImageHealth, container: Container) -> Answer:
    """Run what HEALTHCHECK names, as the engine would; a container that has lost it is not proven by it."""
    argv = check_argv(container.config)
    if not argv:
        return Answer(ok=False, said="it has no health check any more")
    return answer_from_exit(engine.execute(container.id, argv, timeout_s=probe.timeout_s), probe.timeout_s)
