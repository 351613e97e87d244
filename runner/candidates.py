"""Several versions rehearsed side by side on clones of one snapshot; each is a rehearsal of its own, none is chosen.

The snapshot is held by one more scene, which is struck last. A version that cannot be played fails alone.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass

from runner.errors import EngineError, EngineUnreachable, Interrupted, OutcomeUnknown, RefloatError, Refused
from runner.plan import Plan
from runner.playing import Ears, Original, Play
from runner.rehearsal import Rehearsed, Scene, guest_scene, shared_scene, unplayed
from runner.rehearsing import INTERRUPTED, Wanted, belongings, kept_result, look_at_original, named_snapshot
from runner.session import Session
from runner.staging import on_stage, strike_left
from runner.vault.port import VaultError
from runner.world import World

AT_ONCE = 2
"""How many are played at the same time: production keeps its breath, and figures stay worth something."""


@dataclass(frozen=True)
class Candidate:
    """One version to try, with a session and ears of its own: sessions are not shared between threads."""

    session: Session
    world: World
    plan: Plan
    ears: Ears


def rehearse_each(session: Session, candidates: tuple[Candidate, ...], wanted: Wanted, tell: Callable[[str], None],
                  at_once: int = AT_ONCE) -> tuple[Rehearsed, ...]:  # fmt: skip
    """Play each on clones of one snapshot; results in the order given, all kept. Refused, Busy and Interrupted."""
    strike_left(session)
    first = candidates[0]
    snapshot = named_snapshot(session, first.plan, wanted.snapshot) if wanted.snapshot else None
    shared = shared_scene(first.plan, belongings(first.world), snapshot, session.new_run())
    with on_stage(session, shared):
        original = look_at_original(session, first.world, first.plan, shared, wanted, tell)
        try:
            with ThreadPoolExecutor(at_once) as pool:
                return _all(tuple(pool.submit(_one, each, wanted, shared, original) for each in candidates))
        except Interrupted:
            raise Interrupted("interrupted", "The rehearsals were interrupted.", INTERRUPTED) from None


def _all(futures: tuple[Future[Rehearsed], ...]) -> tuple[Rehearsed, ...]:
    """Wait for all of them, come what may: each clears away its own things, and the snapshot goes after them."""
    try:
        wait(futures)
    except KeyboardInterrupt:
        for each in futures:
            each.cancel()
        wait(futures)
        raise
    return tuple(each.result() for each in futures)


def _one(candidate: Candidate, wanted: Wanted, shared: Scene, original: Original) -> Rehearsed:
    session, plan = candidate.session, candidate.plan
    if session.interrupted():
        raise Interrupted("interrupted", "The rehearsal was interrupted.")
    began = session.clock.monotonic()
    scene = guest_scene(plan, shared)
    try:
        with on_stage(session, scene):
            play = Play(session, candidate.world, plan, wanted.options, candidate.ears, scene, original)
            seen, played = play.forward()
            ended = seen if played is None or wanted.quick else played.taken_back(seen)
    except (EngineUnreachable, OutcomeUnknown):
        raise
    except (Refused, VaultError, EngineError) as no:
        ended = _could_not(plan, session.now(), no)
    return kept_result(session, ended, began)


def _could_not(plan: Plan, at: str, no: RefloatError) -> Rehearsed:
    return unplayed(plan, at).model_copy(update={"code": no.code, "why": no.what})
