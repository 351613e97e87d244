"""The rehearsal: the plan carried out on copies by the same executor, then taken back; it stops nothing of the user's.

Its result is kept in REFLOAT_HOME, so that ``apply --rehearsed`` can insist on one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from runner.errors import Interrupted, Refused
from runner.evidence import Finding
from runner.facts import Container
from runner.fitness import health_terms, readings_from
from runner.health import NotProven, probe_once, prove_health
from runner.isolation import Props, aliases_of, isolated
from runner.measure import read_evidence, settle_evidence
from runner.outcome import Outcome
from runner.papercheck import check_on_paper
from runner.plan import Plan
from runner.planner import plan_upgrade, target_spec
from runner.played import Played, successor_of
from runner.probes.prober import close_probers
from runner.progress import found_by
from runner.quoting import quoted_lines
from runner.records import End, Wish
from runner.rehearsal import Rehearsed, Scene, clonable, new_trouble, other_steps, scene_from
from runner.rehearsals import save_result
from runner.session import Session
from runner.spec import ContainerSpec
from runner.staging import (
    make_clones,
    make_stand_in,
    on_stage,
    rehearsals_folder,
    strike_left,
    take_snapshot,
)  # fmt: skip
from runner.steps.nouns import HealthTerms, ImageHealth, Reading
from runner.survey import look_around
from runner.vault.port import Room, VaultPlace
from runner.way import Options, recipe_of
from runner.world import World

SHOWN_LINES = 20


@dataclass(frozen=True)
class Wanted:
    """How to rehearse."""

    options: Options
    quick: bool = False
    """Leave the way back out."""
    snapshot: str = ""
    """The run whose snapshot is played on; empty takes a new one."""
    marks: Mapping[str, str] = field(default_factory=dict)
    """More labels for everything that is made, so that others can clear it away, too."""


@dataclass(frozen=True)
class Ears:
    """Who listens: to what is being done, and to the plan whose records come next."""

    tell: Callable[[str], None]
    follow: Callable[[Plan], None]


def rehearse(session: Session, world: World, plan: Plan, wanted: Wanted, ears: Ears) -> Rehearsed:
    """Play the plan on copies; the result is kept. Refused, Busy and Interrupted where there is none."""
    began = session.clock.monotonic()
    try:
        with upgraded_copy(session, world, plan, wanted, ears) as (seen, play):
            played = seen if play is None or wanted.quick else play.taken_back(seen)
    except Interrupted:
        stands = "All that was made for it is gone."
        raise Interrupted("interrupted", "The rehearsal was interrupted.", stands) from None
    return kept_result(session, played, began)


def kept_result(session: Session, played: Rehearsed, began: float) -> Rehearsed:
    """Write down what came of a rehearsal that began at this reading of the session's monotonic clock."""
    result = played.model_copy(update={"at": session.now(), "total_s": round(session.clock.monotonic() - began, 3)})
    save_result(session, result)
    return result


@contextmanager
def upgraded_copy(session: Session, world: World, plan: Plan, wanted: Wanted,
                  ears: Ears) -> Iterator[tuple[Rehearsed, Played | None]]:  # fmt: skip
    """Play the plan forward on copies and leave the new version running there until the block ends.

    The second of the two is None where the new version does not stand; then the first says why.
    """
    strike_left(session)
    snapshot = _snapshot(session, plan, wanted.snapshot) if wanted.snapshot else None
    scene = scene_from(plan, clonable(world.sources, world.measured), snapshot, dict(wanted.marks))
    with on_stage(session, scene):
        yield _Play(session, world, plan, wanted, ears, scene).forward()


def _snapshot(session: Session, plan: Plan, run: str) -> Room:
    """A sealed snapshot of this very target; Refused ``no-such-snapshot``, ``other-mounts``."""
    place: VaultPlace = plan.room.place
    rooms = (seen.room for seen in session.vault.rooms(place) if seen.sealed and seen.room.target == plan.target)
    room = next((room for room in rooms if room.run == run), None)
    if room is None:
        what = f"There is no snapshot of {plan.target} by run {run} in {place.volume or place.path}."
        raise Refused("no-such-snapshot", what, then="List them: refloat ls --snapshots")
    try:
        sealed = session.vault.sealed(room)
    finally:
        session.vault.close(run)
    if sealed.sources != plan.sources:
        raise Refused("other-mounts", f"The snapshot of run {run} is of other mounts than {plan.target} has now.")
    return room


@dataclass(frozen=True)
class _Play:
    """One rehearsal at work."""

    session: Session
    world: World
    plan: Plan
    wanted: Wanted
    ears: Ears
    scene: Scene

    def forward(self) -> tuple[Rehearsed, Played | None]:
        """Set the scene, settle the old version on it, play."""
        spec = target_spec(self.world, self.wanted.options.keep_env)
        props = Props(self.scene.network, aliases_of(spec), self.scene.clones, self.scene.sources)
        copy = isolated(spec, self.world.target, props)
        terms, readings = self._old_terms(spec), self._readings
        before = {} if self.scene.borrowed else self._read(self.world.target, readings)
        paused_s = self._take_snapshot()
        self.ears.tell("clones and an isolated stand-in of the old version")
        clones = make_clones(self.session, self.scene)
        stand_in = make_stand_in(self.session, self.scene, self.world, copy)
        so_far = self._nothing_yet(paused_s, clones, copy.taken)
        try:
            self.ears.tell("the old version settles on the copy")
            settle_s = self._prove(stand_in, terms)
        except NotProven as bad:
            why = f"The old version does not come up on a copy of its data: {bad.what}"
            return so_far.model_copy(update={"code": "not-settled", "why": why, "log": bad.log}), None
        drift = self._compared(stand_in, readings, before)
        words = tuple(finding.sentence for finding in drift if not finding.ok)
        return self._played(so_far.model_copy(update={"settle_s": settle_s, "drift": words}), stand_in, readings)

    @property
    def _readings(self) -> tuple[Reading, ...]:
        """What the same version must answer the same."""
        recipe = recipe_of(self.world)
        return tuple(one for one in readings_from(recipe) if one.rule != "goal_version") if recipe else ()

    def _nothing_yet(self, paused_s: float | None, clones: str, taken: tuple[str, ...]) -> Rehearsed:
        plan = self.plan
        return Rehearsed(
            run=plan.run,
            target=plan.target,
            at=self.session.now(),
            old=plan.old.spoken,
            new=plan.new.spoken,
            new_ref=plan.new.image_ref,
            expectations=plan.expectations,
            paused_s=paused_s,
            clones=clones,
            taken=taken,
        )

    def _take_snapshot(self) -> float | None:
        if self.scene.borrowed or not self.scene.sources:
            return None
        self.ears.tell("a snapshot; the target stands still for what changed meanwhile")
        with self.session.holding(self.plan):
            return take_snapshot(self.session, self.scene, self.world.target)

    def _old_terms(self, spec: ContainerSpec) -> HealthTerms:
        """What the target itself answers now is what its copy must answer; untouched, what is asked of everybody."""
        options = self.wanted.options
        terms = health_terms(spec.config, self.world.old_image.config, recipe_of(self.world), probes=options.probes,
                             deadline_s=options.deadline_s, dwell_s=options.dwell_s)  # fmt: skip
        if self.scene.borrowed:
            mine = set(options.probes)
            probes = tuple(p for p in terms.probes if isinstance(p, ImageHealth) or not (p.if_before or p in mine))
        else:
            answered = probe_once(self.session.engine, self.world.target, terms, self.scene.run)
            probes = tuple(probe for probe in terms.probes if probe.spoken in answered)
        return terms.model_copy(update={"probes": probes, "danger": (), "dwell_s": min(terms.dwell_s, 2.0)})

    def _prove(self, container: Container, terms: HealthTerms) -> float:
        session = self.session
        proven = prove_health(session.engine, session.clock, lambda: session.engine.container(container.id), terms,
                              run=self.scene.run, interrupted=session.interrupted)  # fmt: skip
        return proven.ready_after_s

    def _read(self, container: Container, readings: tuple[Reading, ...]) -> dict[str, str]:
        found = read_evidence(self.session.engine, container, readings, self.scene.run)
        close_probers(self.session.engine, self.scene.run)
        return found

    def _compared(self, container: Container, readings: tuple[Reading, ...],
                  before: dict[str, str]) -> tuple[Finding, ...]:  # fmt: skip
        session = self.session
        return settle_evidence(session.engine, session.clock, container, readings, before, "", run=self.scene.run,
                               interrupted=session.interrupted)  # fmt: skip

    def _played(self, so_far: Rehearsed, stand_in: Container,
                readings: tuple[Reading, ...]) -> tuple[Rehearsed, Played | None]:  # fmt: skip
        """The plan on the copy, from the planner to the verdict."""
        played, look = self._plan_on(stand_in)
        other = other_steps(self.plan, played, cloned=bool(self.scene.clones) or not self.plan.sources)
        if other:
            why = f"The copy needs other steps than {self.plan.target}: {other}"
            return so_far.model_copy(update={"code": "other-steps", "why": why}), None
        check_on_paper(played, look)
        settled = self._read(stand_in, readings)
        said = self.session.engine.logs(stand_in.id)
        inner = replace(self.session, home=rehearsals_folder(self.session.home) / self.scene.run)
        inner.runs.begin(played, {"plan.json": played.to_json()})
        self.ears.follow(played)
        forward = inner.carry_out(played, Wish.FORWARD)
        if forward.code == "interrupted":
            raise Interrupted("interrupted", "The rehearsal was interrupted.")
        seen = so_far.model_copy(update=self._seen(inner, played, forward, said))
        if forward.end is not End.NEW:
            return seen, None
        return seen, Played(inner, played, stand_in, readings, settled)

    def _plan_on(self, stand_in: Container) -> tuple[Plan, World]:
        session, world = self.session, self.world
        close_probers(session.engine, self.scene.run)  # who lives in the copy's network would be in the plan's way
        named = stand_in.model_copy(update={"image_ref": world.target.image_ref})
        look = look_around(session.engine, session.vault, named, world.new_image, world.new_ref, world.place,
                           measure=True)  # fmt: skip
        options = self.wanted.options.model_copy(update={"hold": True})
        plan = plan_upgrade(look, options, self.scene.play, session.now())
        return plan.model_copy(update={"verb": "rehearsal"}), look

    def _seen(self, inner: Session, played: Plan, forward: Outcome, said: str) -> dict[str, object]:
        records = inner.runs.records(played.run)
        found = found_by(played, records, "compare-evidence").get("findings")
        ready_s = found_by(played, records, "prove-health").get("ready_after_s")
        passed = forward.end is End.NEW
        return {
            "passed": passed,
            "code": forward.code,
            "why": forward.why,
            "log": forward.log,
            "downtime_s": forward.downtime_s if passed else None,
            "ready_s": ready_s if isinstance(ready_s, float) else None,
            "evidence": tuple(Finding.model_validate(one) for one in found) if isinstance(found, list) else (),
            "new_lines": self._new_lines(inner, played, said) if passed else (),
        }

    def _new_lines(self, inner: Session, played: Plan, said: str) -> tuple[str, ...]:
        successor = successor_of(inner, played)
        lines = new_trouble(said, self.session.engine.logs(successor.id))
        return quoted_lines("\n".join(lines[:SHOWN_LINES]), successor, SHOWN_LINES)
