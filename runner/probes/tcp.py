"""A port in the asked container's network that must accept a connection; nothing is sent through it."""

from __future__ import annotations

from runner.engine.port import EnginePort
from runner.facts import Container
from runner.probes.answer import Answer, answer_from_exit
from runner.probes.prober import ask_network
from runner.steps.nouns import TcpProbe

# bash connects; without it the kernel's own list says who listens (state 0A), which needs no more than grep.
INSIDE = """
limit=
if command -v timeout >/dev/null 2>&1; then limit="timeout $2"; fi
if command -v bash >/dev/null 2>&1; then exec $limit bash -c 'exec 3<>/dev/tcp/localhost/$0' "$1"; fi
listens=$(printf ': [0-9A-F]*:%04X [0-9A-F]*:[0-9A-F]* 0A ' "$1")
cat /proc/net/tcp /proc/net/tcp6 2>/dev/null | grep -q "$listens" || { echo "nobody listens"; exit 1; }
"""


def ask(engine: EnginePort, probe: TcpProbe, container: Container, run: str) -> Answer:
    """Connect once."""
    port, wait = str(probe.port), f"{probe.timeout_s:g}"
    beside = ("timeout", wait, "bash", "-c", "exec 3<>/dev/tcp/localhost/$0", port)
    inside = ("sh", "-c", INSIDE, "sh", port, wait)
    answer = answer_from_exit(ask_network(engine, container, run, beside, inside, probe.timeout_s), probe.timeout_s)
    return Answer(ok=True, said="it accepts") if answer.ok else answer
