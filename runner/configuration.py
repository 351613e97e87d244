"""Which configuration of a target an upgrade refreshes, and what that would come to now; it changes nothing."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import PurePosixPath

from runner.errors import Refused, UsageError
from runner.facts import Container, Mount, MountKind
from runner.options import Options
from runner.perform_configuration import TEXTS_PAPER
from runner.plan import Plan
from runner.recipes.model import ConfigTree
from runner.spec.data import is_data, is_within
from runner.spec.inspected import variables_of
from runner.steps.configuration import RefreshConfiguration
from runner.vault.configuration import ConfigPlace, OpenQuestion, RefreshOrder
from runner.vault.port import Source, VaultPort
from runner.way import recipe_of
from runner.way_configuration import sources_of
from runner.world import Refreshing, World

SHOWN = 5


def with_refresh(vault: VaultPort, world: World, options: Options) -> World:
    """The world with the refresh it needs, if any; Refused where a conflict waits for its answer."""
    seen = look_at_configuration(vault, world, options)
    if seen is None:
        return world
    if seen.found.open:
        raise _unanswered(world, seen.found.open)
    return world.model_copy(update={"refresh": seen})


def look_at_configuration(vault: VaultPort, world: World, options: Options) -> Refreshing | None:
    """What a refresh would come to; None where there is nothing to refresh. Refused for a path that cannot be."""
    recipe = recipe_of(world)
    trees = (*options.config_paths, *(recipe.config_paths if recipe else ()))
    places = outermost(place for tree in trees for place in places_of(world.target, world.sources, tree))
    asked = tuple(tree.path for tree in options.config_paths)
    _refuse_unknown(asked, tuple(place.path for place in places), "is on no data of the target's")
    if not options.refresh or not places:
        return None
    order = RefreshOrder(
        places=places,
        old_image=world.old_image.id,
        new_image=world.new_image.id,
        tokens=recipe.config_tokens if recipe else {},
        conflict=options.conflict,
        answers=options.prepared,
    )
    ready = order.ready(variables_of(world.target), options.texts)
    found = vault.preview_refresh(sources_of(order, world.sources), ready)
    _refuse_unknown(asked, found.places, "is no directory with defaults in both images")
    kept = tuple(place for place in places if place.path in found.places)
    return Refreshing(order=order.model_copy(update={"places": kept}), found=found) if kept else None


def papers_of_texts(plan: Plan, texts: dict[str, str]) -> dict[str, str]:
    """The texts of a plan's answers as a paper of its run; UsageError ``no-texts`` where one is missing."""
    steps = (step for step in plan.steps if isinstance(step, RefreshConfiguration))
    wanted = {answer.text_sha256 for step in steps for answer in step.order.answers if answer.text_sha256}
    if missing := wanted - texts.keys():
        what = f"The plan was made with answers, {len(missing)} of which bring a text that is not in it."
        raise UsageError("no-texts", what, then="Give the same file of answers again: --answers FILE")
    return {TEXTS_PAPER: json.dumps({name: texts[name] for name in sorted(wanted)})} if wanted else {}


def _refuse_unknown(asked: tuple[str, ...], known: tuple[str, ...], why: str) -> None:
    for path in asked:
        if not any(is_within(each, path.rstrip("/") or "/") for each in known):
            then = "Name another --config-path PATH, as the container sees it."
            raise Refused("no-configuration", f"{path} {why}.", then=then)


def places_of(container: Container, sources: tuple[Source, ...], tree: ConfigTree) -> tuple[ConfigPlace, ...]:
    """Where on the data a tree of configuration is: below one mount, or in those that are mounted below its path."""
    path = tree.path.rstrip("/") or "/"
    mounts = [mount for mount in container.mounts if is_data(mount)]
    above = [mount for mount in mounts if is_within(path, mount.destination)]
    holding = max(above, key=lambda mount: len(mount.destination), default=None)
    seen = [(holding, path)] if holding else []
    below = (mount for mount in mounts if mount not in above and is_within(mount.destination, path))
    seen += [(mount, mount.destination) for mount in below]
    found = (_place(container, sources, mount, where) for mount, where in seen)
    return tuple(_with_defaults(place, tree, path) for place in found if place)


def _with_defaults(place: ConfigPlace, tree: ConfigTree, path: str) -> ConfigPlace:
    """A place with what is said about its defaults; of one of those below only where the images have them."""
    inner = PurePosixPath(place.path).relative_to(path)
    said: dict[str, object] = {"defaults": str(PurePosixPath(tree.defaults) / inner) if tree.defaults else ""}
    if place.path == path:
        said |= {"permissions": tree.permissions or "", "modes_to_set": tree.modes_to_set}
        said |= {"skip": (*place.skip, *tree.skip)}
    return place.model_copy(update=said)


def outermost(places: Iterable[ConfigPlace]) -> tuple[ConfigPlace, ...]:
    """Each tree once: what lies in another one, unless something else is mounted there, goes with that."""
    found = {place.path: place for place in places}
    return tuple(place for place in found.values() if not any(_holds(other, place) for other in found.values()))


def _holds(other: ConfigPlace, place: ConfigPlace) -> bool:
    if other.path == place.path or not is_within(place.path, other.path):
        return False
    inner = str(PurePosixPath(place.path).relative_to(other.path))
    return not any(is_within(inner, each) for each in other.skip)


def _place(container: Container, sources: tuple[Source, ...], mount: Mount, path: str) -> ConfigPlace | None:
    inner = PurePosixPath(path).relative_to(mount.destination)
    for source in sources:
        if mount.kind is MountKind.VOLUME and source.volume == mount.name:
            return _place_in(container, source, inner, path)
        if mount.kind is MountKind.BIND and source.path and is_within(mount.source, source.path):
            return _place_in(container, source, PurePosixPath(mount.source).relative_to(source.path) / inner, path)
    return None


def _place_in(container: Container, source: Source, inside: PurePosixPath, path: str) -> ConfigPlace:
    plain = "" if inside == PurePosixPath() else str(inside)
    return ConfigPlace(key=source.key, inside=plain, path=path, skip=tuple(_mounted_below(container, path)))


def _mounted_below(container: Container, path: str) -> Iterator[str]:
    for mount in container.mounts:
        if mount.destination != path and is_within(mount.destination, path):
            yield str(PurePosixPath(mount.destination).relative_to(path))


def _unanswered(world: World, questions: tuple[OpenQuestion, ...]) -> Refused:
    shown = " ".join(f"{question.path}: {question.sentence}" for question in questions[:SHOWN])
    more = f" (and {len(questions) - SHOWN} more)" if len(questions) > SHOWN else ""
    name = world.target.name
    what = f"The configuration of {name} has {len(questions)} conflict(s) with the new defaults. {shown}{more}"
    then = (
        f"Answer: refloat refresh {name} --image {world.new_ref} --save-answers FILE, then --answers FILE. "
        "Or choose --conflict keepold or install, or --no-refresh."
    )
    return Refused("refresh-unanswered", what, then=then)
