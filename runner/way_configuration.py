"""The part of an upgrade's way that asks the new image, and that brings its configuration in; it touches nothing."""

from __future__ import annotations

import re

from runner.labels import CHECKER
from runner.recipes.model import Recipe
from runner.recipes.work import PackageList, Preflight
from runner.spec.data import is_within
from runner.steps.configuration import CheckConfiguration, CheckDraft, PrepareRefresh, RefreshConfiguration
from runner.steps.nouns import Existing, Ours, Phase
from runner.steps.packages import ComparePackages
from runner.vault.configuration import RefreshOrder
from runner.vault.port import Room, Source
from runner.world import World

_PATHS = re.compile(r"(?:^|[\s'\"])(/[^\s'\"]+)")
"""The paths in a word of a command line, which may be a whole line for a shell."""


def prepare_refresh(world: World, recipe: Recipe | None, old: Existing, successor: Ours,
                    room: Room) -> tuple[PrepareRefresh | CheckDraft, ...]:  # fmt: skip
    """What is done about it while the old version serves; without a recipe nothing is checked."""
    if world.refresh is None:
        return ()
    order = world.refresh.order
    cause = "a conflict that is not the one answered shows now, at no cost"
    sources = sources_of(order, world.sources)
    checks = (_check(world, each, successor) for each in (recipe.preflight if recipe else ()) if _is_about(each, order))
    return (
        PrepareRefresh(cause=cause, who=old, room=room, sources=sources, order=order),
        *(_on_a_draft(check, old, room, sources, order) for check in checks),
    )


def refresh_steps(world: World, recipe: Recipe | None, old: Existing, successor: Ours,
                  room: Room) -> tuple[RefreshConfiguration | CheckConfiguration, ...]:  # fmt: skip
    """What is done between the snapshot and the start; without a recipe nothing is checked."""
    if world.refresh is None:
        return ()
    order = world.refresh.order
    refresh = RefreshConfiguration(
        cause="new defaults come in, what was changed by hand stays",
        who=old,
        room=room,
        sources=sources_of(order, world.sources),
        order=order,
        expected=world.refresh.found.spoken,
    )
    checks = recipe.preflight if recipe else ()
    return (refresh, *(_check(world, each, successor) for each in checks if _is_about(each, order)))


def checks_beforehand(world: World, recipe: Recipe | None, successor: Ours) -> tuple[CheckConfiguration, ...]:
    """The new version's checks of what is not refreshed, while the old version serves."""
    checks = [each for each in (recipe.preflight if recipe else ()) if each.where == "target-image"]
    if world.refresh:
        checks = [each for each in checks if not _is_about(each, world.refresh.order)]
    steps = (_check(world, each, successor) for each in checks)
    return tuple(step.model_copy(update={"phase": Phase.PREPARE}) for step in steps)


def packages_beforehand(world: World, due: tuple[PackageList, ...], old: Existing,
                        successor: Ours) -> tuple[ComparePackages, ...]:  # fmt: skip
    """The comparison of runtime packages, while the old version serves."""
    return tuple(
        ComparePackages(
            phase=Phase.PREPARE,
            cause=f"the runtime changes with {one.at}" if one.at else "packages of your own must stay",
            who=_checker(world, successor),
            successor=successor,
            image_id=world.new_image.id,
            argv=one.argv,
            old=old,
            minimums=one.minimums,
            ordinary=one.ordinary,
            required=one.required,
        )
        for one in due
    )


def _checker(world: World, successor: Ours) -> Ours:
    return Ours(run=successor.run, role=CHECKER, name=f"{world.target.name}-refloat-check")


def sources_of(order: RefreshOrder, sources: tuple[Source, ...]) -> tuple[Source, ...]:
    """The sources that hold one of the places."""
    keys = {place.key for place in order.places}
    return tuple(source for source in sources if source.key in keys)


def _is_about(check: Preflight, order: RefreshOrder) -> bool:
    """Whether a check of the new image reads what is refreshed; one that names no file knows itself where that is."""
    files = [file for word in check.argv for file in _PATHS.findall(word)]
    here = any(is_within(file, place.path) for file in files for place in order.places)
    return check.where == "target-image" and (here or not files)


def _check(world: World, check: Preflight, successor: Ours) -> CheckConfiguration:
    return CheckConfiguration(
        cause=check.why,
        who=_checker(world, successor),
        successor=successor,
        image_id=world.new_image.id,
        argv=check.argv,
        entrypoint=check.entrypoint,
        exit_status=check.exit_status,
        danger=check.danger or "",
    )


def _on_a_draft(check: CheckConfiguration, old: Existing, room: Room, sources: tuple[Source, ...],
                order: RefreshOrder) -> CheckDraft:  # fmt: skip
    same = check.model_dump(exclude={"kind", "phase"})
    return CheckDraft.model_validate({**same, "owner": old, "room": room, "sources": sources, "order": order})
