"""Sets up one rehearsal for a test and takes it back afterwards; what is asserted in between is not its business."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from testcontainers.core.config import testcontainers_config
from testcontainers.core.container import Reaper
from testcontainers.core.labels import LABEL_SESSION_ID, SESSION_ID

from runner.cli.asked import Asked, asked
from runner.cli.ground import open_session, place_from
from runner.cli.manner import Manner
from runner.cli.plays import hops_to, look_for_play
from runner.cli.stacks import stack_asked
from runner.cli.wishes import Wishes
from runner.engine.docker import connect_engine
from runner.errors import RehearsalFailed
from runner.facts import Container
from runner.plan import Plan
from runner.probes.prober import close_probers, ensure_prober
from runner.rehearsal import Rehearsed
from runner.rehearsing import Ears, kept_result, upgraded_copy
from runner.report.rehearsal import rehearsal_report
from runner.session import Session
from runner.stack_rehearsing import upgraded_stack
from runner.stacking import Stack
from runner.testing.copy import UpgradedCopy
from runner.testing.relay import program
from runner.verbs import Refloat


@contextmanager
def rehearsed_copy(target: str, *, to: str, image: str, snapshot: str, way_back: bool) -> Iterator[UpgradedCopy]:
    """What `runner.testing.upgraded_copy` says; refloat.yaml has its say as on the command line."""
    session = open_session(marks=reaper_labels())
    began = session.clock.monotonic()
    wishes = Wishes(to, image)
    manner, want = Manner(quick=not way_back, source=snapshot), asked(target, wishes)
    if stack := stack_asked(session.engine, target, wishes, None):
        with _stack_copy(session, stack, want, manner, way_back=way_back) as copy:
            yield copy
        return
    refloat = Refloat(session)
    world, plan, wanted = look_for_play(refloat, want, manner, hops_to(refloat, want, manner))
    with upgraded_copy(session, world, plan, wanted, Ears(tell=lambda _: None, follow=_unheard)) as (seen, played):
        if played is None:
            raise _failed(kept_result(session, seen, began))
        with _open_copy(session, plan.run, seen, played.successor) as copy:
            yield copy
        result = kept_result(session, played.taken_back(seen) if way_back else seen, began)
        if not result.passed:
            raise _failed(result)


@contextmanager
def _stack_copy(session: Session, stack: Stack, want: Asked, manner: Manner,
                *, way_back: bool) -> Iterator[UpgradedCopy]:  # fmt: skip
    """The same for a stack: the first member that gets a new version, and all that run as its ``members``."""
    began = session.clock.monotonic()
    members, plan = Refloat(session).look_at_stack(stack, place_from(want.wishes.vault))
    wanted = manner.for_stack(stack.options)
    ears = Ears(tell=lambda _: None, follow=_unheard)
    with upgraded_stack(session, members, plan, wanted, ears) as (seen, played):
        if played is None:
            raise _failed(kept_result(session, seen, began))
        with ExitStack() as opened:
            copies = {
                one.meant.target: opened.enter_context(_open_copy(session, one.meant.run, told, played.container(one)))
                for one, told in zip(played.members, seen.members, strict=True)
                if one.runs
            }
            for copy in copies.values():
                copy.members = copies
            yield next(copies[one.target] for one in (*plan.changing, *plan.members) if one.target in copies)
        result = kept_result(session, played.taken_back(seen) if way_back else seen, began)
        if not result.passed:
            raise _failed(result)


@contextmanager
def _open_copy(session: Session, run: str, seen: Rehearsed, successor: Container) -> Iterator[UpgradedCopy]:
    """What runs on a copy as a testcontainers object, with its ports closed at the end."""
    beside = ensure_prober(session.engine, successor, run)
    # Each connection is carried by a thread, and a client of the engine is not shared between threads.
    copy = UpgradedCopy(successor.id, seen, lambda port: connect_engine().converse(beside, program(port)))
    try:
        yield copy
    finally:
        copy.stop()
        close_probers(session.engine, run)


def reaper_labels() -> dict[str, str]:
    """The labels by which the testcontainers reaper clears away after a process that died, where it runs.

    Where it does not, the next refloat command does so. They go on all that is made: tools, probers, clones, networks.
    """
    if testcontainers_config.ryuk_disabled:
        return {}
    try:
        Reaper.get_instance()
    except Exception as error:  # of the reaper's image, its port or its privileges: all the same here
        warnings.warn(f"The testcontainers reaper does not start ({error}); refloat clears away itself.", stacklevel=2)
        return {}
    return {LABEL_SESSION_ID: SESSION_ID}


def _failed(result: Rehearsed) -> RehearsalFailed:
    return RehearsalFailed("rehearsal-failed", rehearsal_report(result))


def _unheard(_: Plan) -> None:
    return
