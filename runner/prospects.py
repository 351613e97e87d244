"""Where one target could go: the releases known, the local images, the way and what bars it; it asks no registry."""

from __future__ import annotations

from runner.catalogue import Catalogue
from runner.engine.port import EnginePort
from runner.facts import Fact, Image
from runner.outlook import Outlook, outlook, refusal_of_hop
from runner.paths import NoPath, catalogue_of
from runner.recipes.loader import recipe_for_image
from runner.recipes.model import Recipe
from runner.recipes.tags import release_in_tag, tag_for
from runner.targets import find_target
from runner.versions import Release
from runner.way import repository, side


class Prospect(Fact):
    """What lies ahead of one target; empty fields where nothing is known."""

    target: str
    image: str
    version: str
    product: str = ""
    newest: str = ""
    reachable: str = ""
    """How far the vendor's rules let this version go towards the newest."""
    path: tuple[str, ...] = ()
    why_not: str = ""
    """What bars the way to the newest."""
    source: str = ""
    here: tuple[str, ...] = ()
    """Tags of the same repository that are on the engine, the running one left out."""
    next_tag: str = ""


def read_prospect(engine: EnginePort, text: str) -> Prospect:
    """Look at a target and what is known of its product."""
    target = find_target(engine, text)
    image = engine.image(target.image_id)
    home = repository(target.image_ref)
    here = tuple(tag for tag in _tags(engine, home) if f"{home}:{tag}" not in image.tags)
    plain = Prospect(
        target=target.name, image=target.image_ref, version=side(image, target.image_ref).version, here=here
    )
    recipe = recipe_for_image(home)
    if recipe is None:
        return plain
    named = plain.model_copy(update={"product": recipe.title})
    current = _current(recipe, home, image, plain.version)
    if current is None:
        return named
    return _ahead(named, recipe, home, outlook(recipe, current, _known(recipe, home, here)))


def refused_hop(recipe: Recipe, old: Image, old_ref: str, new: Image, new_ref: str) -> NoPath | None:
    """Why the vendor's rules forbid this very upgrade; None where they allow it or a version cannot be read."""
    start = _current(recipe, repository(old_ref), old, side(old, old_ref).version)
    goal = _current(recipe, repository(new_ref), new, side(new, new_ref).version)
    if start is None or goal is None or start == goal:
        return None
    return refusal_of_hop(recipe, start, goal, catalogue_of(recipe, None))


def _tags(engine: EnginePort, home: str) -> tuple[str, ...]:
    every = (tag for image in engine.images() for tag in image.tags if repository(tag) == home)
    return tuple(sorted(tag[len(home) + 1 :] for tag in every))


def _current(recipe: Recipe, home: str, image: Image, version: str) -> Release | None:
    return release_in_tag(recipe, home, image.version or version)


def _known(recipe: Recipe, home: str, here: tuple[str, ...]) -> Catalogue:
    """What the recipe lists and what is on the engine: never complete, so it proves nothing absent."""
    known = catalogue_of(recipe)
    local = {release for tag in here if (release := release_in_tag(recipe, home, tag))}
    return Catalogue(known.scheme, tuple(sorted({*known.releases, *local})), complete=False, dates=known.dates)


def _ahead(named: Prospect, recipe: Recipe, home: str, view: Outlook) -> Prospect:
    path = tuple(release.text for release in view.path)
    return named.model_copy(
        update={
            "newest": view.newest.text if view.newest else "",
            "reachable": view.reachable.text if view.reachable else "",
            "path": path,
            "why_not": view.refusal.why if view.refusal else "",
            "source": view.refusal.source if view.refusal else "",
            "next_tag": tag_for(recipe, home, path[0]) if path else "",
        }
    )
