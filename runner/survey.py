"""Engine → facts: it reads what a plan needs and changes nothing of the user's (it may pull the image asked for)."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator

from runner.engine.port import EnginePort
from runner.errors import EngineError, EngineUnreachable, NotFound, OutcomeUnknown, Refused
from runner.facts import Container, Image, Volume
from runner.goal import Goal, Pull, image_ref, pull_policy
from runner.inquiry import inquire
from runner.installed import read_installed
from runner.labels import RUN
from runner.plan import Side
from runner.spec import data_mounts
from runner.vault.port import Measured, Source, Space, VaultPlace, VaultPort
from runner.way import recipe_of
from runner.world import World

SILENT = ("registry-unreachable", "registry-unknown-ca", "registry-rate-limit")
"""Refusals of a registry after which a local image of that very name will do, with a warning."""
UNKNOWN = ("registry-no-such-tag", "registry-denied", "not-found")
"""The same, but only where nobody asked for a pull: the image may have been built here."""


def survey(engine: EnginePort, vault: VaultPort, target: Container, goal: Goal, place: VaultPlace,
           hear: Callable[[str], None], *, measure: bool = True) -> World:  # fmt: skip
    """Read the whole world of one target; Refused ``no-such-image`` and what the engine raises."""
    old_image = engine.image(target.image_id)
    ref = image_ref(goal, target, old_image)
    new_image, notices = obtain_image(engine, ref, pull_policy(goal, ref), hear, asked=goal.pull is not None)
    world = look_around(engine, vault, target, new_image, ref, place, measure=measure, notices=notices)
    recipe = recipe_of(world)
    installed = read_installed(engine, target, world.old_image, recipe)
    return world.model_copy(update={"inquired": inquire(engine, target, recipe), "installed": installed})


def look_around(engine: EnginePort, vault: VaultPort, target: Container, new_image: Image, ref: str, place: VaultPlace,
                *, measure: bool, notices: tuple[str, ...] = (), run: str = "") -> World:  # fmt: skip
    """Read the surroundings of a target whose new image is known; ``run`` is the run that goes on from there."""
    sources = data_mounts(target)
    measured: tuple[Measured, ...] = ()
    space = Space(free_bytes=0, free_inodes=0)
    if measure and sources:
        measured, space = vault.measure(place, sources, target.name, run)
    return World(
        engine=engine.engine(),
        target=target,
        old_image=engine.image(target.image_id),
        new_image=new_image,
        new_ref=ref,
        others=tuple(
            other
            for other in engine.containers()
            if other.id != target.id and not (run and other.labels.get(RUN) == run)
        ),
        changes=engine.changes(target.id),
        sources=sources,
        volumes=tuple(_volumes(engine, sources)),
        place=place,
        measured=measured,
        space=space if measure and sources else Space(free_bytes=2**62, free_inodes=0),
        notices=notices,
    )


def _works_for(container: Container, run: str) -> bool:
    return run != "" and container.labels.get(RUN) == run


def _volumes(engine: EnginePort, sources: tuple[Source, ...]) -> Iterator[Volume]:
    for source in sources:
        if source.volume:
            with contextlib.suppress(NotFound):  # the copy will say so
                yield engine.volume(source.volume)


def obtain_image(engine: EnginePort, ref: str, policy: Pull, hear: Callable[[str], None],
                 *, asked: bool) -> tuple[Image, tuple[str, ...]]:  # fmt: skip
    """The image of that name, pulled as the policy says, with what was odd about it; Refused ``no-such-image``."""
    local = local_image(engine, ref)
    if policy == "never":
        if local is None:
            raise Refused(
                "no-such-image", f"There is no image {ref} here.", then=f"docker pull {ref}, or: --pull missing"
            )
        return local, ()
    if local is not None and policy == "missing":
        return local, ()
    try:
        engine.pull(ref, hear)
    except (EngineUnreachable, OutcomeUnknown):
        raise
    except EngineError as error:
        if local is not None and (error.code in SILENT or (error.code in UNKNOWN and not asked)):
            return local, (
                f"{ref} could not be pulled ({error.what.rstrip('.')}): the local image of that name is used",
            )
        raise _not_to_be_had(ref, error) from None
    return engine.image(ref), ()


def planned_image(engine: EnginePort, side: Side) -> Image:
    """The very image a plan names; where it is gone it is pulled by its digest, for its tag may have moved. Refused."""
    image = local_image(engine, side.image_id)
    if image is None and side.digest:
        try:
            engine.pull(side.digest)
        except (EngineUnreachable, OutcomeUnknown):
            raise
        except EngineError as error:
            raise _not_to_be_had(side.digest, error) from None
        image = local_image(engine, side.image_id)
    if image is None:
        what = f"{side.image_ref} is not the image any more that the plan was made for, and that one is gone."
        raise Refused("no-such-image", what, then="Make the plan anew.")
    return image


def local_image(engine: EnginePort, ref: str) -> Image | None:
    """The local image of that name, or None."""
    try:
        return engine.image(ref)
    except NotFound:
        return None


def _not_to_be_had(ref: str, error: EngineError) -> Refused:
    code = "no-such-image" if error.code in UNKNOWN else error.code
    return Refused(
        code, f"{ref} cannot be had: {error.what}", then=error.then or "See the version's name: docker images"
    )
