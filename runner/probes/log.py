"""A line in the asked container's log since its start; it never reads what an earlier process wrote."""

from __future__ import annotations

import re

from runner.engine.port import EnginePort
from runner.facts import Container
from runner.probes.answer import SAID_CHARS, Answer
from runner.probes.since import read_log
from runner.steps.nouns import LogProbe

# A line of long ago counts, but not at the price of reading gigabytes.
FAR_BACK_LINES = 20_000


def ask(engine: EnginePort, probe: LogProbe, container: Container) -> Answer:
    """Read far back, once."""
    return answer_from_log(probe, read_log(engine, container, FAR_BACK_LINES))


def answer_from_log(probe: LogProbe, text: str) -> Answer:
    """Whether a line of this log matches."""
    for line in text.splitlines():
        if re.search(probe.pattern, line):
            return Answer(ok=True, said=line[:SAID_CHARS])
    return Answer(ok=False, said="no such line yet")
