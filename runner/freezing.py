"""Freezes and thaws one container's processes, patiently; whose container that is and why, others decide."""

from __future__ import annotations

from runner.clock import Clock
from runner.engine.port import EnginePort
from runner.errors import Conflict, EngineError, EngineUnreachable, NotFound, OutcomeUnknown

THAW_S = 120.0
"""How long we try to wake a container up where the engine does not answer or the kernel does not let go."""
AGAIN_S = 0.5
FREEZE_TRIES = 5


def freeze(engine: EnginePort, clock: Clock, ref: str) -> None:
    """Pause a container; the kernel may not get hold of all its processes at the first try on a busy machine."""
    for _ in range(FREEZE_TRIES):
        try:
            engine.pause(ref)
        except (NotFound, Conflict, EngineUnreachable, OutcomeUnknown):
            raise
        except EngineError:
            clock.sleep(AGAIN_S)
        else:
            return
    engine.pause(ref)


def thaw(engine: EnginePort, clock: Clock, ref: str) -> None:
    """Wake a container up, patiently: a product that stands still is the one harm this could do."""
    until = clock.monotonic() + THAW_S
    while True:
        try:
            engine.unpause(ref)
        except NotFound:
            return
        except Conflict:
            return  # stopped meanwhile: nothing of it is frozen
        except EngineError:
            if clock.monotonic() >= until:
                raise
            clock.sleep(AGAIN_S)
        else:
            return
