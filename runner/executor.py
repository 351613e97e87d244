"""The loop: ask what is next, write the intent, perform it, write the outcome; it decides and prints nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from runner.clock import Clock, stamp
from runner.errors import EngineUnreachable, OutcomeUnknown, RefloatError
from runner.facts import Json
from runner.plan import Plan
from runner.progress import Do, Finish, next_move, wish_of
from runner.records import Closed, Did, End, Failed, Meant, Record, Turned, Wish

FORWARD_PATIENCE_S = 20.0
"""How long an engine may be silent before an upgrade turns back."""
BACK_PATIENCE_S = 180.0
"""How long the way back waits for an engine, for a daemon may be restarting."""
PAUSE_S = 0.5


class Log(Protocol):
    """What the loop needs of a journal."""

    @property
    def records(self) -> tuple[Record, ...]:
        """All records so far."""
        ...

    def write(self, record: Record) -> None:
        """Append one record, durable before it returns."""
        ...


Perform = Callable[[Do], Json]


def execute(plan: Plan, log: Log, perform: Perform, clock: Clock, interrupted: Callable[[], bool]) -> Closed:
    """Bring a run to its end and say which; EngineUnreachable leaves it open for ``recover``."""
    while True:
        wish = wish_of(log.records)
        move = next_move(plan, log.records, wish)
        if isinstance(move, Finish):
            return _close(log, clock, move.end)
        if wish is Wish.FORWARD and not move.accepted and interrupted():
            log.write(Turned(at=stamp(clock), code="interrupted", why="it was interrupted"))
            continue
        log.write(Meant(at=stamp(clock), key=move.key))
        try:
            facts = _patiently(move, perform, clock, wish)
        except EngineUnreachable as error:
            if wish is Wish.BACK:
                raise _left_open(plan, error) from None
            _turn(log, clock, move, EngineUnreachable("engine-unreachable", "The engine stopped answering."))
        except RefloatError as error:
            _turn(log, clock, move, error)
            if wish is Wish.BACK:
                return _close(log, clock, End.STUCK, error)
        else:
            log.write(Did(at=stamp(clock), key=move.key, facts=facts))


def _patiently(move: Do, perform: Perform, clock: Clock, wish: Wish) -> Json:
    """Do a step; where the engine gives doubt or silence, do it again: every step looks before it acts."""
    patience_s = FORWARD_PATIENCE_S if wish is Wish.FORWARD else BACK_PATIENCE_S
    until = clock.monotonic() + patience_s
    while True:
        try:
            return perform(move)
        except (OutcomeUnknown, EngineUnreachable):
            if clock.monotonic() >= until:
                raise
            clock.sleep(PAUSE_S)


def _left_open(plan: Plan, error: EngineUnreachable) -> EngineUnreachable:
    stands = f"{plan.target} is on its way back, and that is not finished: the engine stopped answering."
    return EngineUnreachable(error.code, error.what, stands, f"When it answers again: refloat recover {plan.target}")


def _turn(log: Log, clock: Clock, move: Do, error: RefloatError) -> None:
    said = tuple(str(line) for line in getattr(error, "log", ()))
    facts: Json = getattr(error, "facts", {})
    log.write(Failed(at=stamp(clock), key=move.key, code=error.code, what=error.what, log=said, facts=facts))
    if move.undo_of is None:
        log.write(Turned(at=stamp(clock), code=error.code, why=error.what))


def _close(log: Log, clock: Clock, end: End, error: RefloatError | None = None) -> Closed:
    closed = Closed(at=stamp(clock), end=end, code=error.code if error else "", why=error.what if error else "")
    log.write(closed)
    return closed
