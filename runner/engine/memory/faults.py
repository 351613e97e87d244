"""Faults on order: every call of the memory engine and vault is counted and may fail; nothing fails by itself."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from functools import wraps
from typing import Concatenate, ParamSpec, Protocol, TypeVar

from runner.errors import EngineError, EngineUnreachable, OutcomeUnknown


class Fault(StrEnum):
    """How one call fails."""

    REFUSED = "refused"
    """The engine says no; it did not happen."""
    UNREACHABLE = "unreachable"
    """No engine answers; it did not happen."""
    UNKNOWN_DONE = "unknown-done"
    """The answer is lost; it happened."""
    UNKNOWN_NOT_DONE = "unknown-not-done"
    """The answer is lost; it did not happen."""
    CRASHED_BEFORE = "crashed-before"
    """The runner dies before the call."""
    CRASHED_AFTER = "crashed-after"
    """The runner dies after the call."""
    TORN = "torn"
    """The runner dies and half of a copy is made; calls that copy nothing are done whole."""


class RunnerDied(BaseException):
    """The runner's process ended here; only a test catches this."""


Faults = Callable[[str, tuple[object, ...]], Fault | None]

READS = frozenset({
    "engine", "containers", "container", "image", "images", "volume", "volumes", "network", "networks", "changes",
    "logs", "remote_digest", "usage", "wait", "read_archive", "vault.changes", "vault.measure", "vault.read_papers",
    "vault.preview_refresh", "vault.rooms", "vault.sealed", "vault.verify",
})  # fmt: skip


class Faulty(Protocol):
    """What can fail on order."""

    prefix: str
    torn: bool

    @property
    def calls(self) -> list[tuple[str, tuple[object, ...]]]:
        """All calls so far: method and arguments."""
        ...

    @property
    def faults(self) -> Faults | None:
        """Consulted before each call; may also change the engine, as somebody else would."""
        ...

    def refused(self, what: str) -> Exception:
        """Yield the error of a plain refusal."""
        ...


S = TypeVar("S", bound=Faulty)
P = ParamSpec("P")
R = TypeVar("R")


def call(method: Callable[Concatenate[S, P], R]) -> Callable[Concatenate[S, P], R]:
    """Count a call and let it fail when asked to."""
    name = method.__name__

    @wraps(method)
    def counted(self: S, /, *args: P.args, **kwargs: P.kwargs) -> R:
        said = (self.prefix + name, (*args, *kwargs.values()))
        self.calls.append(said)
        fault = self.faults(*said) if self.faults else None
        if fault is None:
            return method(self, *args, **kwargs)
        before(fault, self, said[0])
        self.torn = fault is Fault.TORN
        try:
            method(self, *args, **kwargs)
        finally:
            self.torn = False
        raise after(fault, said[0])

    return counted


def before(fault: Fault, faulty: Faulty, name: str) -> None:
    """Raise what keeps the call from happening."""
    if fault is Fault.REFUSED:
        raise faulty.refused(f"The engine refused to {name}: asked to by a test.")
    if fault is Fault.UNREACHABLE:
        raise EngineUnreachable("engine-unreachable", "No engine answers: asked to by a test.")
    if fault is Fault.CRASHED_BEFORE:
        raise RunnerDied(f"before {name}")
    if fault is Fault.UNKNOWN_NOT_DONE:
        raise lost(name)


def after(fault: Fault, name: str) -> BaseException:
    """Yield what hides that the call happened."""
    return lost(name) if fault is Fault.UNKNOWN_DONE else RunnerDied(f"after {name} ({fault})")


def lost(name: str) -> EngineError:
    """Yield the error of an answer that did not arrive; a lost reading is no doubt, it is just not read."""
    if name in READS:
        return EngineUnreachable("answer-lost", f"The engine broke off its answer to {name}.")
    return OutcomeUnknown("answer-lost", f"The engine broke off its answer to {name}.", "It may have happened or not.")
