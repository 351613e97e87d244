"""What ``--to`` means where it leaves a choice: newest, a series, bounds. It finds the tag and pulls nothing."""

from __future__ import annotations

from runner.constraint import Constraint, constraint_from, is_constraint
from runner.engine.port import EnginePort
from runner.errors import NothingToDo, Refused
from runner.facts import Container
from runner.goal import Goal, home_of
from runner.outlook import outlook
from runner.prospects import Ask, Standpoint, known_releases, local_tags, standpoint, tag_of
from runner.recipes.tags import tags_by_release
from runner.registry.listing import Listing, not_asked
from runner.survey import local_image
from runner.versions import Release

Tagged = tuple[str, tuple[str, ...]]
"""A tag, and what is to be said about how it was found."""
Settled = tuple[Goal, tuple[str, ...]]
"""A goal whose tag exists as far as is known, with the same."""


def settled_goal(engine: EnginePort, target: Container, goal: Goal, ask: Ask) -> Settled:
    """The goal with a tag for ``newest``, ``>=2.45,<3``, ``2.x`` or ``2.53``; any other goal is left as it is.

    NothingToDo ``nothing-newer``; Refused ``hop`` where the rules bar it, ``version-unknown``; UsageError.
    """
    free = is_constraint(goal.to)
    constraint = constraint_from(goal.to) if free else None
    if goal.image or not (free or _series(goal.to)):
        return goal, ()
    image = engine.image(target.image_id)
    home = home_of(target, image)
    if not free and local_image(engine, f"{home}:{goal.to}"):
        return goal, ()  # without looking at all the images, which takes an engine its time
    at = standpoint(engine, target, image, home)
    if constraint and at is None:
        raise _unknown_version(target, goal)
    if at is None or (not constraint and len(_series(goal.to)) >= len(at.current.numbers)):
        return goal, ()
    listing = ask(home) if goal.pull != "never" else not_asked(home)
    tags = tags_by_release(at.recipe, home, (*local_tags(engine, home), *listing.tags), at.variant)
    if constraint:
        return _with_tag(goal, _newest(target, at, tags, listing, constraint))
    return _with_tag(goal, None if goal.to in listing.tags else _highest(goal.to, tags, listing))


def tags_ahead(engine: EnginePort, target: Container, goal: Goal, ask: Ask) -> tuple[str, ...]:
    """The tags of all releases up to a goal that are on the engine, and of the stops on the way to it, in order.

    Raises as ``settled_goal``; a goal that is one version is the last that will do.
    """
    constraint = constraint_from(goal.to if is_constraint(goal.to) else f"<={goal.to}")
    image = engine.image(target.image_id)
    home = home_of(target, image)
    at = standpoint(engine, target, image, home)
    if at is None:
        raise _unknown_version(target, goal)
    here, listing = local_tags(engine, home), ask(home) if goal.pull != "never" else not_asked(home)
    tags = tags_by_release(at.recipe, home, (*here, *listing.tags), at.variant)
    _newest(target, at, tags, listing, constraint)  # says why not, where there is no way at all
    view = outlook(at.recipe, at.current, known_releases(at, tags, listing), constraint.admits)
    local = (one for one in tags_by_release(at.recipe, home, here, at.variant) if constraint.admits(one))
    every = {*view.path, *(one for one in local if one.rank > at.current.rank)}
    return tuple(tag_of(at, tags, one) for one in sorted(every))


def _unknown_version(target: Container, goal: Goal) -> Refused:
    what = f"The version of {target.name} cannot be read, so nothing can be newer ({goal.to})."
    return Refused("version-unknown", what, then="Name the version: --to VERSION")


def _with_tag(goal: Goal, found: Tagged | None) -> Settled:
    return (goal.model_copy(update={"to": found[0]}), found[1]) if found else (goal, ())


def _series(text: str) -> tuple[int, ...]:
    """The leading numbers of a series; empty where the text is none."""
    parts = text.removeprefix("v").split(".")
    return tuple(int(part) for part in parts) if all(part.isdigit() for part in parts) else ()


def _newest(target: Container, at: Standpoint, tags: dict[Release, str], listing: Listing,
            constraint: Constraint) -> Tagged:  # fmt: skip
    """The newest that will do and that the vendor's rules reach, in however many hops."""
    view = outlook(at.recipe, at.current, known_releases(at, tags, listing), constraint.admits)
    unseen = (f"The registry's tags were not seen. {listing.unseen}",) if listing.unseen else ()
    if view.newest is None:
        what = f"{target.name} runs {at.current}; nothing newer within {constraint.text} is known."
        raise NothingToDo("nothing-newer", what, "\n".join(("Nothing needs to be done.", *unseen)),
                          f"refloat versions {target.name}")  # fmt: skip
    barred = f"{view.refusal.why} ({view.refusal.source})" if view.refusal else ""
    if view.reachable is None:
        what = f"{view.newest} is within {constraint.text}, but barred: {barred}"
        raise Refused("hop", what, then=f"refloat versions {target.name}")
    found = f"{constraint.text} is taken as {view.reachable}, the newest within reach."
    beyond = (f"{view.newest} is newer, but barred: {barred}",) if barred else ()
    return tag_of(at, tags, view.reachable), (found, *beyond, *unseen)


def _highest(text: str, tags: dict[Release, str], listing: Listing) -> Tagged | None:
    """The highest finished release of a series; None where there is none, for the text may be a tag all the same."""
    series = _series(text)
    inside = [one for one in tags if one.is_final and one.series(len(series)) == series]
    if not inside:
        return None
    seen = "on this engine" if listing.unseen or not listing.registry else f"at {listing.registry}"
    highest = max(inside)
    return tags[highest], (f"{text} is taken as {highest}, the highest of that series {seen}.",)
