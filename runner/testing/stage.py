"""Sets up one rehearsal for a test and takes it back afterwards; what is asserted in between is not its business."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager

from testcontainers.core.config import testcontainers_config
from testcontainers.core.container import Reaper
from testcontainers.core.labels import LABEL_SESSION_ID, SESSION_ID

from runner.cli.asked import asked
from runner.cli.ground import open_session
from runner.cli.manner import Manner
from runner.cli.plays import hops_to, look_for_play
from runner.cli.wishes import Wishes
from runner.engine.docker import connect_engine
from runner.errors import RehearsalFailed
from runner.plan import Plan
from runner.playing_on import PlayedOn
from runner.probes.prober import close_probers, ensure_prober
from runner.rehearsal import Rehearsed
from runner.rehearsing import Ears, kept_result, upgraded_copy
from runner.report.rehearsal import rehearsal_report
from runner.session import Session
from runner.testing.copy import UpgradedCopy
from runner.testing.relay import program
from runner.verbs import Refloat


@contextmanager
def rehearsed_copy(target: str, *, to: str, image: str, snapshot: str, way_back: bool) -> Iterator[UpgradedCopy]:
    """What `runner.testing.upgraded_copy` says; refloat.yaml has its say as on the command line."""
    session = open_session(marks=reaper_labels())
    began = session.clock.monotonic()
    manner, want = Manner(quick=not way_back, source=snapshot), asked(target, Wishes(to, image))
    refloat = Refloat(session)
    world, plan, wanted = look_for_play(refloat, want, manner, hops_to(refloat, want, manner))
    with upgraded_copy(session, world, plan, wanted, Ears(tell=lambda _: None, follow=_unheard)) as (seen, played):
        if played is None:
            raise _failed(kept_result(session, seen, began))
        with _open_copy(session, plan, seen, played) as copy:
            yield copy
        result = kept_result(session, played.taken_back(seen) if way_back else seen, began)
        if not result.passed:
            raise _failed(result)


@contextmanager
def _open_copy(session: Session, plan: Plan, seen: Rehearsed, played: PlayedOn) -> Iterator[UpgradedCopy]:
    """The successor of a rehearsal as a testcontainers object, with its ports closed at the end."""
    successor = played.successor
    beside = ensure_prober(session.engine, successor, plan.run)
    # Each connection is carried by a thread, and a client of the engine is not shared between threads.
    copy = UpgradedCopy(successor.id, seen, lambda port: connect_engine().converse(beside, program(port)))
    try:
        yield copy
    finally:
        copy.stop()
        close_probers(session.engine, plan.run)


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
