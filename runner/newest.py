"""The newest release within a constraint that a target may go to at once; it asks no registry and pulls nothing."""

from __future__ import annotations

from runner.catalogue import Catalogue
from runner.constraint import Constraint
from runner.engine.port import EnginePort
from runner.errors import NothingToDo, Refused
from runner.facts import Container
from runner.outlook import outlook
from runner.paths import catalogue_of
from runner.recipes.loader import recipe_for_image
from runner.recipes.model import Recipe
from runner.recipes.tags import release_in_tag, tag_for
from runner.versions import Release
from runner.way import repository, side


def newest_tag(engine: EnginePort, target: Container, constraint: Constraint) -> str:
    """The tag to go to: of what the recipe and the engine know, the newest the vendor's rules reach in one hop.

    NothingToDo ``nothing-newer``; Refused ``version-unknown`` where versions of this image cannot be compared.
    """
    home, image = repository(target.image_ref), engine.image(target.image_id)
    recipe = recipe_for_image(home)
    current = release_in_tag(recipe, home, image.version or side(image, target.image_ref).version) if recipe else None
    if recipe is None or current is None:
        what = f"The version of {target.name} cannot be read, so nothing can be newer ({constraint.text})."
        raise Refused("version-unknown", what, then="Name the version: --to VERSION")
    known = _known(engine, recipe, home)
    among = [one for one in known.releases if constraint.admits(one)]
    view = outlook(recipe, current, Catalogue(known.scheme, tuple(among), complete=False, dates=known.dates))
    if view.refusal is not None and not view.path:
        raise Refused("no-path", f"{view.newest} is within {constraint.text}, but barred: {view.refusal.why}",
                      then=f"refloat versions {target.name}")  # fmt: skip
    if not view.path:
        what = f"{target.name} runs {current}; nothing newer within {constraint.text} is known."
        raise NothingToDo("nothing-newer", what, "Nothing needs to be done.", f"refloat versions {target.name}")
    return tag_for(recipe, home, view.path[0].text) + _variant(target, home, current)


def _known(engine: EnginePort, recipe: Recipe, home: str) -> Catalogue:
    known = catalogue_of(recipe)
    tags = (tag for image in engine.images() for tag in image.tags if repository(tag) == home)
    local = {release for tag in tags if (release := release_in_tag(recipe, home, tag[len(home) + 1 :]))}
    return Catalogue(known.scheme, tuple(sorted({*known.releases, *local})), complete=False, dates=known.dates)


def _variant(target: Container, home: str, current: Release) -> str:
    """What follows the version in the tag that runs, such as ``-alpine``."""
    tag = target.image_ref.partition("@")[0][len(home) + 1 :]
    _, found, after = tag.partition(current.text)
    return after if found else ""
