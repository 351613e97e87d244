"""Where a release stands: the newest that exists, the newest within reach, and why not further; it asks no one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from runner.catalogue import Catalogue
from runner.paths import Law, NoPath, Path, find_path
from runner.recipes.model import Recipe
from runner.versions import Release


@dataclass(frozen=True)
class Outlook:
    """What lies ahead of a release. Without anything newer all but ``current`` is empty."""

    current: Release
    newest: Release | None = None
    reachable: Release | None = None
    path: tuple[Release, ...] = ()
    refusal: NoPath | None = None


def _any(_: Release) -> bool:
    return True


def outlook(recipe: Recipe, current: Release, among: Catalogue, will_do: Callable[[Release], bool] = _any) -> Outlook:
    """The newest release that exists and will do, and how far the recipe's rules let this one go towards it."""
    later = [one for one in among.releases if one.is_final and one.rank > current.rank and _same_edition(one, current)]
    ahead = [one for one in later if will_do(one)]
    if not ahead:
        return Outlook(current)
    newest = ahead[-1]
    found = find_path(recipe, current, newest, among)
    if isinstance(found, Path):
        return Outlook(current, newest, found.hops[-1], found.hops)
    near = next((one for one in found.reachable if will_do(one)), None)
    if near is None:
        return Outlook(current, newest, refusal=found)
    way = find_path(recipe, current, near, among)
    return Outlook(current, newest, near, way.hops if isinstance(way, Path) else (), found)


def _same_edition(one: Release, current: Release) -> bool:
    return not one.edition or not current.edition or one.edition == current.edition


def refusal_of_hop(
    recipe: Recipe, start: Release, goal: Release, among: Catalogue, *, force: bool = False
) -> NoPath | None:
    """Why one upgrade may not go straight to the goal, with the stops to make instead; None if it may."""
    found = find_path(recipe, start, goal, among, force=force)
    if isinstance(found, NoPath):
        return found
    if len(found.hops) <= 1:
        return None
    if start.edition != goal.edition and start.edition and goal.edition:
        return _first_the_version(recipe, found)
    binding = tuple(rule for rule in recipe.hops if not rule.advised and not (force and rule.forced))
    against = Law(binding, among).against(start, goal)
    if against is None:
        return None
    rule, why = against
    return NoPath(rule.rule, f"{why}. {rule.why}".rstrip(), rule.source, found.hops[:-1])


def _first_the_version(recipe: Recipe, found: Path) -> NoPath:
    source = recipe.editions.source if recipe.editions else recipe.hops[0].source
    return NoPath("edition-conversion", "Version and edition change one after the other.", source, found.hops[:-1])
