"""Looks at one target before a plan is made: where it is to go, what it is made of, what is open; it plans nothing."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from runner.answers import Answer, keep_answers, read_answers
from runner.compose.project import project_of
from runner.configuration import with_refresh
from runner.destination import settled_goal
from runner.due_now import Due, answers_from, asked_here, due_between
from runner.errors import Refused
from runner.facts import Container
from runner.goal import Goal
from runner.hop_rulings import is_barred
from runner.options import Options
from runner.records import End
from runner.session import Session
from runner.steps.nouns import FileEdit
from runner.survey import look_around, survey
from runner.vault.port import VaultPlace
from runner.way import old_side, repository, side
from runner.world import World

ALONE: Mapping[str, str] = MappingProxyType({})


def survey_target(session: Session, container: Container, goal: Goal, place: VaultPlace,
                  *, measure: bool = True) -> World:  # fmt: skip
    """The world of a target on its way to a goal; raises as ``settled_goal`` and ``survey``."""
    meant, said = settled_goal(session.engine, container, goal, session.ask_registry)
    seen = survey(session.engine, session.vault, container, meant, place, lambda _: None, measure=measure)
    world = seen.model_copy(update={"notices": (*said, *seen.notices)})
    asks = goal.pull != "never" and is_barred(world)
    listing = session.ask_registry(repository(container.image_ref)) if asks else None
    return world.model_copy(update={"tags": listing.tags}) if listing and listing.whole else world


def look_at(session: Session, container: Container, goal: Goal, options: Options, place: VaultPlace) -> World:
    """The same with its configuration."""
    world = with_refresh(session.vault, survey_target(session, container, goal, place), options)
    return _as_if_up(world) if options.at_rest else world


def _as_if_up(world: World) -> World:
    """A target at rest as it is when it runs."""
    if world.target.state.status not in ("created", "exited", "paused"):
        return world
    state = world.target.state.model_copy(update={"status": "running", "health": None})
    return world.model_copy(update={"target": world.target.model_copy(update={"state": state})})


def look_at_same(session: Session, container: Container, place: VaultPlace) -> World:
    """The world of a container that keeps its image."""
    image = session.engine.image(container.image_id)
    return look_around(session.engine, session.vault, container, image, container.image_ref, place, measure=True)


def defined(world: World, edits: tuple[FileEdit, ...] = (), along: Mapping[str, str] = ALONE) -> World:
    """With what compose's files, where they are on this machine, say of it.

    ``edits`` are made in them before; ``along`` are the containers that change in the same run, and their new images.
    """
    if project_of(world.target) is None:
        return world.model_copy(update={"definition": None})
    from runner.composed import read_definition  # it loads a reader of YAML

    found = read_definition(world.target, world.others, world.new_image, world.new_ref, edits, along)
    return world.model_copy(update={"definition": found})


def due_on_way(world: World) -> Due:
    """The gates and notes between the two versions of a world."""
    return due_between(world.target.name, old_side(world), side(world.new_image, world.new_ref))


def known_answers(session: Session, world: World, options: Options) -> tuple[Answer, ...]:
    """Every answer known, after those that come with the options are kept."""
    due = due_on_way(world)
    return keep_given(session, due, (*asked_here(due, options.standing_answers), *options.answers))


def keep_given(session: Session, due: Due, given: tuple[str, ...]) -> tuple[Answer, ...]:
    """Every answer known, after those given now (``ID=TEXT``) are kept."""
    home = session.home
    return keep_answers(home, answers_from(due, given, session.now())) if given else read_answers(home)


def refuse_open(session: Session, container: Container, *, held_too: bool = True) -> None:
    """Refused where a run on this target was cut off or (unless that does not matter) is held open."""
    for run in session.runs.of_target(session.engine.engine().id, container.name):
        told = session.outcome(session.runs.plan(run))
        if told.end is None or told.end is End.STUCK:
            _refuse_unless_held(session, container.name, run)
        if told.held and held_too:
            then = f"refloat commit {container.name}, or: refloat rollback {container.name}"
            raise Refused("verdict-open", f"The verdict of run {run} on {container.name} is still open.", then=then)


def _refuse_unless_held(session: Session, name: str, run: str) -> None:
    plan = session.runs.plan(run)
    with session.holding(plan):
        what = f"Run {run} on {name} was cut off."
        raise Refused("run-open", what, "Its data and containers are as it left them.", f"refloat recover {name}")
