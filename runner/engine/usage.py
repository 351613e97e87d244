"""What a running container used, from the engine's figures and the kernel's; it samples nothing and starts no clock."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from runner.engine.parse import number, part
from runner.errors import EngineError
from runner.facts import Finished, Json, Usage

USAGE_QUERY = {"stream": "false", "one-shot": "true"}
PEAK = ("cat", "/sys/fs/cgroup/memory.peak")


def usage_from(stats: Json, run: Callable[[Sequence[str]], Finished]) -> Usage | None:
    """Read ``GET /containers/{id}/stats``; None where the container does not run: then there are no figures in it.

    The second version of control groups keeps the peak, and the engine skips it: the container is asked itself.
    """
    cpu_ns, memory = number(part(part(stats, "cpu_stats"), "cpu_usage"), "total_usage"), part(stats, "memory_stats")
    if not cpu_ns and not memory:
        return None
    return Usage(cpu_s=cpu_ns / 1e9, peak_bytes=number(memory, "max_usage") or _peak_bytes(run))


def _peak_bytes(run: Callable[[Sequence[str]], Finished]) -> int | None:
    try:
        said = run(PEAK).text.strip()
    except EngineError:
        return None
    return int(said) if said.isdecimal() else None
