"""A path played on one copy: each hop on the data the one before left, then back to the start; it touches no target."""

from __future__ import annotations

from dataclasses import dataclass, replace

from runner.errors import EngineUnreachable, OutcomeUnknown, RefloatError
from runner.facts import Container
from runner.papercheck import check_on_paper
from runner.plan import Plan
from runner.planner import plan_rollback
from runner.played import Played, not_back
from runner.playing import Play
from runner.probes.prober import close_probers
from runner.records import End, Wish
from runner.rehearsal import Rehearsed, unplayed
from runner.rehearsed_path import HopTo, along
from runner.survey import look_around


@dataclass(frozen=True)
class PlayedOn:
    """The last version of a path standing on the copy, and every hop on the way to it."""

    hops: tuple[Played, ...]

    @property
    def last(self) -> Played:
        """The hop whose verdict is still open."""
        return self.hops[-1]

    @property
    def successor(self) -> Container:
        """The new version on the copy."""
        return self.last.successor

    def taken_back(self, seen: Rehearsed) -> Rehearsed:
        """Undo the last hop, then go back over all others at once, as ``rollback`` of the first would."""
        undone = self.last.taken_back(seen)
        return undone if undone.rolled_back is not True or len(self.hops) == 1 else self._to_start(undone)

    def _to_start(self, seen: Rehearsed) -> Rehearsed:
        first, session = self.hops[0], self.last.session
        try:
            plan = self._way_to_start()
            session.runs.begin(plan, {"plan.json": plan.to_json()})
            end = session.carry_out(plan, Wish.FORWARD)
        except (EngineUnreachable, OutcomeUnknown):
            raise
        except RefloatError as no:
            return not_back(seen, f"The last hop was undone, but nothing leads further back: {no.what}")
        if end.end is not End.NEW:
            return not_back(seen, f"The last hop was undone, but not the others: {end.why or 'it was left open'}")
        return first.answers_as_before(seen, session.engine.container(plan.target))

    def _way_to_start(self) -> Plan:
        first, last = self.hops[0], self.last
        session = last.session
        close_probers(session.engine, last.plan.run)
        image = session.engine.image(first.plan.old.image_id)
        here = session.engine.container(last.plan.target)
        world = look_around(session.engine, session.vault, here, image, first.plan.old.image_ref, last.plan.place,
                            measure=True)  # fmt: skip
        options = last.options.model_copy(update={"hold": False})
        plan = plan_rollback(world, first.plan, options, f"{first.plan.run}-back", session.now())
        check_on_paper(plan, world)
        return plan.model_copy(update={"verb": "rehearsal"})


def play_on(play: Play, first: tuple[Rehearsed, Played | None],
            hops: tuple[HopTo, ...]) -> tuple[Rehearsed, PlayedOn | None]:  # fmt: skip
    """Play the hops that follow the first; each is accepted before the next one, as ``apply`` does it."""
    seen, played = first
    results, standing = [seen], [played] if played else []
    for hop, run in zip(hops, play.scene.plays[1:], strict=False):
        if played is None:
            break
        play.ears.tell(f"hop {len(results) + 1} of {len(hops) + 1}: {hop.ref}")
        seen, played = _next(play, played, hop, run)
        results.append(seen)
        standing += [played] if played else []
    if not hops:
        return seen, PlayedOn(tuple(standing)) if standing else None
    return along(tuple(results), hops), PlayedOn(tuple(standing)) if played else None


def _next(play: Play, before: Played, hop: HopTo, run: str) -> tuple[Rehearsed, Played | None]:
    """One more hop; what refuses to plan it fails it."""
    before.session.commit(before.plan)
    here = before.successor
    world = play.world.model_copy(update={"target": here, "new_image": hop.image, "new_ref": hop.ref})
    further = replace(play, world=world)
    try:
        plan, look = further.plan_on(here, run)
    except (EngineUnreachable, OutcomeUnknown):
        raise
    except RefloatError as no:
        return _unplannable(play, before, hop, no), None
    so_far = unplayed(plan, play.session.now()).model_copy(update={"run": play.plan.run, "target": play.plan.target})
    return further.carried_out(plan, look, so_far, here)


def _unplannable(play: Play, before: Played, hop: HopTo, no: RefloatError) -> Rehearsed:
    reached = before.plan.new.spoken
    told = {"old": reached, "new": hop.image.version or hop.ref, "new_ref": hop.ref, "code": no.code, "why": no.what}
    return unplayed(play.plan, play.session.now()).model_copy(update=told)
