"""Every container that could be upgraded, what it is, and why not where it cannot; it reads and changes nothing."""

from __future__ import annotations

from runner.answers import Answer
from runner.due_now import count_unread_ahead
from runner.engine.port import EnginePort
from runner.errors import NotFound, Refused
from runner.facts import Container, Engine, Fact, Image
from runner.labels import READERS, REHEARSAL, ROLE
from runner.refusals import refuse_unfit
from runner.spec import data_mounts
from runner.targets import is_parked, service_of
from runner.vault.port import Space, VaultPlace
from runner.way import recipe_of, side
from runner.world import World

PLENTY = 2**62
"""Space is measured when a plan is made, not for a list."""


class Entry(Fact):
    """One target."""

    name: str
    id: str
    service: str = ""
    """``project/service`` where compose made it."""
    image: str
    version: str = ""
    product: str = ""
    recipe: str = ""
    status: str
    data: tuple[str, ...] = ()
    why_not: str = ""
    """Why it cannot be upgraded as it stands; empty where it can."""
    code: str = ""
    notes_unread: int = 0
    """How many incompatible changes its recipe knows of later versions that nobody has acknowledged."""


def read_inventory(engine: EnginePort, answers: tuple[Answer, ...] = ()) -> tuple[Entry, ...]:
    """All targets by name, after the answers given so far; refloat's own containers and parked versions are none."""
    about, everyone = engine.engine(), engine.containers()
    targets = (each for each in everyone if not _is_ours(each) and not is_parked(each, everyone))
    images: dict[str, Image | None] = {}
    entries = []
    for target in targets:
        if target.image_id not in images:
            images[target.image_id] = _image(engine, target.image_id)
        entries.append(entry(about, target, images[target.image_id], everyone, answers))
    return tuple(sorted(entries, key=lambda each: each.name))


def _is_ours(container: Container) -> bool:
    """Whether it only serves a run or a rehearsal; a successor became the user's own."""
    return container.labels.get(ROLE) in READERS or REHEARSAL in container.labels


def _image(engine: EnginePort, image_id: str) -> Image | None:
    try:
        return engine.image(image_id)
    except NotFound:
        return None


def entry(about: Engine, target: Container, image: Image | None, everyone: tuple[Container, ...],
          answers: tuple[Answer, ...] = ()) -> Entry:  # fmt: skip
    """One target as the planner would see it."""
    plain = Entry(
        name=target.name,
        id=target.short_id,
        service=service_of(target),
        image=target.image_ref,
        status=target.state.status,
        data=tuple(source.spoken for source in data_mounts(target)),
    )
    if image is None:
        return plain.model_copy(update={"code": "image-gone", "why_not": "its image is not on the engine any more"})
    world = _world(about, target, image, everyone)
    recipe = recipe_of(world)
    code, why_not = _refusal(world)
    here = side(image, target.image_ref)
    return plain.model_copy(
        update={
            "version": here.version,
            "product": recipe.title if recipe else "",
            "recipe": recipe.name if recipe else "",
            "notes_unread": count_unread_ahead(recipe, target.name, here, answers) if recipe else 0,
            "code": code,
            "why_not": why_not,
        }
    )


def _world(about: Engine, target: Container, image: Image, everyone: tuple[Container, ...]) -> World:
    return World(
        engine=about,
        target=target,
        old_image=image,
        new_image=image,
        new_ref=target.image_ref,
        others=tuple(each for each in everyone if each.id != target.id),
        changes=(),
        sources=data_mounts(target),
        place=VaultPlace(),
        measured=(),
        space=Space(free_bytes=PLENTY, free_inodes=0),
    )


def _refusal(world: World) -> tuple[str, str]:
    try:
        refuse_unfit(world)
    except Refused as no:
        return no.code, " ".join(no.what.split("\n"))
    return "", ""
