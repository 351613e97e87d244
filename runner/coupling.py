"""What moves with a product, who that is on this engine, and families that are never mixed; it touches nothing."""

from __future__ import annotations

from runner.facts import VERSION_LABEL, Container, Fact
from runner.labels import READERS, ROLE
from runner.plan import PlanWarning, Side
from runner.recipes.due import coupled_at
from runner.recipes.loader import recipe_for_image
from runner.recipes.model import Recipe
from runner.recipes.tags import release_in_tag
from runner.recipes.work import Coupled, Family
from runner.stack_order import DATABASES
from runner.versions import Release, series_from
from runner.way import arriving_recipe, repository, side
from runner.world import World

ORDER = {"before": "goes before it", "after": "goes after it", "together": "goes together with it"}
EVERYBODYS = frozenset({"bridge", "host", "none"})
"""The networks that say nothing about who works with whom."""


def coupled_warnings(world: World, members: tuple[Container, ...] = ()) -> tuple[PlanWarning, ...]:
    """What a plan says of the components that move with the new version, but for those that go along as members."""
    recipe = arriving_recipe(world)
    into = _release(recipe, side(world.new_image, world.new_ref)) if recipe else None
    if recipe is None or into is None:
        return ()
    coupled = (one for one in coupled_at(recipe, into) if not any(_is_meant(recipe, one, each) for each in members))
    return tuple(PlanWarning(code="coupled", text=_spoken(recipe, one, world)) for one in coupled)


def _spoken(recipe: Recipe, coupled: Coupled, world: World) -> str:
    needs = f"; what fits: {coupled.needs}" if coupled.needs else ""
    at_hand = (each for each in world.others if each.labels.get(ROLE) not in READERS)
    here = ", ".join(f"{each.name} ({_version(each)})" for each in at_hand if _is_meant(recipe, coupled, each))
    found = f" Here: {here}." if here else ""
    return f"{coupled.component} {ORDER[coupled.order]}{needs}. {coupled.why}{found} ({coupled.source})"


def _is_meant(recipe: Recipe, coupled: Coupled, container: Container) -> bool:
    """Whether a container is the component, by its own recipe; those of a family are all of its products."""
    its = recipe_for_image(repository(container.image_ref))
    if its is None:
        return False
    kin = its.family.component if its.family and recipe.family else ""
    return coupled.component in (its.name, *its.names, kin) or (
        coupled.component == "database" and its.name in DATABASES
    )


def family_warnings(world: World) -> tuple[PlanWarning, ...]:
    """What a plan of one says where another family of its products shares a network or data with it."""
    near = (each for each in world.others if _shares(world.target, each))
    kin = (_kin(each.name, Side(image_ref=each.image_ref, image_id="", version=_version(each))) for each in near)
    return tuple(PlanWarning(code="family", text=text) for text in _mixed((_arriving(world), *kin)))


def mixed_families(worlds: tuple[World, ...]) -> tuple[str, ...]:
    """What to say against targets that go together and would be of several families of the same products."""
    return _mixed(tuple(_arriving(world) for world in worlds))


class _Kin(Fact):
    """A product that belongs to one of several families."""

    spoken: str
    family: Family
    line: str


def _mixed(found: tuple[_Kin | None, ...]) -> tuple[str, ...]:
    kin = tuple(each for each in found if each)
    names = dict.fromkeys(one.family.component for one in kin)
    groups = (tuple(one for one in kin if one.family.component == name) for name in names)
    return tuple(_said_of(group) for group in groups if len({one.line for one in group}) > 1)


def _said_of(group: tuple[_Kin, ...]) -> str:
    listed = ", ".join(f"{one.spoken} is of the family {one.line}" for one in group)
    return f"{listed}. {group[0].family.why} ({group[0].family.source})"


def _arriving(world: World) -> _Kin | None:
    return _kin(world.target.name, side(world.new_image, world.new_ref))


def _kin(name: str, one: Side) -> _Kin | None:
    recipe = recipe_for_image(repository(one.image_ref))
    release = _release(recipe, one) if recipe else None
    if recipe is None or release is None or recipe.family is None:
        return None
    pairs = ((series_from(series), line) for series, line in recipe.family.lines.items())
    line = next((line for series, line in pairs if release.series(len(series)) == series), "")
    return _Kin(spoken=f"{name} ({recipe.title} {release})", family=recipe.family, line=line) if line else None


def _shares(target: Container, other: Container) -> bool:
    """Whether both are on a network somebody made, or have a volume in common."""
    networks = ({each.network for each in one.endpoints} - EVERYBODYS for one in (target, other))
    volumes = ({mount.name for mount in one.mounts if mount.name} for one in (target, other))
    return any(bool(first & second) for first, second in (tuple(networks), tuple(volumes)))


def _release(recipe: Recipe, one: Side) -> Release | None:
    return release_in_tag(recipe, repository(one.image_ref), one.version)


def _version(container: Container) -> str:
    return container.labels.get(VERSION_LABEL) or container.image_ref.rpartition(":")[2]
