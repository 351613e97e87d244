"""Where one target could go: the releases known, the way and what bars it; it asks only whom it is given to ask."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from runner.catalogue import Catalogue
from runner.engine.port import EnginePort
from runner.errors import UsageError
from runner.facts import Container, Fact, Image
from runner.goal import home_of
from runner.hop_rulings import release_of
from runner.installed import side_now
from runner.outlook import Outlook, outlook
from runner.paths import catalogue_of
from runner.plan import Side
from runner.recipes.loader import recipe_for_image
from runner.recipes.model import Recipe
from runner.recipes.tags import read_tag, tag_for, tags_by_release
from runner.registry.listing import Listing, not_asked
from runner.targets import find_target
from runner.versions import Release
from runner.way import repository, side

Ask = Callable[[str], Listing]
"""Gives the tags of a repository, or why they could not be seen; it never fails."""


class Prospect(Fact):
    """What lies ahead of one target; empty fields where nothing is known."""

    target: str
    image: str
    version: str
    data: str = ""
    """The version of its data, where that is another: the rules are asked for it."""
    product: str = ""
    newest: str = ""
    reachable: str = ""
    """How far the vendor's rules let this version go towards the newest."""
    path: tuple[str, ...] = ()
    rule: str = ""
    why_not: str = ""
    """What bars the way to the newest."""
    source: str = ""
    here: tuple[str, ...] = ()
    """Tags of the same repository that are on the engine, the running one left out."""
    next_tag: str = ""
    variant: str = ""
    """The kind of tags that were compared: ``alpine`` behind the version, ``ubuntu-`` before it."""
    registry: str = ""
    """Who was asked for tags."""
    registry_tags: int = 0
    unseen: str = ""
    """Why the registry's tags are not among what is known."""
    releases_given: bool = False
    """Whether a list of the user's was all that counted."""


@dataclass(frozen=True)
class Standpoint:
    """A target as its recipe sees it."""

    recipe: Recipe
    home: str
    current: Release
    here: Side
    variant: str = ""
    """Of the running tag, as ``read_tag`` has it: only tags of the same kind are compared."""


def read_prospect(engine: EnginePort, text: str, ask: Ask = not_asked,
                  releases: tuple[str, ...] | None = None) -> Prospect:  # fmt: skip
    """Look at a target and what is known of its product; ``releases`` stand for all that exist."""
    target = find_target(engine, text)
    image = engine.image(target.image_id)
    home = _home(target, image)
    here = tuple(tag for tag in local_tags(engine, home) if f"{home}:{tag}" not in image.tags)
    plain = Prospect(
        target=target.name, image=target.image_ref, version=side(image, target.image_ref).version, here=here
    )
    at = standpoint(engine, target, image, home) if home else None
    if at is None:
        recipe = recipe_for_image(home) if home else None
        return plain.model_copy(update={"product": recipe.title if recipe else ""})
    listing = ask(home) if releases is None else not_asked(home)
    told = plain.model_copy(
        update={
            "product": at.recipe.title,
            "version": at.here.version,
            "data": at.here.data,
            "variant": at.variant,
            "registry": listing.registry,
            "registry_tags": len(listing.tags),
            "unseen": listing.unseen,
            "releases_given": releases is not None,
        }
    )
    known = tags_by_release(at.recipe, home, (*here, *listing.tags), at.variant)
    among = catalogue_of(at.recipe, releases) if releases is not None else known_releases(at, known, listing)
    return _ahead(told, at, outlook(at.recipe, at.current, among), known)


def _home(target: Container, image: Image) -> str:
    try:
        return home_of(target, image)
    except UsageError:
        return ""


def standpoint(engine: EnginePort, target: Container, image: Image, home: str) -> Standpoint | None:
    """Where a target stands, its data before its image; None without a recipe, or where no version can be read."""
    recipe = recipe_for_image(home)
    if recipe is None:
        return None
    here = side_now(engine, target, image)
    current = release_of(recipe, here)
    tag = target.image_ref.partition("@")[0][len(home) + 1 :]
    return Standpoint(recipe, home, current, here, read_tag(recipe, home, tag)[1]) if current else None


def tag_of(at: Standpoint, tags: dict[Release, str], release: Release) -> str:
    """The tag that was seen, else the one the recipe makes, of the variant that runs."""
    made = tag_for(at.recipe, at.home, release.text)
    if at.variant.endswith("-"):
        made = f"{at.variant}{release.text}"
    elif at.variant:
        made = f"{made}-{at.variant}"
    return tags.get(release) or made


def local_tags(engine: EnginePort, home: str) -> tuple[str, ...]:
    """The tags of a repository that are on the engine."""
    every = (tag for image in engine.images(home) for tag in image.tags if repository(tag) == home)
    return tuple(sorted(tag[len(home) + 1 :] for tag in every))


def known_releases(at: Standpoint, tags: Iterable[Release], listing: Listing) -> Catalogue:
    """What can be had: all of it where the registry answered; else a part, and the recipe's list, never complete."""
    known = catalogue_of(at.recipe)
    found = {*tags}
    if listing.whole and found:
        return Catalogue(known.scheme, tuple(sorted({*found, at.current})), complete=True, dates=known.dates)
    return Catalogue(known.scheme, tuple(sorted({*known.releases, *found})), complete=False, dates=known.dates)


def _ahead(told: Prospect, at: Standpoint, view: Outlook, tags: dict[Release, str]) -> Prospect:
    path = view.path
    return told.model_copy(
        update={
            "newest": view.newest.text if view.newest else "",
            "reachable": view.reachable.text if view.reachable else "",
            "path": tuple(release.text for release in path),
            "rule": view.refusal.rule if view.refusal else "",
            "why_not": view.refusal.why if view.refusal else "",
            "source": view.refusal.source if view.refusal else "",
            "next_tag": tag_of(at, tags, path[0]) if path else "",
        }
    )
