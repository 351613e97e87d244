"""The library's verbs: plan, apply, rollback, recover, commit; they choose which run, never which step."""

from __future__ import annotations

from dataclasses import dataclass

from runner.answers import Answer, read_answers
from runner.configuration import look_at_configuration, papers_of_texts
from runner.destination import settled_goal
from runner.displaced import displaced, in_place_of, plain_name
from runner.due_now import Due, due_between, due_in, refuse_undecided
from runner.errors import NotFound, Refused
from runner.facts import Container
from runner.goal import Goal, image_ref
from runner.inquiry import ask_checks
from runner.installed import side_now
from runner.looking import defined, keep_given, known_answers, look_at, refuse_open, survey_target
from runner.options import Options
from runner.outcome import Outcome
from runner.papercheck import check_on_paper
from runner.plan import Member, Plan, Side
from runner.planner import plan_rollback, plan_upgrade
from runner.records import End, Wish
from runner.recovery import (
    Open,
    lost_runs,
    open_runs,
    plan_of_stack_named,
    plan_of_successor,
    refuse_unexplained,
    resume_wish,
)
from runner.refusals import refuse_unready
from runner.session import Session
from runner.stack_planner import Wanted
from runner.stacking import Stack, look_at_stack, plan_of_stack, rollback_of_stack, stack_of_tenants
from runner.survey import look_around, planned_image
from runner.targets import find_target
from runner.vault.port import VaultPlace
from runner.way import recipe_of, repository, side
from runner.world import Refreshing, World, changed_since, expectations


@dataclass(frozen=True)
class RollbackOffer:
    """What a rollback would do: undo the open run (``plan`` is that run's), or carry out a new plan."""

    plan: Plan
    undoes: bool
    losing: str
    """In words: which writes will be lost."""
    closes: Plan | None = None
    """The open run whose verdict this closes: somebody else removed both of its versions."""


@dataclass(frozen=True)
class Refloat:
    """The verbs on one session."""

    session: Session

    def plan(self, target: str, goal: Goal, options: Options = Options(), place: VaultPlace = VaultPlace()) -> Plan:
        """Look and decide; a plan that cannot be undone from everywhere on paper is never given out."""
        return self.look(target, goal, options, place)[1]

    def look(self, target: str, goal: Goal, options: Options, place: VaultPlace) -> tuple[World, Plan]:
        """The plan, and the world it was made for; with those that live in its namespaces it is the plan of a stack."""
        session = self.session
        container = find_target(session.engine, target)
        refuse_open(session, container)
        alone = look_at(session, container, goal, options, place)
        if stack := stack_of_tenants(container, alone.others, goal, options):
            wanted, plan = look_at_stack(session, stack, place)
            return next(each.world for each in wanted if each.world.target.id == container.id), plan
        world = defined(alone)
        answers = known_answers(session, world, options)
        plan = plan_upgrade(world, options, session.new_run(), session.now(), answers)
        check_on_paper(plan, world)
        return world, plan

    def tenants_of(self, target: str, goal: Goal, options: Options) -> Stack | None:
        """The stack that one target is with those who live in its namespaces; None where it is alone."""
        engine = self.session.engine
        return stack_of_tenants(find_target(engine, target), engine.containers(), goal, options)

    def look_at_stack(self, stack: Stack, place: VaultPlace = VaultPlace()) -> tuple[tuple[Wanted, ...], Plan]:
        """The plan of several, and what it was made for: one for each of its members, in their order."""
        return look_at_stack(self.session, stack, place)

    def plan_stack(self, stack: Stack, place: VaultPlace = VaultPlace()) -> Plan:
        """The same for several that go together."""
        return plan_of_stack(self.session, stack, place)

    def look_at_configuration(self, target: str, goal: Goal, options: Options,
                              place: VaultPlace) -> tuple[World, Refreshing | None]:  # fmt: skip
        """What an upgrade would do to the target's configuration, open conflicts too; None where it has none."""
        container = find_target(self.session.engine, target)
        world = survey_target(self.session, container, goal, place, measure=False)
        return world, look_at_configuration(self.session.vault, world, options)

    def due(self, target: str, goal: Goal) -> Due:
        """The notes and gates on a target's way to a goal; nothing is pulled, so a tag may have to speak for itself."""
        engine = self.session.engine
        container = find_target(engine, target)
        old = engine.image(container.image_id)
        ref = image_ref(settled_goal(engine, container, goal, self.session.ask_registry)[0], container, old)
        try:
            new = side(engine.image(ref), ref)
        except NotFound:
            new = Side(image_ref=ref, image_id="", version=ref.partition("@")[0][len(repository(ref)) + 1 :])
        return due_between(container.name, side_now(engine, container, old), new)

    def answers(self, due: Due, given: tuple[str, ...] = ()) -> tuple[Answer, ...]:
        """Every answer known, after those given now (``ID=TEXT``) are kept."""
        return keep_given(self.session, due, given)

    def apply(self, plan: Plan, texts: dict[str, str] | None = None) -> Outcome:
        """Carry a plan out, exactly; Refused where the world changed since.

        ``texts`` are those of the answers the plan was made with: SHA-256 → text as base64.
        """
        session = self.session
        engine = session.engine.engine()
        if plan.engine_id != engine.id:
            what = f"The plan was made for another engine ({plan.engine_id[:12]}); this one is {engine.name}."
            raise Refused("other-engine", what, then="Set DOCKER_HOST to the engine the plan was made for.")
        for due in (due for due in due_in(plan) if due.gates or due.notes):
            refuse_undecided(due, read_answers(session.home))
        papers = papers_of_texts(plan, texts or {})
        with session.holding(plan):
            self._refuse_stale(plan)
            session.runs.begin(plan, {"plan.json": plan.to_json(), **papers})
            return session.carry_out(plan, Wish.FORWARD)

    def _refuse_stale(self, plan: Plan) -> None:
        looked = tuple((member, self._now(plan, member)) for member in plan.members)
        changes = tuple(
            f"{member.target}: {change}" if plan.is_stack else change
            for member, world in looked
            for change in changed_since(member.expectations, expectations(world))
        )
        if changes:
            what = "The world changed since the plan was made:\n  " + "\n  ".join(changes)
            raise Refused("stale-plan", what, then=f"Make it anew: refloat plan {plan.target} --to VERSION")
        for member, world in looked:
            if plan.verb == "upgrade" and not plan.unchecked and member in plan.changing:
                refuse_unready(ask_checks(self.session.engine, world.target, recipe_of(world)))

    def _now(self, plan: Plan, member: Member) -> World:
        engine = self.session.engine
        container, image = find_target(engine, member.target), planned_image(engine, member.new)
        return look_around(engine, self.session.vault, container, image, member.new.image_ref, plan.place,
                           measure=False)  # fmt: skip

    def offer_rollback(self, target_or_run: str, options: Options = Options(),
                       place: VaultPlace = VaultPlace()) -> RollbackOffer:  # fmt: skip
        """What a rollback would do and lose; Refused ``nothing-to-roll-back``, ``unsealed``, …

        ``place`` matters only where no journal here knows the upgrade: its plan is read from there.
        """
        session = self.session
        plan = self._last_upgrade(target_or_run, place)
        told = session.outcome(plan)
        gone = displaced(session.engine, plan) if told.held else ()
        if told.held and not gone:
            return RollbackOffer(plan=plan, undoes=True, losing=_losing(plan))
        self._check_seal(plan)
        closes = plan if gone else None
        if plan.is_stack:
            back = rollback_of_stack(session, plan, options, open_too=bool(gone))
            return RollbackOffer(plan=back, undoes=False, losing=_losing(plan), closes=closes)
        container = in_place_of(session.engine, plan.lead)
        image = session.engine.image(plan.old.image_id)
        world = look_around(session.engine, session.vault, container, image, plan.old.image_ref, plan.place,
                            measure=True)  # fmt: skip
        back = plan_rollback(defined(world), plan, options, session.new_run(), session.now())
        check_on_paper(back, world)
        return RollbackOffer(plan=back, undoes=False, losing=_losing(plan), closes=closes)

    def _check_seal(self, plan: Plan) -> None:
        for member in plan.members:
            if member.sources:
                try:
                    self.session.vault.sealed(member.room)
                finally:
                    self.session.vault.close(member.run)

    def _last_upgrade(self, target_or_run: str, place: VaultPlace) -> Plan:
        session = self.session
        if target_or_run in session.runs.all():
            return session.runs.plan(target_or_run)
        engine_id = session.engine.engine().id
        if stack := next((run for run in session.runs.of_target(engine_id, target_or_run) if self._is_up(run)), ""):
            return session.runs.plan(stack)
        container = self._named(target_or_run, place)
        if isinstance(container, Plan):
            return container
        name = plain_name(container)
        for run in session.runs.of_target(engine_id, name):
            if self._is_up(run):
                return session.runs.plan(run)
        made_by = plan_of_successor(session, container, place)
        if made_by and (made_by.verb, made_by.engine_id) == ("upgrade", engine_id) and name in made_by.names:
            return made_by
        what = f"No upgrade of {name} is known here, and none in the vault {place.path or place.volume}."
        then = f"See what is: refloat history. Is its vault elsewhere? refloat rollback {name} --vault VOLUME_OR_PATH"
        raise Refused("nothing-to-roll-back", what, then=then)

    def _named(self, name: str, place: VaultPlace) -> Container | Plan:
        """The container of that name; else the upgrade of a stack that only its papers in the vault name."""
        try:
            return find_target(self.session.engine, name)
        except Refused:
            plan = plan_of_stack_named(self.session, name, place)
            if plan is None or plan.verb != "upgrade":
                raise
            return plan

    def _is_up(self, run: str) -> bool:
        """Whether a run is an upgrade that went through."""
        plan = self.session.runs.plan(run)
        return plan.verb == "upgrade" and self.session.outcome(plan).end is End.NEW

    def rollback(self, offer: RollbackOffer) -> Outcome:
        """Carry an offer out."""
        if offer.closes is not None:
            with self.session.holding(offer.closes):
                self.session.commit(offer.closes)
        if not offer.undoes:
            return self.apply(offer.plan)
        with self.session.holding(offer.plan):
            return self.session.carry_out(offer.plan, Wish.BACK)

    def recover(self, target: str = "", *, back: bool = False, place: VaultPlace = VaultPlace()) -> tuple[Outcome, ...]:
        """Finish or undo every run that was cut off, from its journal or, where that is lost, from the engine.

        Stuck ``no-papers``, after all others were brought to their end, where one has its papers in another vault.
        """
        from runner.backups import clear_left_backups  # with it comes all of the rehearsals
        from runner.staging import strike_left

        strike_left(self.session)
        clear_left_backups(self.session)
        found = (*open_runs(self.session, target), *lost_runs(self.session, target, place))
        ends = tuple(self._recovered(one, back=back) for one in found)
        refuse_unexplained(self.session, target, place)
        return ends

    def _recovered(self, one: Open, *, back: bool) -> Outcome:
        session, plan = self.session, one.plan
        with session.holding(plan):
            if one.lost:
                session.runs.begin(plan, {"plan.json": plan.to_json()})
            records = session.runs.records(plan.run)
            told = session.outcome(plan)
            if told.end is End.NEW:
                session.commit(plan)
                return session.outcome(plan)
            wish = Wish.BACK if back else resume_wish(plan, (*records, *one.inferred))
            return session.carry_out(plan, wish, one.inferred)

    def commit(self, target_or_run: str) -> Outcome:
        """Accept the open verdict of a target or run."""
        session = self.session
        plan = self._held(target_or_run)
        with session.holding(plan):
            session.commit(plan)
            return session.outcome(plan)

    def _held(self, target_or_run: str) -> Plan:
        session = self.session
        engine_id = session.engine.engine().id
        for run in session.runs.readable():
            plan = session.runs.plan(run)
            if target_or_run in (run, *plan.names) and plan.engine_id == engine_id and session.outcome(plan).held:
                return plan
        raise Refused("nothing-open", f"No verdict is open for {target_or_run}.", then="refloat status")


def _losing(plan: Plan) -> str:
    if not plan.sources:
        return f"{plan.target} has no data of its own."
    return f"All that was written to {', '.join(s.spoken for s in plan.sources)} since run {plan.run} is lost."
