"""A port in the asked container's network that must accept a connection; nothing is sent through it."""

from __future__ import annotations

from runner.engine.port import EnginePort
from runner.facts import Container
from runner.probes.answer import Answer, answer_from_exit
from runner.probes.prober import ask_network
from runner.steps.nouns import TcpProbe

# Whatever the image has: bash knows /dev/tcp, others bring nc; telling them apart costs no second exec.
INSIDE = """
if command -v bash >/dev/null 2>&1; then exec timeout "$2" bash -c 'exec 3<>/dev/tcp/localhost/$0' "$1"; fi
exec timeout "$2" nc -z localhost "$1"
"""


def ask(engine: EnginePort, probe: TcpProbe, container: Container, run: str) -> Answer:
    """Connect once."""
    port, wait = str(probe.port), f"{probe.timeout_s:g}"
    beside = ("timeout", wait, "bash", "-c", "exec 3<>/dev/tcp/localhost/$0", port)
    inside = ("sh", "-c", INSIDE, "sh", port, wait)
    answer = answer_from_exit(ask_network(engine, container, run, beside, inside, probe.timeout_s), probe.timeout_s)
    return Answer(ok=True, said="it accepts") if answer.ok else answer
