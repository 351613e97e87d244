"""Which container the user means; it reads, and changes nothing."""

from __future__ import annotations

from runner.engine.port import EnginePort
from runner.errors import NotFound, Refused
from runner.facts import Container


def find_target(engine: EnginePort, text: str) -> Container:
    """The container of this name or id; Refused ``no-such-target``."""
    try:
        return engine.container(text)
    except NotFound:
        raise Refused("no-such-target", f"There is no container {text}.", then="List them: refloat ls") from None
