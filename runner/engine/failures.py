"""What a foreign exception out of a request means: it never happened, or nobody knows; it sends none."""

from __future__ import annotations

import http.client
import json
import ssl
from collections.abc import Iterator
from dataclasses import dataclass

from runner.errors import EngineUnreachable, OutcomeUnknown, RefloatError

WHAT_NEXT = "Check that `docker version` answers here, and that DOCKER_HOST names the engine you mean."
Errors = tuple[type[BaseException], ...]


class Refusal(Exception):
    """An answer of status 400 or more, before it has become one of our errors."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


@dataclass(frozen=True)
class Kinds:
    """The exceptions of one way to the engine, by what they mean."""

    foreign: Errors
    """All of them."""
    never_sent: Errors
    our_side: Errors
    timeouts: Errors


STANDARD = Kinds(
    foreign=(OSError, http.client.HTTPException, json.JSONDecodeError, UnicodeDecodeError),
    never_sent=(FileNotFoundError, PermissionError, ConnectionRefusedError, ssl.SSLCertVerificationError),
    our_side=(http.client.InvalidURL,),
    timeouts=(TimeoutError,),
)
"""What the standard library was seen to throw out of a request."""


def failure_from(error: BaseException, doing: str, address: str, *, changing: bool, kinds: Kinds) -> RefloatError:
    """Yield our error for a foreign one: it never happened, or it may have."""
    causes = tuple(causes_of(error))
    if any(isinstance(each, kinds.never_sent) for each in causes):
        return unreachable(address, causes)
    if isinstance(error, kinds.our_side):
        return EngineUnreachable("engine-address", f"The engine at {address} cannot be used: {error}", then=WHAT_NEXT)
    code = "engine-timeout" if any(isinstance(each, kinds.timeouts) for each in causes) else "answer-lost"
    said = "did not answer in time" if code == "engine-timeout" else "broke off its answer"
    what = f"The engine {said} when asked to {doing}."
    if changing:
        return OutcomeUnknown(code, what, "It may have happened or not.", "Look first: docker ps -a.")
    return EngineUnreachable(code, what, then=WHAT_NEXT)


def unreachable(address: str, causes: tuple[BaseException, ...]) -> EngineUnreachable:
    """Yield the error for an engine to which no request was ever sent."""
    if any(isinstance(each, PermissionError) for each in causes):
        what, then = f"You may not use the engine at {address}.", "Join the group docker, or run this as root."
        return EngineUnreachable("engine-denied", what, then=then)
    return EngineUnreachable("engine-unreachable", f"No engine answers at {address}: {causes[-1]}", then=WHAT_NEXT)


def causes_of(error: BaseException, depth: int = 8) -> Iterator[BaseException]:
    """Walk from an exception to what it wraps. Not ``__context__``: that may be somebody else's older failure."""
    yield error
    if depth == 0:
        return
    inner = [*error.args, getattr(error, "reason", None), error.__cause__]
    for each in inner:
        if isinstance(each, BaseException):
            yield from causes_of(each, depth - 1)
