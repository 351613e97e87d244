"""The rehearsal of a stack: all members on clones of one moment, then all back; it stops nothing of the user's.

All are paused together for what changed since the warm copies, and wake up together.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from runner.backups import clear_left_backups
from runner.errors import Interrupted, Refused
from runner.labels import member_run, run_of
from runner.parts import target_spec
from runner.plan import Member, Plan
from runner.playing import Ears, Original
from runner.rehearsal import Rehearsed, Scene
from runner.rehearsing import INTERRUPTED, Wanted, is_snapshot_of, kept_result, no_such_snapshot, original_of
from runner.session import Session
from runner.stack_figures import StackPlayed
from runner.stack_planner import Wanted as MemberWanted
from runner.stack_playing import Part, StackPlay
from runner.stack_scene import Cast, stack_scene
from runner.staging import on_stage, pause_path, strike_left
from runner.stillness import copy_still, standing_still
from runner.vault.port import Room

Asked = tuple[MemberWanted, ...]


def rehearse_stack(session: Session, members: Asked, plan: Plan, wanted: Wanted, ears: Ears) -> Rehearsed:
    """Play the plan of a stack on copies; the result is kept. Refused, Busy and Interrupted where there is none."""
    began = session.clock.monotonic()
    try:
        with upgraded_stack(session, members, plan, wanted, ears) as (seen, played):
            seen = seen.model_copy(update={"typed": wanted.typed})
            ended = seen if played is None or wanted.quick else played.taken_back(seen)
            result = kept_result(session, ended, began)
            ears.tell(f"{'passed' if result.passed else 'failed'} after {result.total_s:.1f} s; now clears away")
    except Interrupted:
        raise Interrupted("interrupted", "The rehearsal was interrupted.", INTERRUPTED) from None
    return result


@contextmanager
def upgraded_stack(session: Session, members: Asked, plan: Plan, wanted: Wanted,
                   ears: Ears) -> Iterator[tuple[Rehearsed, StackPlayed | None]]:  # fmt: skip
    """Play the plan forward on copies and leave the new versions running there until the block ends.

    The second of the two is None where they do not stand; then the first says why. ``members`` are those of the plan,
    in its order.
    """
    _refuse_paused(members)
    strike_left(session)
    clear_left_backups(session)
    cast = tuple(
        Cast(member, each.world, target_spec(each.world, each.options.keep_env))
        for member, each in zip(plan.members, members, strict=True)
    )
    snapshots = _named_snapshots(session, plan, wanted.snapshot) if wanted.snapshot else {}
    scene = stack_scene(plan, cast, snapshots)
    with on_stage(session, scene):
        originals = tuple(
            _original(session, each, one, wanted) for each, one in zip(members, scene.members, strict=True)
        )
        paused_s = None if wanted.untouched else _take_snapshots(session, scene, cast, plan, ears)
        parts = tuple(map(Part, cast, members, scene.members, originals))
        play = StackPlay(session, plan, wanted.options, ears, scene, parts, paused_s)
        yield play.forward()


def _refuse_paused(members: Asked) -> None:
    if paused := [each.world.target.name for each in members if each.world.target.state.paused]:
        what = f"Of the stack {', '.join(paused)} is paused, and would have to be woken up to be looked at."
        raise Refused("paused", what, then=f"docker unpause {' '.join(paused)}")


def _original(session: Session, member: MemberWanted, scene: Scene, wanted: Wanted) -> Original:
    """What a member answers; nobody asks one that is at rest."""
    untouched = wanted.untouched or not member.world.target.state.alive
    return original_of(session, member.world, scene.run, member.options, untouched=untouched)


def _take_snapshots(session: Session, scene: Scene, cast: tuple[Cast, ...], plan: Plan, ears: Ears) -> float | None:
    """Copy the data of all; gives how long all stood still together for it, in seconds; None where there is no data.

    The last is paused first, as they are stopped: nobody is asked while what it needs stands still already.
    """
    shown = tuple((one, each.world.target) for one, each in zip(scene.members, cast, strict=True))
    copied = tuple((one, target) for one, target in shown if one.sources)
    if not copied:
        return None
    ears.tell("snapshots; all members stand still together for what changed meanwhile")
    with session.holding(plan):
        for one, _ in copied:
            session.vault.write_papers(one.room, {"rehearsal.json": scene.model_dump_json()}, one.sources)
            session.vault.warm_copy(one.room, one.sources)
        alive = tuple(target.id for _, target in reversed(shown) if target.state.alive)
        with standing_still(session, pause_path(session, scene.run), *alive):
            began = session.clock.monotonic()
            for one, target in copied:
                copy_still(session, one.room, one.sources, target)
        return round(session.clock.monotonic() - began, 3)


def _named_snapshots(session: Session, plan: Plan, run: str) -> Mapping[str, Room]:
    """The sealed snapshots of all members by an earlier run of this very stack, by target.

    Refused ``no-such-snapshot`` where one has none, ``other-mounts`` where one has other data now.
    """
    with_data = tuple((number, member) for number, member in enumerate(plan.members, 1) if member.sources)
    likely = ((member, _room(member, member_run(run, number))) for number, member in with_data)
    found = {member.target: room for member, room in likely if _is_kept(session, room, member)}
    if len(found) < len(with_data):  # only then: to list the whole vault takes long where much is kept
        found |= _listed(session, tuple(member for _, member in with_data if member.target not in found), run)
    if missing := [member.target for _, member in with_data if member.target not in found]:
        raise no_such_snapshot(", ".join(missing), run, plan.place)
    return found


def _listed(session: Session, members: tuple[Member, ...], run: str) -> dict[str, Room]:
    """Those that had another number in the stack then, or went alone."""
    kept = [seen.room for seen in session.vault.rooms(members[0].room.place) if run_of(seen.room.run) == run]
    rooms = ((member, room) for member in members for room in kept if room.target == member.target)
    return {member.target: room for member, room in rooms if _is_kept(session, room, member)}


def _room(member: Member, run: str) -> Room:
    return Room(place=member.room.place, target=member.target, run=run)


def _is_kept(session: Session, room: Room, member: Member) -> bool:
    try:
        return is_snapshot_of(session, room, member.sources)
    finally:
        session.vault.close(room.run)
