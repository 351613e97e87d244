"""How a product's version becomes an image tag and back; it asks no registry."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from runner.facts import Image
from runner.recipes.loader import without_host
from runner.recipes.model import FromEnv, FromLabel, FromTag, Recipe, RecipeImage, VersionSource
from runner.versions import Release, scheme_named

MOVING = ("latest", "stable", "edge", "main", "master", "nightly", "dev", "rolling")
"""Words that stand for no version: what they mean moves."""
BASES = ("alpine", "slim", "bullseye", "bookworm", "trixie", "focal", "jammy", "noble", "ubuntu", "ol", "centos", "ubi")
"""Words that are a tag by themselves and name what the image stands on."""
FRONT = re.compile(r"([a-z][a-z0-9.]*-)(?=\{version\}|\d)")


def tag_for(recipe: Recipe, repository: str, version: str) -> str:
    """The tag of a version in a repository; in one the recipe does not name, the version itself."""
    image = _image(recipe, repository)
    plain = scheme_named(recipe.scheme).bare(version)
    bare = plain.removeprefix("v") if image and image.tag.startswith("v{") else plain
    return image.tag.replace("{version}", bare) if image else plain


def edition_of(recipe: Recipe, repository: str) -> str:
    """The edition a repository holds: as the recipe says of it, or of one that ends alike; empty where unknown."""
    last = without_host(repository).rpartition("/")[2]
    alike = (one for one in recipe.images if one.repository.rpartition("/")[2] == last)
    image = _image(recipe, repository) or next(alike, None)
    return (image.edition or "") if image else ""


def release_in_tag(recipe: Recipe, repository: str, tag: str) -> Release | None:
    """The release a tag names, without a variant such as -alpine; a moving tag names none."""
    return read_tag(recipe, repository, tag)[0]


def read_tag(recipe: Recipe, repository: str, tag: str) -> tuple[Release | None, str]:
    """The release a tag names, and its variant: ``alpine`` behind it, ``ubuntu-`` before it, empty the plain one.

    A tag that moves names no release, but may be of a variant all the same: ``7.4-alpine``, ``ubuntu-7.0-latest``.
    """
    parse = scheme_named(recipe.scheme).parse
    if release := parse(tag):
        return release, ""
    image = _image(recipe, repository)
    template = image.tag if image else "{version}"
    own = FRONT.match(template)
    for shape, variant in _readings(template, tag):
        if variant not in MOVING and (release := parse(shape)):
            return release, variant
    return None, _variant_of_moving(tag, own[1] if own else "")


def _readings(template: str, tag: str) -> Iterator[tuple[str, str]]:
    """What may be the version in a tag, with the variant that it then is of."""
    for each in dict.fromkeys((template, "{version}")):
        shape = re.escape(each).replace(re.escape("{version}"), "(?P<version>.+?)")
        if match := re.fullmatch(rf"{shape}(?:-(?P<variant>[a-z][a-z0-9.-]*))?", tag):
            yield match["version"], match["variant"] or ""
    if front := FRONT.match(tag):
        yield tag[front.end() :], front[1]


def _variant_of_moving(tag: str, own: str) -> str:
    """The variant of a tag that names no release; ``own`` is what stands before every version here."""
    for word in MOVING:
        tag = tag.removesuffix(f"-{word}")
    front, behind = FRONT.match(tag), re.fullmatch(r".+?-([a-z][a-z0-9.-]*)", tag)
    if front and tag[front.end() :][:1].isdigit():
        return front[1] if front[1] != own else ""
    if tag in BASES:
        return tag if not own else f"{tag}-".replace(own, "")
    return behind[1] if behind else ""


def stated_version(recipe: Recipe, home: str, tag: str, image: Image) -> str:
    """The version an image says it has, by the first of the recipe's sources that its scheme can read; else empty.

    Only what the image itself carries is looked at: its labels, the tag it goes by, the variables it sets.
    """
    said = (_said_by(source, image, tag) for source in recipe.version_from)
    return next((one for one in said if one and release_in_tag(recipe, home, one)), "")


def other_release(recipe: Recipe, home: str, version: str, data: str, parts: int) -> str:
    """The release of some data where it is another than the image's, as far as the data tells; else empty."""
    its, image = (release_in_tag(recipe, home, text) for text in (data, version))
    if its is None or (image is not None and _alike(its, image, parts)):
        return ""
    return its.text


def _alike(one: Release, other: Release, parts: int) -> bool:
    return one.rank == other.rank if parts >= len(one.numbers) else one.major(parts) == other.major(parts)


def _said_by(source: VersionSource, image: Image, tag: str) -> str:
    match source:
        case FromLabel():
            return image.labels.get(source.label, "")
        case FromTag():
            return tag
        case FromEnv():
            found = re.search(source.regex, image.variables.get(source.name, ""))
            return found[1] if found else ""
        case _:
            return ""  # only a running container can be asked


def tags_by_release(recipe: Recipe, repository: str, tags: Iterable[str], variant: str) -> dict[Release, str]:
    """The tag of each release among these, of one variant alone; tags that name no release are left out."""
    read = ((tag, *read_tag(recipe, repository, tag)) for tag in sorted(tags))
    return {release: tag for tag, release, kind in read if release and kind == variant}


def _image(recipe: Recipe, repository: str) -> RecipeImage | None:
    path = without_host(repository)
    return next((image for image in recipe.images if image.repository == path), None)
