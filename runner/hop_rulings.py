"""What the vendor's rules say about one very upgrade, from image to image; it finds no way around a refusal."""

from __future__ import annotations

from runner.outlook import refusal_of_hop
from runner.paths import NoPath, catalogue_of
from runner.plan import Side
from runner.recipes.model import Recipe
from runner.recipes.tags import release_in_tag
from runner.versions import Release
from runner.way import repository


def refused_hop(recipe: Recipe, old: Side, new: Side) -> NoPath | None:
    """Why the vendor's rules forbid this very upgrade; None where they allow it or a version cannot be read."""
    start, goal = release_of(recipe, old), release_of(recipe, new)
    if start is None or goal is None or start == goal:
        return None
    return refusal_of_hop(recipe, start, goal, catalogue_of(recipe, None))


def release_of(recipe: Recipe, side: Side) -> Release | None:
    """The release a side of an upgrade is."""
    return release_in_tag(recipe, repository(side.image_ref), side.version)
