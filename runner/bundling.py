"""Packs what a target's way needs where there is no registry, and unpacks it there; it upgrades nothing."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from runner.bundle import BundleHead, Packed, images_in, read_bundle, write_bundle
from runner.destination import settled_goal
from runner.engine.freight import Freight
from runner.engine.port import EnginePort
from runner.errors import NotFound, Refused, UsageError
from runner.goal import Goal, image_ref, pull_policy
from runner.hopping import path_to
from runner.journal import write_durably
from runner.options import Options
from runner.recipes.loader import is_own, recipe_for_image, text_of
from runner.recipes.reading import recipe_from_yaml
from runner.survey import obtain_image
from runner.targets import find_target
from runner.verbs import Refloat
from runner.way import repository, side

ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64", "armv7l": "arm"}
"""What an engine calls itself, as images call it."""


class Loaded(NamedTuple):
    """What a bundle brought."""

    head: BundleHead
    known_recipe: bool
    """Whether its recipe is the one in force here."""
    kept: Path | None
    """Where its recipe was put, where it is the user's."""


def create_bundle(refloat: Refloat, freight: Freight, target: str, goal: Goal, tools: str, file: Path) -> BundleHead:
    """Fetch every image of the way and write them with the tools image and the recipe; raises as a plan does."""
    engine, ask = refloat.session.engine, refloat.session.ask_registry
    container = find_target(engine, target)
    old = engine.image(container.image_id)
    settled, _ = settled_goal(engine, container, goal, ask)
    hops = path_to(refloat, target, settled, Options())
    home = repository(container.image_ref)
    refs = tuple(f"{home}:{tag}" for tag in hops.tags) if hops else (image_ref(settled, container, old),)
    found = [(ref, obtain_image(engine, ref, pull_policy(goal, ref), lambda _: None, asked=goal.pull is not None)[0])
             for ref in refs]  # fmt: skip
    recipe = recipe_for_image(home)
    head = BundleHead(
        made_at=refloat.session.now(),
        target=container.name,
        path=(side(old, container.image_ref).version, *(side(image, ref).version for ref, image in found)),
        images=tuple(Packed(ref=ref, id=image.id) for ref, image in (*found, (tools, engine.image(tools)))),
        os=found[0][1].os,
        architecture=found[0][1].architecture,
        recipe=recipe.name if recipe else "",
        own_recipe=bool(recipe and is_own(recipe.name)),
    )
    write_bundle(file, head, text_of(head.recipe), freight.save([one.ref for one in head.images]))
    return head


def load_bundle(engine: EnginePort, freight: Freight, file: Path, recipes: Path) -> Loaded:
    """Load a bundle proven whole and made for this kind of machine; a recipe of the user's is kept in ``recipes``.

    Refused ``bundle-foreign``, ``bundle-damaged``, ``bundle-recipe``, ``platform`` before anything is loaded;
    ``bundle-damaged`` too where the images are not those that were packed.
    """
    head, recipe = read_bundle(file)
    if head.own_recipe:
        _check_recipe(head, recipe, file)
    here = engine.engine()
    architecture = ARCHITECTURES.get(here.architecture, here.architecture)
    if (here.os, architecture) != (head.os, head.architecture):
        what = f"{file} is for {head.os}/{head.architecture}, this engine is {here.os}/{architecture}."
        raise Refused("platform", what, then="Make one on a machine of this kind.")
    freight.load(images_in(file))
    for one in head.images:
        _check_loaded(engine, one)
    kept = recipes / f"{head.recipe}.yaml" if head.own_recipe else None
    if kept:
        recipes.mkdir(parents=True, exist_ok=True)
        write_durably(kept, recipe)
    return Loaded(head, kept is not None or recipe == text_of(head.recipe), kept)


def _check_recipe(head: BundleHead, text: str, file: Path) -> None:
    """What a bundle brings along for every later command has to be readable here."""
    then = "Make it with a refloat of this very version."
    try:
        name = recipe_from_yaml(text, f"the recipe in {file.name}").name
    except UsageError as wrong:
        raise Refused("bundle-recipe", wrong.what, then=then) from None
    if name != head.recipe:
        raise Refused("bundle-recipe", f"{file} names its recipe {head.recipe}, and brings {name}.", then=then)


def _check_loaded(engine: EnginePort, packed: Packed) -> None:
    try:
        same = engine.image(packed.ref).id == packed.id
    except NotFound:
        same = False
    if not same:
        what = f"{packed.ref} did not arrive as it was packed ({packed.id[:19]})."
        raise Refused("bundle-damaged", what, "The other images of the bundle were loaded; no container was touched.")
