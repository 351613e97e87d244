"""One plan played on copies: the old version settles, the new one comes, the way back; it never touches the target."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from runner.configuration import papers_of_texts, with_refresh
from runner.errors import Interrupted
from runner.evidence import Finding
from runner.facts import Container
from runner.figures import figures, verdict
from runner.health import NotProven
from runner.isolation import Isolated, Props, StandsFor, aliases_of, isolated
from runner.options import Options
from runner.papercheck import check_on_paper
from runner.parts import target_spec
from runner.plan import Plan
from runner.planner import plan_upgrade
from runner.played import Played, compared, read_settled, see_up
from runner.probes.prober import close_probers
from runner.records import End, Wish
from runner.rehearsal import Rehearsed, Scene, other_steps, unplayed
from runner.session import Session
from runner.spec import image_differences
from runner.staging import make_clones, make_stand_in, rehearsals_folder, stand_ins
from runner.steps.nouns import HealthTerms, Reading
from runner.survey import look_around
from runner.twin import Twin, is_worth_it
from runner.way import recipe_of
from runner.world import World

SHOWN_LINES = 20


@dataclass(frozen=True)
class Ears:
    """Who listens: to what is being done, and to the plan whose records come next."""

    tell: Callable[[str], None]
    follow: Callable[[Plan], None]


@dataclass(frozen=True)
class Original:
    """What the copy is measured by: what the target answers, and how long it stood still for the snapshot."""

    terms: HealthTerms
    readings: tuple[Reading, ...]
    evidence: dict[str, str]
    paused_s: float | None


@dataclass(frozen=True)
class Play:
    """One rehearsal at work."""

    session: Session
    world: World
    plan: Plan
    options: Options
    ears: Ears
    scene: Scene
    original: Original
    beside: bool = False
    """Whether the old version may show beside the new one that it comes up on the snapshot."""

    def forward(self) -> tuple[Rehearsed, Played | None]:
        """Set the scene, settle the old version on it, play; no ``Played`` where the new version does not stand."""
        self.ears.tell("clones and an isolated stand-in of the old version")
        clones = make_clones(self.session, self.scene)
        things = stand_ins(self.session, self.scene)
        copy = self._isolated(self.scene.network, things)
        stand_in = make_stand_in(self.session, self.scene, self.world, copy)
        so_far = self._nothing_yet(clones, copy)
        try:
            self.ears.tell("the old version settles on the copy")
            settle_s = self._prove(stand_in)
        except NotProven as bad:
            why = f"The old version does not come up on a copy of its data: {bad.what}"
            return so_far.model_copy(update={"code": "not-settled", "why": why, "log": bad.log}), None
        drift = self._compared(stand_in)
        words = tuple(finding.sentence for finding in drift if not finding.ok)
        settled = so_far.model_copy(update={"settle_s": settle_s, "drift": words})
        return self._played(settled, stand_in, tuple(each for each in things if each.read_only))

    def _isolated(self, network: str, things: tuple[StandsFor, ...]) -> Isolated:
        spec = target_spec(self.world, self.options.keep_env)
        recipe = recipe_of(self.world)
        props = Props(network, aliases_of(spec), things, self.world.space.free_memory_bytes,
                      variables=recipe.rehearsal.env if recipe else {})  # fmt: skip
        return isolated(spec, self.world.target, props)

    def _twin(self, shown: tuple[StandsFor, ...]) -> Twin:
        network = self.scene.twin_network
        return Twin(self.session, self.scene, self.world, lambda data: self._isolated(network, (*data, *shown)))

    def _nothing_yet(self, clones: str, copy: Isolated) -> Rehearsed:
        differences = image_differences(self.world.old_image, self.world.new_image)
        hosts = tuple(f"its hook “{each.argv[0]}” on the host" for each in self.options.hooks if each.where == "host")
        known = {
            "paused_s": self.original.paused_s,
            "clones": clones,
            "taken": (*copy.taken, *dict.fromkeys(hosts)),
            "limits": copy.limits,
            "image_differences": differences,
        }
        return unplayed(self.plan, self.session.now()).model_copy(update=known)

    def _prove(self, container: Container) -> float:
        return see_up(self.session, container, self.original.terms, self.scene.run).ready_after_s

    def _compared(self, container: Container) -> tuple[Finding, ...]:
        original = self.original
        return compared(self.session, container, original.readings, original.evidence, self.scene.run)

    def _played(self, so_far: Rehearsed, stand_in: Container,
                shown: tuple[StandsFor, ...]) -> tuple[Rehearsed, Played | None]:  # fmt: skip
        """The plan on the copy, from the planner to the verdict."""
        plan, look = self.plan_on(stand_in, self.scene.play)
        other = other_steps(self.plan, plan)
        if other:
            why = f"The copy needs other steps than {self.plan.target}: {other}"
            return so_far.model_copy(update={"code": "other-steps", "why": why}), None
        return self.carried_out(plan, look, so_far, stand_in, self._twin(shown) if self.beside else None)

    def carried_out(self, plan: Plan, look: World, so_far: Rehearsed, stand_in: Container,
                    twin: Twin | None = None) -> tuple[Rehearsed, Played | None]:  # fmt: skip
        """Carry out a plan that was made for the copy, and see what it did; ``look`` is the copy before."""
        check_on_paper(plan, look)
        engine, readings = self.session.engine, self.original.readings
        settled = read_settled(self.session, stand_in, readings, self.scene.run)
        used, said = engine.usage(stand_in.id), engine.logs(stand_in.id)
        inner = replace(self.session, home=rehearsals_folder(self.session.home) / self.scene.run)
        if twin and is_worth_it(so_far.settle_s or 0, used, look.space.free_memory_bytes):
            inner = twin.heard_by(inner)
        inner.runs.begin(plan, {"plan.json": plan.to_json(), **papers_of_texts(plan, self.options.texts)})
        self.ears.follow(plan)
        forward = inner.carry_out(plan, Wish.FORWARD)
        if forward.code == "interrupted":
            raise Interrupted("interrupted", "The rehearsal was interrupted.")
        seen = so_far.model_copy(update={**verdict(inner, plan, forward), "used_before": used})
        if forward.end is not End.NEW:
            return seen, None
        played = Played(inner, plan, stand_in, self.original.terms, readings, settled, self._options_here,
                        twin)  # fmt: skip
        return seen.model_copy(update=figures(played, self.plan, look, said, seen)), played

    @property
    def _options_here(self) -> Options:
        """As for the target, but the verdict stays open until it was looked at, and nobody beyond hears of it."""
        hooks = tuple(each for each in self.options.hooks if each.where != "host")
        return self.options.model_copy(update={"hold": True, "hooks": hooks, "silence": ()})

    def plan_on(self, stand_in: Container, run: str) -> tuple[Plan, World]:
        """The plan for the copy as it stands, and what it looked like."""
        session, world = self.session, self.world
        close_probers(session.engine, self.scene.run)  # who lives in the copy's network would be in the plan's way
        named = as_settled(stand_in, world.target)
        look = look_around(session.engine, session.vault, named, world.new_image, world.new_ref, world.place,
                           measure=True, run=run)  # fmt: skip
        look = with_refresh(session.vault, look, self.options).model_copy(update={"tags": world.tags})
        plan = plan_upgrade(look, self._options_here, run, session.now())
        return plan.model_copy(update={"verb": "rehearsal"}), look


def as_settled(stand_in: Container, target: Container) -> Container:
    """A copy as the planner is to see it: under its image's name, and well, for that was proven.

    The engine itself may say only much later whether it is healthy.
    """
    state = stand_in.state.model_copy(update={"health": None})
    return stand_in.model_copy(update={"image_ref": target.image_ref, "state": state})
