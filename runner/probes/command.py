"""A command in the asked container that must exit with 0; it never runs anywhere else."""

from __future__ import annotations

from runner.engine.port import EnginePort
from runner.facts import Container, Finished
from runner.probes.answer import Answer, answer_from_exit
from runner.steps.nouns import CommandProbe


def run_command(engine: EnginePort, probe: CommandProbe, container: Container) -> Finished:
    """Run it and give all it printed."""
    return engine.execute(container.id, probe.argv, user=probe.user, timeout_s=probe.timeout_s)


def ask(engine: EnginePort, probe: CommandProbe, container: Container) -> Answer:
    """Exit code 0 is yes."""
    return answer_from_exit(run_command(engine, probe, container), probe.timeout_s)
