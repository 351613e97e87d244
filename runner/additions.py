"""What a plan says of what was found in a product: what people added, what its data is of; it asks nobody."""

from __future__ import annotations

from runner.plan import PlanWarning
from runner.recipes.tags import release_in_tag
from runner.versions import Release, scheme_named
from runner.way import arriving_recipe, old_side, recipe_of, repository, side
from runner.world import Inquired, World


def addition_warnings(world: World) -> tuple[PlanWarning, ...]:
    """The lists of the recipe, what of them the new version makes outdated, and what was not answered."""
    unheard = tuple(
        PlanWarning(code="preflight", text=f"{_spoken(one)} could not be asked for: {one.unheard}")
        for one in world.inquired
        if one.unheard
    )
    overruled = tuple(
        PlanWarning(code="preflight", text=f"{_spoken(one)} says no, and is not heard: {one.refused}")
        for one in world.inquired
        if one.refused
    )
    listed = (one for one in world.inquired if one.items)
    return (
        *unheard,
        *overruled,
        *(PlanWarning(code="customised", text=_list_words(one)) for one in listed),
        *(PlanWarning(code="outdated", text=text) for one in world.inquired if (text := _outdated(world, one))),
    )


def data_warnings(world: World) -> tuple[PlanWarning, ...]:
    """Where the data is of another version than the image, or nothing says what it is of."""
    old, said = old_side(world), world.installed
    if said.unread:
        return (PlanWarning(code="version-unread", text=f"What is installed could not be read: {said.unread}"),)
    if not old.data:
        return ()
    image = f"the image is {old.version}" if old.version else "its image does not say what it is"
    text = f"The data is of {old.data}, says {said.where}; {image}. The vendor's rules are asked for {old.data}"
    return (PlanWarning(code="data-version", text=text),)


def uid_warnings(world: World) -> tuple[PlanWarning, ...]:
    """Where somebody runs a product with data as another user than its vendor's image does."""
    recipe, user = arriving_recipe(world), str(world.target.config.get("User") or "").partition(":")[0]
    chosen = user.isdecimal() and world.target.config.get("User") != world.old_image.config.get("User")
    if recipe is None or recipe.uid is None or not chosen or int(user) in (0, recipe.uid) or not world.sources:
        return ()
    text = (f"It runs as user {user}, as somebody set it; the vendor's image is made for {recipe.uid}: what a "
            f"migration has to write must belong to {user}")  # fmt: skip
    return (PlanWarning(code="other-uid", text=text),)


def _spoken(one: Inquired) -> str:
    return one.name.replace("-", " ")


def _list_words(one: Inquired) -> str:
    more = f" and {one.count - len(one.items)} more" if one.count > len(one.items) else ""
    return f"{_spoken(one)}, which the new version may not suit: {', '.join(one.items)}{more}"


def _outdated(world: World, one: Inquired) -> str:
    """The items whose last release is before the goal; a limit that cannot be read is none."""
    recipe, into = recipe_of(world), side(world.new_image, world.new_ref)
    goal = release_in_tag(recipe, repository(into.image_ref), into.version) if recipe else None
    if recipe is None or goal is None:
        return ""
    parse = scheme_named(recipe.scheme).parse
    gone = [f"{item} (until {until})" for item, until in one.limits if _is_past(parse(until), goal)]
    return f"{_spoken(one)} that {goal} makes outdated: {', '.join(gone)} ({one.source})" if gone else ""


def _is_past(until: Release | None, goal: Release) -> bool:
    """Equal counts: from that release on it is outdated. Of a branch build nobody knows."""
    return until is not None and not (goal.unplaced or until.unplaced) and goal.rank >= until.rank
