"""Which versions of products lie on an engine and are used by no container and no way back; it removes nothing."""

from __future__ import annotations

from collections.abc import Iterator

from runner.facts import Container, Fact, Image
from runner.plan import HELD
from runner.recipes.loader import recipe_for_image
from runner.recipes.model import Recipe
from runner.recipes.tags import release_in_tag
from runner.versions import Release
from runner.way import repository


class Unused(Fact):
    """One name of an image that is an old version of what runs here."""

    tag: str
    why: str
    size_bytes: int


def unused_versions(images: tuple[Image, ...], containers: tuple[Container, ...]) -> Iterator[Unused]:
    """Tags that are older than every version of their repository that a container has, running or not.

    Newer ones may be meant for the next upgrade; one that cannot be read, or that a way back holds, is no old version.
    """
    used = {container.image_id for container in containers}
    lowest = _lowest(images, used)
    for image in images:
        if image.id in used or any(tag.startswith(HELD) for tag in image.tags):
            continue
        for tag in image.tags:
            home = repository(tag)
            release = _release(tag)
            if release and home in lowest and release.rank < lowest[home].rank:
                why = f"no container uses it: the oldest in use is {lowest[home]}"
                yield Unused(tag=tag, why=why, size_bytes=image.size_bytes if len(image.tags) == 1 else 0)


def _lowest(images: tuple[Image, ...], used: set[str]) -> dict[str, Release]:
    """The oldest release in use of each repository; none of one where a version in use cannot be read."""
    found: dict[str, list[Release | None]] = {}
    for image in images:
        for tag in image.tags if image.id in used else ():
            found.setdefault(repository(tag), []).append(_release(tag))
    sure = {home: [one for one in releases if one] for home, releases in found.items() if all(releases)}
    return {home: min(releases, key=lambda one: one.rank) for home, releases in sure.items()}


def _release(tag: str) -> Release | None:
    recipe: Recipe | None = recipe_for_image(repository(tag))
    return release_in_tag(recipe, repository(tag), tag[len(repository(tag)) + 1 :]) if recipe else None
