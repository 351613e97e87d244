"""The plan of a stack played on copies of all its members, one after another proven; it never touches the members."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from runner.configuration import papers_of_texts, with_refresh
from runner.errors import Interrupted
from runner.facts import Container
from runner.health import NotProven
from runner.isolation import Isolated, StandsFor, isolated, network_body
from runner.options import Options
from runner.papercheck import check_on_paper
from runner.plan import Plan
from runner.played import compared, read_settled, see_up
from runner.playing import Ears, Original, as_settled
from runner.probes.prober import close_probers
from runner.records import End, Wish
from runner.rehearsal import Rehearsed, Scene, other_steps
from runner.rehearsed_stack import unplayed_member, unplayed_stack
from runner.session import Session
from runner.stack_figures import MemberPlayed, StackPlayed, seen_of_stack, stack_verdict
from runner.stack_planner import Wanted, plan_stack
from runner.stack_scene import Cast, props_of
from runner.staging import make_clones, place_stand_in, rehearsals_folder, stand_ins
from runner.survey import look_around
from runner.way import recipe_of


@dataclass(frozen=True)
class Part:
    """One member: how it is meant, what is made for it, and what its copy is measured by."""

    cast: Cast
    wanted: Wanted
    scene: Scene
    original: Original

    @property
    def runs(self) -> bool:
        """Whether it runs; one at rest stays at rest, on the copy too."""
        return self.cast.world.target.state.alive


@dataclass(frozen=True)
class Copy:
    """One member's old version on the stage."""

    part: Part
    container: Container
    seen: Rehearsed
    settled: dict[str, str] = field(default_factory=dict)
    """What it answered there."""


@dataclass(frozen=True)
class StackPlay:
    """The rehearsal of a stack at work; ``parts`` are in the order in which they are started."""

    session: Session
    plan: Plan
    options: Options
    ears: Ears
    scene: Scene
    parts: tuple[Part, ...]
    paused_s: float | None

    def forward(self) -> tuple[Rehearsed, StackPlayed | None]:
        """Set the scene, settle the old versions on it, play; no ``StackPlayed`` where the new ones do not stand."""
        self.ears.tell("clones and isolated stand-ins of the old versions")
        clones = tuple(dict.fromkeys(how for part in self.parts if (how := make_clones(self.session, part.scene))))
        so_far = unplayed_stack(self.plan, self.session.now(), self.paused_s, clones)
        for network in self.scene.networks.values():
            self.session.engine.create_network(network, network_body(self.scene.labels))
        self.ears.tell("the old versions settle on the copies, one after another")
        copies: tuple[Copy, ...] = ()
        for part, copy in zip(self.parts, self._isolated(), strict=True):
            try:
                copies = (*copies, self._settled(part, copy))
            except NotProven as bad:
                why = f"The old version of {part.scene.target} does not come up on a copy of its data: {bad.what}"
                return so_far.model_copy(update={"code": "not-settled", "why": why, "log": bad.log}), None
        return self._played(so_far, tuple(self._compared(copy) for copy in copies))

    def _isolated(self) -> tuple[Isolated, ...]:
        """What each copy may keep; data that several have is one clone for all of them."""
        things = tuple(stand_ins(self.session, part.scene) for part in self.parts)
        data = tuple(thing for each in things for thing in each if not thing.read_only)
        cast = tuple(part.cast for part in self.parts)

        def one(part: Part, own: tuple[StandsFor, ...]) -> Isolated:
            shown = tuple(thing for thing in own if thing.read_only)
            world, recipe = part.cast.world, recipe_of(part.cast.world)
            props = props_of(self.scene, cast, part.cast, (*data, *shown))
            with_env = replace(props, variables=recipe.rehearsal.env if recipe else {})
            return isolated(part.cast.spec, world.target, with_env)

        return tuple(one(part, own) for part, own in zip(self.parts, things, strict=True))

    def _settled(self, part: Part, copy: Isolated) -> Copy:
        """Start it, beside those that are proven already, and prove it; NotProven."""
        session = self.session
        self._refuse_interrupted()
        seen = unplayed_member(self.plan, part.cast.member, part.cast.world, part.wanted.options, copy)
        container = place_stand_in(session, part.scene, part.cast.world, copy, start=part.runs)
        if not part.runs:
            return Copy(part, container, seen)
        proven = see_up(session, container, part.original.terms, part.scene.run)
        return Copy(part, session.engine.container(container.id),
                    seen.model_copy(update={"settle_s": proven.ready_after_s}))  # fmt: skip

    def _compared(self, copy: Copy) -> Copy:
        """With where it answers otherwise than the member, and what it answers; all of them are up by now."""
        session, part = self.session, copy.part
        if not part.runs:
            return copy
        original, run = part.original, part.scene.run
        found = compared(session, copy.container, original.readings, original.evidence, run)
        drift = tuple(finding.sentence for finding in found if not finding.ok)
        settled = read_settled(session, copy.container, original.readings, run)
        return replace(copy, seen=copy.seen.model_copy(update={"drift": drift}), settled=settled)

    def _played(self, so_far: Rehearsed, copies: tuple[Copy, ...]) -> tuple[Rehearsed, StackPlayed | None]:
        """The plan on the copies, from the planner to the verdict."""
        told = so_far.model_copy(update={"members": tuple(copy.seen for copy in copies)})
        plan, looks = self._plan_on(copies)
        if other := other_steps(self.plan, plan):
            why = f"The copies need other steps than {self.plan.target}: {other}"
            return told.model_copy(update={"code": "other-steps", "why": why}), None
        check_on_paper(plan, *(look.world for look in looks))
        inner = replace(self.session, home=rehearsals_folder(self.session.home) / self.scene.run)
        members = tuple(
            MemberPlayed.before(inner, meant.cast.member, member, look.world, copy.container, meant.original.terms,
                                meant.original.readings, copy.settled)
            for meant, member, look, copy in zip(self.parts, plan.members, looks, copies, strict=True)
        )  # fmt: skip
        inner.runs.begin(plan, {"plan.json": plan.to_json(), **papers_of_texts(plan, self.options.texts)})
        self.ears.follow(plan)
        forward = inner.carry_out(plan, Wish.FORWARD)
        if forward.code == "interrupted":
            raise _interrupted()
        played = StackPlayed(inner, plan, members)
        seen = stack_verdict(played, forward, told)
        return (seen_of_stack(played, seen), played) if forward.end is End.NEW else (seen, None)

    def _plan_on(self, copies: tuple[Copy, ...]) -> tuple[Plan, tuple[Wanted, ...]]:
        """The plan for the copies as they stand, and what they looked like."""
        for copy in copies:
            close_probers(self.session.engine, copy.part.scene.run)
        looks = tuple(self._look_at(copy) for copy in copies)
        options = self.options.model_copy(update={"hold": True})
        plan = plan_stack(self.scene.stand_in, looks, options, self.scene.play, self.session.now())
        return plan.model_copy(update={"verb": "rehearsal"}), looks

    def _look_at(self, copy: Copy) -> Wanted:
        """A copy as one of the stack: it goes where its member goes, and nobody beyond hears of it."""
        session, part = self.session, copy.part
        world, wanted = part.cast.world, part.wanted
        hooks = tuple(each for each in wanted.options.hooks if each.where != "host")
        options = wanted.options.model_copy(update={"hooks": hooks, "silence": (), "at_rest": False})
        named = as_settled(copy.container, world.target)
        look = look_around(session.engine, session.vault, named, world.new_image, world.new_ref, world.place,
                           measure=True, run=part.scene.play)  # fmt: skip
        if not wanted.keeps:
            look = with_refresh(session.vault, look, options)
        look = look.model_copy(update={"tags": world.tags})
        return Wanted(world=look, options=options, recreated=wanted.recreated)

    def _refuse_interrupted(self) -> None:
        if self.session.interrupted():
            raise _interrupted()


def _interrupted() -> Interrupted:
    return Interrupted("interrupted", "The rehearsal was interrupted.")
