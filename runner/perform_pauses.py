"""How a container is thawed and paused again: patiently, and of one that is accepted it only warns; it stops none."""

from __future__ import annotations

from runner.errors import EngineError, NotFound, RefloatError
from runner.facts import Json
from runner.freezing import AGAIN_S, freeze, thaw
from runner.hands import Hands
from runner.steps.nouns import Who

PATIENCE_S = 20.0
"""How long it is tried to pause what is accepted: nothing turns back for it."""


def wake(hands: Hands, who: Who) -> Json:
    """Let its processes run; nothing to do for one that the engine has deleted, or that is not paused."""
    try:
        container = hands.container(who)
    except NotFound:
        return {}
    thaw(hands.engine, hands.clock, container.id)
    return {}


def pause_back(hands: Hands, who: Who) -> Json:
    """Pause the old version again."""
    freeze(hands.engine, hands.clock, hands.container(who).id)
    return {}


def pause_accepted(hands: Hands, who: Who) -> Json:
    """Pause the accepted version; a warning where that cannot be."""
    until = hands.clock.monotonic() + PATIENCE_S
    while True:
        try:
            return pause_back(hands, who)
        except EngineError as error:
            if hands.clock.monotonic() >= until:
                return _warned(hands, who, error)
            hands.clock.sleep(AGAIN_S)


def _warned(hands: Hands, who: Who, error: RefloatError) -> Json:
    hands.note("warning", f"{who.spoken} could not be paused again: {error.what}", None)
    return {"failed": error.what}
