"""From one release to another through the releases that exist, or which rule forbids it; it asks no registry."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from runner import hops
from runner.backward import why_not_back
from runner.catalogue import Catalogue, catalogue_from
from runner.hop_verdicts import Hop, why_not
from runner.hop_warnings import warnings_on
from runner.recipes.model import DatedRelease, Recipe
from runner.versions import Release, scheme_named

NEAREST = 5


@dataclass(frozen=True)
class Path:
    """The hops in order, the start left out, the goal last."""

    hops: tuple[Release, ...]
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class NoPath:
    """Which rule forbids it, why, whose page says so, and how near one can come."""

    rule: str
    why: str
    source: str
    reachable: tuple[Release, ...] = ()


@dataclass(frozen=True)
class Law:
    """The rules in force for one search: without advice or forcible rules where those are set aside."""

    rules: tuple[hops.HopRule, ...]
    among: Catalogue

    def against(self, leaving: Release, into: Release) -> tuple[hops.HopRule, str] | None:
        """The first rule that forbids a hop, and why."""
        hop = Hop(leaving, into)
        return next(((rule, why) for rule in self.rules if (why := why_not(rule, hop, self.among))), None)


def catalogue_of(recipe: Recipe, given: Iterable[str] | None = None) -> Catalogue:
    """The releases given, which are then all there are; else those the recipe knows of, which never are."""
    dated = [(one.version, one.date) for one in recipe.releases if isinstance(one, DatedRelease)]
    if given is not None:
        return replace(catalogue_from(given, recipe.scheme, complete=True), dates=_known_dates(recipe))
    plain = [one for one in recipe.releases if isinstance(one, str)]
    return catalogue_from(plain, recipe.scheme, complete=False, dates=dated)


def _known_dates(recipe: Recipe) -> tuple[tuple[Release, str], ...]:
    parse = scheme_named(recipe.scheme).parse
    dated = ((parse(one.version), one.date) for one in recipe.releases if isinstance(one, DatedRelease))
    return tuple((release, day) for release, day in dated if release)


def find_path(recipe: Recipe, start: Release, goal: Release, among: Catalogue, *, force: bool = False) -> Path | NoPath:
    """The fewest hops that every rule allows, resting at the highest releases."""
    if among.complete and not among.holds(goal) and goal != start:
        return _not_released(recipe, start, goal, among)
    if start.edition and goal.edition and start.edition != goal.edition:
        return _path_to_edition(recipe, start, goal, among, force)
    return _path_in_edition(recipe, start, goal, among, force)


def _path_in_edition(recipe: Recipe, start: Release, goal: Release, among: Catalogue, force: bool) -> Path | NoPath:
    if goal.rank < start.rank:
        return _path_back(recipe, start, goal, among)
    return _path_up(recipe, start, goal, _in_edition(among, start.edition or goal.edition), force)


def _not_released(recipe: Recipe, start: Release, goal: Release, among: Catalogue) -> NoPath:
    law = Law(recipe.hops, _in_edition(among, start.edition).thinned())
    near = _nearest(_reach(law, start, goal, entering=False))
    return NoPath("not-released", f"{goal} is not among the releases that exist.", recipe.hops[0].source, near)


def _no_station(recipe: Recipe, start: Release, station: Release, converted: Release, among: Catalogue) -> NoPath:
    """Neither order of the two changes can be gone; asked for is neither release, so it is said what they are for."""
    refusal = _not_released(recipe, start, station, among)
    why = (f"Version and edition change one after the other, and neither {station} nor {converted} is among "
           "the releases that exist.")  # fmt: skip
    return replace(refusal, why=why)


def _path_back(recipe: Recipe, start: Release, goal: Release, among: Catalogue) -> Path | NoPath:
    why = why_not_back(recipe.downgrade, recipe.backward, Hop(start, goal), among)
    if not why:
        unplaced = start.unplaced or goal.unplaced  # else it is plainly a way back, of which no rule for going up tells
        return Path((goal,), tuple(_said_about(recipe, start, (goal,), among)) if unplaced else ())
    allowed = (
        one
        for one in among.between(goal, start)
        if not why_not_back(recipe.downgrade, recipe.backward, Hop(start, one), among)
    )
    return NoPath(f"downgrade-{recipe.downgrade}", why, recipe.backward.source, tuple(allowed)[:NEAREST])


def _path_to_edition(recipe: Recipe, start: Release, goal: Release, among: Catalogue, force: bool) -> Path | NoPath:
    """One thing at a time: first the version in the old edition, then the edition at equal versions.

    Where the old edition has no such release, the edition comes first.
    """
    why = _why_not_convert(recipe.editions, start.edition, goal.edition)
    if why:
        source = recipe.editions.source if recipe.editions else recipe.hops[0].source
        return NoPath("edition-conversion", why, source)
    if start.rank == goal.rank:
        return Path((goal,), tuple(_said_about(recipe, start, (goal,), among)))
    station, converted = _spelled(among, goal, start.edition), _spelled(among, start, goal.edition)
    if among.complete and not among.holds(station) and among.holds(converted):
        way = _path_in_edition(recipe, converted, goal, among, force)
        return replace(way, hops=(converted, *way.hops)) if isinstance(way, Path) else way
    if among.complete and not among.holds(station):
        return _no_station(recipe, start, station, converted, among)
    way = _path_in_edition(recipe, start, station, among, force)
    return replace(way, hops=(*way.hops, goal)) if isinstance(way, Path) else way


def _why_not_convert(editions: hops.Editions | None, leaving: str, into: str) -> str:
    if editions is None:
        return f"Nothing is said about changing the edition from {leaving} to {into}."
    allowed = any(one.leaving == leaving and into in one.into for one in editions.conversions)
    return "" if allowed else f"{leaving} cannot become {into}. {editions.why}"


def _in_edition(among: Catalogue, edition: str) -> Catalogue:
    """The releases of one edition: those listed with it, and those listed without any, spelled in it."""
    if not edition:
        return among
    fitting = (one for one in among.releases if one.edition in ("", edition))
    return replace(among, releases=tuple(sorted({_spelled(among, one, edition) for one in fitting})))


def _spelled(among: Catalogue, release: Release, edition: str) -> Release:
    if release.edition == edition:
        return release
    return replace(release, edition=edition, text=scheme_named(among.scheme).spelled(release, edition))


def _path_up(recipe: Recipe, start: Release, goal: Release, among: Catalogue, force: bool) -> Path | NoPath:
    """With the vendor's advice where the releases allow it; without it, and saying so, where they do not."""
    among = among.thinned()
    binding = tuple(rule for rule in recipe.hops if not (force and rule.forced))
    firm = tuple(rule for rule in binding if not rule.advised)
    found = _fewest_hops(Law(binding, among), start, goal) or _fewest_hops(Law(firm, among), start, goal)
    if found is None:
        return _refusal(Law(firm, among), start, goal)
    return Path(found, tuple(_said_about(recipe, start, found, among)))


def _said_about(recipe: Recipe, start: Release, found: tuple[Release, ...], among: Catalogue) -> Iterable[str]:
    for leaving, into in zip((start, *found), found, strict=False):
        yield from (text for text, _ in said_of_hop(recipe, Hop(leaving, into), among))


def said_of_hop(recipe: Recipe, hop: Hop, among: Catalogue) -> Iterable[tuple[str, str]]:
    """What the rules have to say of a hop that is gone all the same, each with its source."""
    if recipe.editions and hop.leaving.edition != hop.into.edition:
        conversions = (one for one in recipe.editions.conversions if one.leaving == hop.leaving.edition)
        then = next((one.then for one in conversions if hop.into.edition in one.into), "")
        yield from ([(then, recipe.editions.source)] if then else [])
    for rule in recipe.hops:
        broken = why_not(rule, hop, among)
        if broken:
            said = f"Forced: {broken}. {rule.forced}" if rule.forced else f"Against the vendor's advice: {broken}."
            yield said, rule.source
        yield from ((said, rule.source) for said in warnings_on(rule, hop, among))


def _fewest_hops(law: Law, start: Release, goal: Release) -> tuple[Release, ...] | None:
    """Breadth first; from each layer the highest release is tried first, so ties rest as high as they can."""
    if start.rank == goal.rank:
        return ()
    came_from = _reach(law, start, goal)
    if goal not in came_from:
        return None
    way = [goal]
    while (before := came_from[way[-1]]) != start:
        way.append(before)
    return tuple(reversed(way))


def _reach(law: Law, start: Release, goal: Release, *, entering: bool = True) -> dict[Release, Release]:
    """Every release that can be reached on the way up to the goal, with the one it is reached from."""
    came_from: dict[Release, Release] = {}
    open_ends = [*law.among.between(start, goal)]
    layer = [start]
    while layer:
        last = next((one for one in layer if entering and law.against(one, goal) is None), None)
        if last is not None:
            return came_from | {goal: last}
        nearer = _next_layer(law, layer, open_ends)
        came_from |= nearer
        open_ends = [one for one in open_ends if one not in nearer]
        layer = sorted(nearer, reverse=True)
    return came_from


def _next_layer(law: Law, layer: list[Release], open_ends: list[Release]) -> dict[Release, Release]:
    found: dict[Release, Release] = {}
    for into in open_ends:
        leaving = next((one for one in layer if one.rank < into.rank and law.against(one, into) is None), None)
        if leaving is not None:
            found[into] = leaving
    return found


def _nearest(reached: Iterable[Release]) -> tuple[Release, ...]:
    return tuple(sorted(reached, reverse=True)[:NEAREST])


def _refusal(law: Law, start: Release, goal: Release) -> NoPath:
    """What stops the one who has come nearest says more than what forbids the whole way at once."""
    near = _nearest(_reach(law, start, goal))
    against = law.against(near[0] if near else start, goal)
    if against is None:
        raise AssertionError(f"{goal} is both reachable and not")
    rule, why = against
    return NoPath(rule.rule, f"{why}. {rule.why}".rstrip(), rule.source, near)
