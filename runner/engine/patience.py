"""How long we insist: reading again after a broken answer, and waiting for an engine that restarts; nothing else."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from tenacity import (
    Retrying,
    retry_if_exception,
    retry_if_exception_type,
    stop_after_attempt,
    stop_after_delay,
    wait_fixed,
)
from tenacity import wait_exponential as growing

from runner.errors import Conflict, EngineUnreachable

Answer = TypeVar("Answer")

ATTEMPTS = 3
SETTLING_ATTEMPTS = 40


def persistently(sleep: Callable[[float], None], ask: Callable[[], Answer]) -> Answer:
    """Ask again when an answer broke off: reading twice does no harm. A refusal or a missing engine counts at once."""
    attempts = Retrying(
        sleep=sleep,
        stop=stop_after_attempt(ATTEMPTS),
        wait=growing(multiplier=0.2, max=2),
        retry=retry_if_exception(broke_off),
        reraise=True,
    )
    return attempts(ask)


def broke_off(error: BaseException) -> bool:
    """Whether the engine was there but its answer did not arrive whole."""
    return isinstance(error, EngineUnreachable) and error.code in ("answer-lost", "engine-timeout")


def between_restarts(sleep: Callable[[float], None], change: Callable[[], Answer]) -> Answer:
    """Try again what the engine refuses only because the container is just ending or starting, as in a crash loop."""
    attempts = Retrying(
        sleep=sleep,
        stop=stop_after_attempt(SETTLING_ATTEMPTS),
        wait=wait_fixed(0.25),
        retry=retry_if_exception(is_restarting),
        reraise=True,
    )
    return attempts(change)


def is_restarting(error: BaseException) -> bool:
    """Whether the refusal belongs to the moment."""
    return isinstance(error, Conflict) and error.code == "restarting"


def until_it_answers(connect: Callable[[], Answer], deadline_s: float, sleep: Callable[[float], None]) -> Answer:
    """Try to connect until it succeeds or the deadline is over."""
    attempts = Retrying(
        sleep=sleep,
        stop=stop_after_delay(deadline_s),
        wait=growing(multiplier=0.2, max=2),
        retry=retry_if_exception_type(EngineUnreachable),
        reraise=True,
    )
    return attempts(connect)
