"""What the vendor's rules say about one very upgrade: nothing, a refusal, or the consequence of forcing it; pure."""

from __future__ import annotations

from dataclasses import replace

from runner.catalogue import Catalogue
from runner.errors import NOTHING_TOUCHED, Refused
from runner.hop_verdicts import Hop
from runner.options import Force
from runner.outlook import refusal_of_hop
from runner.paths import NoPath, catalogue_of, said_of_hop
from runner.plan import PlanWarning, Side
from runner.recipes.model import Recipe
from runner.recipes.tags import edition_of, release_in_tag, tag_for
from runner.versions import Release, scheme_named
from runner.way import arriving_recipe, old_side, recipe_of, repository, side
from runner.world import World


def ruling(world: World, recipe: Recipe, force: Force) -> tuple[PlanWarning, ...]:
    """What a plan has to say of its hop; Refused ``hop`` where a rule forbids it and is not set aside.

    A version that cannot be read is ruled on by nobody.
    """
    hop = _hop(world, recipe)
    if hop is None:
        return ()
    start, goal = hop
    known = _known(world, recipe, hop)
    refusal = refusal_of_hop(recipe, start, goal, known)
    if refusal is None:
        said = said_of_hop(recipe, Hop(start, goal), known)
        return tuple(PlanWarning(code="vendor", text=f"{text} ({source})") for text, source in said)
    forbidden = f"{recipe.title} is not meant to go from {start} to {goal} at once: {refusal.why}"
    if force == "copies":
        return (PlanWarning(code="hop", text=f"{forbidden} Rehearsed all the same. ({refusal.source})"),)
    forced = _consequences(recipe, hop, known)
    if force == "vendor" and forced:
        return tuple(PlanWarning(code="forced", text=f"{said} ({source})") for said, source in forced)
    rule = f"Rule: {refusal.rule} ({refusal.source})"
    then = _instead(world, recipe, refusal, forced)
    raise Refused("hop", f"{forbidden}\n{rule}", NOTHING_TOUCHED, then)


def is_barred(world: World) -> bool:
    """Whether a rule forbids the hop as far as the recipe alone knows: the registry's tags may then say more."""
    recipe = recipe_of(world)
    hop = _hop(world, recipe) if recipe else None
    return bool(recipe and hop and refusal_of_hop(recipe, *hop, catalogue_of(recipe)))


def other_product(world: World) -> tuple[PlanWarning, ...]:
    """What a plan has to say where another product is to follow: nobody's rules speak of that."""
    leaving, into = recipe_of(world), arriving_recipe(world)
    if leaving is None or into is None or leaving.name == into.name:
        return ()
    text = (f"{leaving.title} runs here, and {world.new_ref} is {into.title}: no vendor's rule speaks of such a "
            f"change. Health and evidence are {into.title}'s; rehearse it first.")  # fmt: skip
    return (PlanWarning(code="other-product", text=text),)


def _hop(world: World, recipe: Recipe) -> tuple[Release, Release] | None:
    if other_product(world):
        return None
    old, new = old_side(world), side(world.new_image, world.new_ref)
    start, goal = release_of(recipe, old), release_of(recipe, new)
    if start is None or goal is None:
        return None
    start, goal = _in_their_editions(recipe, old, new, start, goal)
    return None if start == goal else (start, goal)


def _in_their_editions(recipe: Recipe, old: Side, new: Side, start: Release, goal: Release) -> tuple[Release, Release]:
    """Both as their repositories have them, where those hold two editions: neither label nor tag tells it."""
    editions = [edition_of(recipe, repository(one.image_ref)) for one in (old, new)]
    if not all(editions) or editions[0] == editions[1]:
        return start, goal
    spelled = scheme_named(recipe.scheme).spelled
    first, second = (
        replace(one, edition=edition, text=spelled(one, edition))
        for one, edition in zip((start, goal), editions, strict=True)
    )
    return first, second


def _known(world: World, recipe: Recipe, hop: tuple[Release, Release]) -> Catalogue:
    """The releases that exist: all of them where the registry told its tags, else those the recipe lists."""
    listed, home = catalogue_of(recipe), repository(world.target.image_ref)
    if not world.tags:
        return listed
    if hop[0].edition != hop[1].edition:
        return listed  # of the other edition's repository nobody was asked
    found = {release for tag in world.tags if (release := release_in_tag(recipe, home, tag))}
    return replace(listed, releases=tuple(sorted({*found, *hop})), complete=True)


def release_of(recipe: Recipe, side: Side) -> Release | None:
    """The release a side of an upgrade is."""
    return release_in_tag(recipe, repository(side.image_ref), side.ruled)


def _consequences(recipe: Recipe, hop: tuple[Release, Release], known: Catalogue) -> tuple[tuple[str, str], ...]:
    """What the vendor says of those who force this hop, each with its page; empty where it cannot be forced."""
    if refusal_of_hop(recipe, *hop, known, force=True) is not None:
        return ()
    said = said_of_hop(recipe, Hop(*hop), known.thinned())
    return tuple(each for each in said if each[0].startswith("Forced: "))


def _instead(world: World, recipe: Recipe, refusal: NoPath, forced: tuple[tuple[str, str], ...]) -> str:
    """What can be done: the nearest releases, forcing where the vendor allows it, and the question on copies."""
    name, home = world.target.name, repository(world.target.image_ref)
    near = ", ".join(tag_for(recipe, home, one.text) for one in refusal.reachable) or "none is known"
    lines = (
        f"Within reach: {near}. See: refloat versions {name}",
        *(f"The vendor lets it be forced, with --force. {said}" for said, _ in forced),
        f"To see on copies what would happen: refloat rehearse {name} --image {world.new_ref} --force",
    )
    return "\n".join(lines)
