"""Carries out a path: each hop a whole upgrade with its own plan, verdict and snapshot; it decides no step."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import timedelta
from itertools import pairwise
from typing import TYPE_CHECKING

from runner.answers import read_answers
from runner.destination import settled_goal
from runner.due_now import Due, asked_here, due_between, refuse_undecided
from runner.engine.port import EnginePort
from runner.errors import Exit, Interrupted, RefloatError, Refused, RolledBack, UsageError
from runner.facts import Container, Fact
from runner.goal import Goal, home_of, image_ref, pull_policy
from runner.hops_ahead import HopsAhead, hops_ahead
from runner.options import Options
from runner.outcome import Outcome
from runner.path_papers import PathPaper, papers, walking, write_paper
from runner.plan import Plan, PlanWarning, Side
from runner.records import End
from runner.stack_hops import MemberPath, StackHops, member_paths
from runner.stacking import Stack
from runner.survey import obtain_image
from runner.targets import find_target
from runner.vault.port import VaultPlace
from runner.verbs import Refloat

if TYPE_CHECKING:
    from runner.rehearsed_path import HopTo

Watch = Callable[[int, Plan], AbstractContextManager[None]]
"""Is told the number of a hop, from 1, and its plan, and stays around while it is carried out."""


class PathEnd(Fact):
    """How a path ended."""

    hops: HopsAhead
    ends: tuple[Outcome, ...]
    undone: Outcome | None = None
    """The way back to the start, where that was asked for."""

    @property
    def reached(self) -> str:
        """What runs now, as far as the runs tell."""
        if self.undone is not None and self.undone.end is End.NEW:
            return self.hops.start
        done = sum(one.end is End.NEW for one in self.ends)
        return (self.hops.start, *self.hops.versions)[done]

    @property
    def exit_status(self) -> Exit:
        """The last run's; a path that went back to its start was rolled back."""
        if self.undone is None:
            return self.ends[-1].exit_status
        return Exit.ROLLED_BACK if self.undone.end is End.NEW else self.undone.exit_status


def path_to(refloat: Refloat, target: str, goal: Goal, options: Options) -> HopsAhead | None:
    """The hops to a goal, where one upgrade may not go straight there; raises as ``settled_goal``."""
    engine, ask = refloat.session.engine, refloat.session.ask_registry
    container = find_target(engine, target)
    if bool(goal.to) == bool(goal.image):
        return None
    settled, said = settled_goal(engine, container, goal, ask)
    found = hops_ahead(engine, container, settled, ask, force=options.force != "no")
    return found.model_copy(update={"notices": said}) if found else None


def first_hop(refloat: Refloat, hops: HopsAhead, goal: Goal, options: Options, place: VaultPlace) -> Plan:
    """The plan of a path's first hop, which says what it is part of."""
    plan = refloat.plan(hops.target, goal.model_copy(update={"to": hops.tags[0], "image": ""}), options, place)
    return _said_of(plan, hops)


def first_hop_of_stack(refloat: Refloat, found: StackHops, place: VaultPlace) -> Plan:
    """The same of a stack."""
    return _said_of(refloat.plan_stack(found.stages[0], place), found.hops)


def _said_of(plan: Plan, hops: HopsAhead) -> Plan:
    text = (
        f"This is the first of {len(hops.tags)} hops: {hops.spoken}. {hops.command} carries out all, "
        "each with its own plan, verdict and snapshot"
    )
    notices = (PlanWarning(code="notice", text=one) for one in hops.notices)
    return plan.model_copy(update={"warnings": (PlanWarning(code="path", text=text), *notices, *plan.warnings)})


def images_of(refloat: Refloat, hops: HopsAhead, goal: Goal) -> tuple[HopTo, ...]:
    """Every image of a path, fetched before anything begins: none may be missing half way. Refused."""
    engine = refloat.session.engine
    target = find_target(engine, hops.target)
    goals = (goal.model_copy(update={"to": tag, "image": ""}) for tag in hops.tags)
    return tuple(_image_of(engine, target, each) for each in goals)


@dataclass(frozen=True)
class Walk:
    """One path at work."""

    refloat: Refloat
    hops: HopsAhead
    options: Options
    place: VaultPlace
    goal: Goal
    watch: Watch
    all_or_nothing: bool = False
    rehearsed_within: timedelta | None = None
    """Whether the path must have passed a rehearsal, and how lately."""
    stages: tuple[Stack, ...] = ()
    """Where it is that of a stack: the stack at each hop."""

    def walk(self) -> PathEnd:
        """Every hop in order; it stays at the last one that was proven, or goes back to the start where so wished.

        Raises what a hop's planning refuses, with where things stand then.
        """
        session = self.refloat.session
        self._ask_gates()
        self.require_rehearsed(self._images())
        paper = PathPaper(id=session.new_run(), engine_id=session.engine.engine().id, hops=self.hops)
        with walking(session, paper):
            try:
                return self._walked(paper)
            except RefloatError:  # and nothing else: of a path that died, its paper tells
                self._close(paper.id)
                raise

    def require_rehearsed(self, images: tuple[HopTo, ...] = ()) -> None:
        """Refused ``not-rehearsed`` where it must have been, and the whole path, to these images, was not.

        Without ``images`` they are looked up here.
        """
        if self.rehearsed_within is None:
            return
        if self.stages:
            raise _one_by_one(self.hops, self.stages[0])
        from runner.rehearsals import require_rehearsal
        from runner.rehearsed_path import further_expectations

        first = self._plan(1, ())
        then = self.hops.command.replace("apply", "rehearse", 1)
        further = further_expectations((images or self._images())[1:])
        require_rehearsal(self.refloat.session, first, self.rehearsed_within, further, then)

    def _images(self) -> tuple[HopTo, ...]:
        """Every image of the path, of all members."""
        if not self.stages:
            return images_of(self.refloat, self.hops, self.goal)
        engine = self.refloat.session.engine
        asked = tuple((part.goal, part.target) for stage in self.stages for part in stage.parts if part.goal)
        return tuple(_image_of(engine, find_target(engine, target), goal) for goal, target in asked)

    def _walked(self, paper: PathPaper) -> PathEnd:
        ends: tuple[Outcome, ...] = ()
        for number in range(1, len(self.hops.tags) + 1):
            plan = self._plan(number, ends)
            paper = paper.model_copy(update={"runs": (*paper.runs, plan.run)})
            write_paper(self.refloat.session, paper)
            with self.watch(number, plan):
                ends = (*ends, self.refloat.apply(plan, self.options.texts))
            if ends[-1].end is not End.NEW:
                break
        end = PathEnd(hops=self.hops, ends=ends, undone=self._back_to_start(ends))
        self._close(paper.id)
        return end

    def _close(self, paper_id: str) -> None:
        for paper in papers(self.refloat.session):
            if paper.id == paper_id:
                write_paper(self.refloat.session, paper.model_copy(update={"ended": True}))

    def _plan(self, number: int, ends: tuple[Outcome, ...]) -> Plan:
        try:
            if ends and self.refloat.session.interrupted():
                raise Interrupted("interrupted", f"The path was interrupted before hop {number}.")
            return self._planned(number)
        except RefloatError as error:
            raise self._halfway(error, number, ends) if ends else error from None

    def _planned(self, number: int) -> Plan:
        if not self.stages:
            goal = self.goal.model_copy(update={"to": self.hops.tags[number - 1], "image": ""})
            return self.refloat.plan(self.hops.target, goal, self._options(number), self.place)
        stage = self.stages[number - 1]
        parts = tuple(part.model_copy(update={"options": self._options(number, part.options)}) for part in stage.parts)
        options = self._options(number, stage.options)
        return self.refloat.plan_stack(stage.model_copy(update={"parts": parts, "options": options}), self.place)

    def _options(self, number: int, wished: Options | None = None) -> Options:
        """As wished; only the last hop may be held open, and the first snapshot outlives them all."""
        hops, options = len(self.hops.tags), wished or self.options
        return options.model_copy(
            update={
                "hold": options.hold and number == hops,
                "keep": max(options.keep, hops),
                "answers": (),
            }
        )

    def _halfway(self, error: RefloatError, number: int, ends: tuple[Outcome, ...]) -> RefloatError:
        """The same error, but where things stand is on the way: a refusal there is a path that stopped."""
        back = self._back_to_start(ends) if isinstance(error, Refused) else None
        where = self.hops.start if back and back.end is End.NEW else self.hops.versions[number - 2]
        error.stands = f"{self.hops.target} runs {where}: the path {self.hops.spoken} stopped before hop {number}."
        if not isinstance(error, Refused):
            return error
        return RolledBack(error.code, error.what, error.stands, error.then)

    def _back_to_start(self, ends: tuple[Outcome, ...]) -> Outcome | None:
        """Back over all hops at once, where that was wished and a hop failed after others had gone through."""
        done = [one for one in ends if one.end is End.NEW]
        failed = len(done) < len(self.hops.tags)
        if not (self.all_or_nothing and failed and done) or (ends[-1].end not in (End.NEW, End.OLD)):
            return None
        offer = self.refloat.offer_rollback(done[0].run, self._options(1))
        with self.watch(0, offer.plan):
            return self.refloat.rollback(offer)

    def _ask_gates(self) -> None:
        """Every gate and note of every hop, before anything begins; Later, and UsageError for a stray answer."""
        session, given = self.refloat.session, self.options.answers
        due_on = {path: tuple(_dues_on(path)) for path in self._paths()}
        dues = tuple(due for each in due_on.values() for due in each)
        asked = {gate.id for due in dues for gate in due.gates}
        if stray := [one for one in given if one.partition("=")[0].strip() not in asked]:
            then = f"The path asks: {', '.join(sorted(asked)) or 'nothing'}."
            raise UsageError("no-such-gate", f"No hop of {self.hops.spoken} has a gate for {stray[0]}.", then=then)
        for due in dues:
            mine = tuple(one for one in given if one.partition("=")[0].strip() in {gate.id for gate in due.gates})
            self.refloat.answers(due, (*asked_here(due, self._standing()), *mine))
        for path, hops in due_on.items():  # the notes of all hops together, so that they are read in one go
            ends = path.model_copy(update={"versions": (path.versions[0], path.versions[-1])})
            whole = (due.model_copy(update={"gates": ()}) for due in _dues_on(ends))
            for due in (*whole, *hops):
                refuse_undecided(due, read_answers(session.home))

    def _standing(self) -> tuple[str, ...]:
        """The answers of refloat.yaml; of a stack, those of its members as well."""
        parts = (part for stage in self.stages[:1] for part in stage.parts)
        return (*self.options.standing_answers, *(one for part in parts for one in part.options.standing_answers))

    def _paths(self) -> tuple[MemberPath, ...]:
        session = self.refloat.session
        if self.stages:
            return member_paths(session, StackHops(hops=self.hops, stages=self.stages))
        target = find_target(session.engine, self.hops.target)
        home = home_of(target, session.engine.image(target.image_id))
        return (MemberPath(target=target.name, home=home, versions=(self.hops.start, *self.hops.versions)),)


def _one_by_one(hops: HopsAhead, first: Stack) -> Refused:
    goals = ((part.target.rpartition("/")[2], part.goal) for part in first.parts)
    members = "".join(f" --member {name}={goal.to if goal else 'same'}" for name, goal in goals)
    what = f"Of a stack only one hop at a time is rehearsed, and this path has {len(hops.tags)}: {hops.spoken}."
    then = f"refloat rehearse {hops.target}{members}, then refloat apply with the same, then the next"
    return Refused("not-rehearsed", what, then=then)


def _dues_on(path: MemberPath) -> Iterator[Due]:
    sides = (Side(image_ref=f"{path.home}:{version}", image_id="", version=version) for version in path.versions)
    for old, new in pairwise(sides):
        yield due_between(path.target, old, new)


def _image_of(engine: EnginePort, target: Container, goal: Goal) -> HopTo:
    ref = image_ref(goal, target, engine.image(target.image_id))
    image, _ = obtain_image(engine, ref, pull_policy(goal, ref), lambda _: None, asked=goal.pull is not None)
    from runner.rehearsed_path import HopTo  # with it comes all of the rehearsals, which `plan` has no need of

    return HopTo(ref=ref, image=image)
