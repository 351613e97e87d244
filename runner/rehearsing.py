"""The rehearsal: the plan carried out on copies by the same executor, then taken back; it stops nothing of the user's.

Its result is kept in REFLOAT_HOME, so that ``apply --rehearsed`` can insist on one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

from runner.backups import MARK, clear_left_backups
from runner.errors import Interrupted, NotFound, Refused
from runner.fitness import health_terms, readings_from
from runner.health import probe_once
from runner.isolation import shown_mounts
from runner.labels import may_be_run
from runner.options import Options
from runner.parts import target_spec
from runner.plan import Plan
from runner.played import read_settled
from runner.playing import Ears, Original, Play
from runner.playing_on import PlayedOn, play_on
from runner.rehearsal import Belongings, Rehearsed, Scene, scene_from
from runner.rehearsals import save_result
from runner.rehearsed_path import HopTo
from runner.session import Session
from runner.staging import on_stage, strike_left, take_snapshot
from runner.steps.nouns import HealthTerms, ImageHealth, Reading
from runner.vault.archive_port import Archive, ArchivePort
from runner.vault.port import Room, Source, VaultError, VaultPlace
from runner.way import recipe_of
from runner.world import World

__all__ = ["Ears", "Packed", "Wanted", "is_snapshot_of", "kept_result", "look_at_original", "named_snapshot",
           "no_such_snapshot", "original_of", "rehearse", "upgraded_copy"]  # fmt: skip

SETTLED_S = 0.5
"""How long the old version must stay up on the copy; nothing is decided by it but that it can be stopped then."""
INTERRUPTED = "All that was made for it is gone."
"""Where things stand then."""


@dataclass(frozen=True)
class Packed:
    """An archive to play on, and who can unpack it."""

    archives: ArchivePort
    archive: Archive


@dataclass(frozen=True)
class Wanted:
    """How to rehearse."""

    options: Options
    quick: bool = False
    """Leave the way back out."""
    snapshot: str = ""
    """The run whose snapshot is played on; empty takes a new one."""
    packed: Packed | None = None
    """The archive that is played on instead."""
    hops: tuple[HopTo, ...] = ()
    """Where one upgrade may not go straight to the goal: the hops after the one the plan is for."""
    typed: str = ""
    """Of a stack: what was typed besides its name to say where it shall go."""

    @property
    def untouched(self) -> bool:
        """Whether the target is left alone: neither paused nor asked anything."""
        return bool(self.snapshot or self.packed)


def rehearse(session: Session, world: World, plan: Plan, wanted: Wanted, ears: Ears) -> Rehearsed:
    """Play the plan on copies; the result is kept. Refused, Busy and Interrupted where there is none."""
    began = session.clock.monotonic()
    try:
        beside = not wanted.quick and not wanted.hops
        with upgraded_copy(session, world, plan, wanted, ears, beside=beside) as (seen, play):
            result = kept_result(session, seen if play is None or wanted.quick else play.taken_back(seen), began)
            ears.tell(f"{'passed' if result.passed else 'failed'} after {result.total_s:.1f} s; now clears away")
    except Interrupted:
        raise Interrupted("interrupted", "The rehearsal was interrupted.", INTERRUPTED) from None
    return result


def kept_result(session: Session, played: Rehearsed, began: float) -> Rehearsed:
    """Write down what came of a rehearsal that began at this reading of the session's monotonic clock."""
    result = played.model_copy(update={"at": session.now(), "total_s": round(session.clock.monotonic() - began, 3)})
    save_result(session, result)
    return result


@contextmanager
def upgraded_copy(session: Session, world: World, plan: Plan, wanted: Wanted, ears: Ears, *,
                  beside: bool = False) -> Iterator[tuple[Rehearsed, PlayedOn | None]]:  # fmt: skip
    """Play the plan forward on copies and leave the new version running there until the block ends.

    ``beside``: the way back follows at once, so the old version may already come up beside the new one. The second
    of the two is None where the new version does not stand; then the first says why.
    """
    if plan.is_stack:
        others = ", ".join(member.target for member in plan.members if member.target != plan.target)
        what = f"{plan.target} goes with {others}: they are rehearsed to one version at a time, and over no stops."
        raise Refused("stack-rehearsal", what, then=f"refloat rehearse {plan.target} --to VERSION")
    if world.target.state.paused:
        what = f"{plan.target} is paused, and it would have to be woken up to be looked at."
        then = f"docker unpause {plan.target}, or rehearse on a snapshot: refloat rehearse {plan.target} --from RUN"
        raise Refused("paused", what, then=then)
    strike_left(session)
    clear_left_backups(session)
    snapshot = named_snapshot(session, plan, wanted.snapshot) if wanted.snapshot else None
    scene = scene_from(plan, belongings(world), snapshot, len(wanted.hops) + 1)
    with on_stage(session, scene):
        original = look_at_original(session, world, plan, scene, wanted, ears.tell)
        play = Play(session, world, plan, wanted.options, ears, scene, original, beside)
        yield play_on(play, play.forward(), wanted.hops)


def belongings(world: World) -> Belongings:
    """What of the target's a copy gets one of its own of."""
    files = tuple(each.key for each in world.measured if each.is_file)
    return Belongings(sources=world.sources, files=files, shown=shown_mounts(world.target, world.sources))


def named_snapshot(session: Session, plan: Plan, run: str) -> Room:
    """A sealed snapshot of this very target, its tools at hand; Refused ``no-such-snapshot``, ``other-mounts``.

    A backup's is known by the run that the backup said.
    """
    for each in (run, f"{run}{MARK}"):
        room = Room(place=plan.place, target=plan.target, run=each)
        if is_snapshot_of(session, room, plan.sources):
            return room  # whoever plays on it needs the tools, and puts them away
    raise no_such_snapshot(plan.target, run, plan.place)


def is_snapshot_of(session: Session, room: Room, sources: tuple[Source, ...]) -> bool:
    """Whether a sealed snapshot is there, its tools at hand then; Refused ``other-mounts`` where it is of others."""
    if not may_be_run(room.run) or not _is_there(session, room.place):
        return False
    try:
        found = session.vault.sealed(room).sources
    except VaultError as no:
        session.vault.close(room.run)
        if no.code in ("unsealed", "no-path", "bad-name"):
            return False
        raise
    if found != sources:
        session.vault.close(room.run)
        what = f"The snapshot of run {room.run} is of other mounts than {room.target} has now."
        raise Refused("other-mounts", what)
    return True


def no_such_snapshot(targets: str, run: str, place: VaultPlace) -> Refused:
    """Nothing of these is kept under this run."""
    what = f"There is no snapshot of {targets} by run {run} in {place.volume or place.path}."
    return Refused("no-such-snapshot", what, then="List them: refloat ls --snapshots")


def _is_there(session: Session, place: VaultPlace) -> bool:
    """Whether there is a vault: asking it would make one."""
    try:
        return bool(place.path or session.engine.volume(place.volume))
    except NotFound:
        return False


def look_at_original(session: Session, world: World, plan: Plan, scene: Scene, wanted: Wanted,
                     tell: Callable[[str], None]) -> Original:  # fmt: skip
    """Ask the target, unless it is to be left alone, and take its snapshot, unless there is one or an archive.

    Refused ``no-data``, and VaultError where the archive is damaged, foreign or not there.
    """
    original = original_of(session, world, scene.run, wanted.options, untouched=wanted.untouched)
    if wanted.packed:
        _unpack(scene, wanted.packed, tell)
        return original
    if scene.borrowed or not scene.sources:
        return original
    tell("a snapshot; the target stands still for what changed meanwhile")
    with session.holding(plan):
        return replace(original, paused_s=take_snapshot(session, scene, world.target))


def _unpack(scene: Scene, packed: Packed, tell: Callable[[str], None]) -> None:
    """Make the archive the snapshot that is played on; it goes with the scene."""
    if not scene.sources:
        raise Refused("no-data", f"{scene.target} has no data that an archive could stand for.")
    tell(f"unpack {packed.archive.spoken}; the target is left alone")
    packed.archives.bring_in(packed.archive, scene.room, scene.sources)


def original_of(session: Session, world: World, run: str, options: Options, *, untouched: bool) -> Original:
    """What the target itself answers now is what its copy must answer; untouched, what is asked of everybody."""
    terms, readings = _old_terms(world, options), _readings(world, options)
    if untouched:
        mine = set(options.probes)
        probes = tuple(p for p in terms.probes if isinstance(p, ImageHealth) or not (p.if_before or p in mine))
        return Original(terms.model_copy(update={"probes": probes}), readings, {}, None)
    answered = probe_once(session.engine, world.target, terms, run)
    probes = tuple(probe for probe in terms.probes if probe.spoken in answered)
    evidence = read_settled(session, world.target, readings, run)
    return Original(terms.model_copy(update={"probes": probes}), readings, evidence, None)


def _old_terms(world: World, options: Options) -> HealthTerms:
    spec = target_spec(world, options.keep_env)
    terms = health_terms(spec.config, world.old_image.config, recipe_of(world), probes=options.probes,
                         deadline_s=options.deadline_s, dwell_s=options.dwell_s)  # fmt: skip
    return terms.model_copy(update={"danger": (), "dwell_s": min(terms.dwell_s, SETTLED_S)})


def _readings(world: World, options: Options) -> tuple[Reading, ...]:
    """What the same version must answer the same."""
    recipe = recipe_of(world)
    every = (*(readings_from(recipe) if recipe else ()), *options.readings)
    return tuple(one for one in every if one.rule != "goal_version")
