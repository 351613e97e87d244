"""Why an upgrade is not even begun: every reason at once, each with what to do about it; pure."""

from __future__ import annotations

from pathlib import PurePosixPath

from runner.errors import NOTHING_TOUCHED, Refused
from runner.facts import Container
from runner.labels import READERS, ROLE, RUN
from runner.spec.data import shared_with
from runner.vault.archive_port import Depot
from runner.vault.port import Source
from runner.way import kept_name, staging_name
from runner.world import SPARE_INODES, Inquired, World

Reason = tuple[str, str, str]
"""Code, what is so, what to do."""


def refuse_unfit(world: World) -> None:
    """Refused with the code of the first reason and the words of all."""
    _refuse(tuple(reason for look in (*_LOOKS, *_UPGRADES) for reason in look(world)))


def refuse_unfit_for_rollback(world: World) -> None:
    """The same for a later way back of one alone: whoever lives in its namespaces by now would lose them."""
    _refuse(tuple(reason for look in (_dependents, *_LOOKS, *_UPGRADES) for reason in look(world)))


def refuse_unfit_stack(worlds: tuple[World, ...]) -> None:
    """The same for several that go together: what they are to each other keeps none of them, and one may be stopped."""
    ids = {world.target.id for world in worlds}
    looks = (*_LOOKS, _stays, _preflight)
    apart = tuple(
        world.model_copy(update={"others": tuple(each for each in world.others if each.id not in ids)})
        for world in worlds
    )
    _refuse((*(reason for world in apart for look in looks for reason in look(world)), *_space_for_all(worlds)))


def _space_for_all(worlds: tuple[World, ...]) -> tuple[Reason, ...]:
    """One vault takes the snapshots of all."""
    needed = sum(world.needed_bytes for world in worlds)
    free = min((world.space.free_bytes for world in worlds if world.sources), default=needed)
    if free >= needed or any(_space(world) for world in worlds):
        return ()
    what = f"The vault has {_mb(free)} free. The snapshots of all need {_mb(needed)}."
    return (("no-space", what, "Make room: refloat prune, docker image prune. Or keep it elsewhere: --vault PATH"),)


def refuse_unfit_for_backup(world: World, depot: Depot) -> None:
    """The same for a copy that changes nothing: a target at rest is as good as one that runs."""
    looks = (_no_data, _ours, _steady, _shared, _vault_apart, _space)
    _refuse((*(reason for look in looks for reason in look(world)), *_archives_apart(world, depot)))


def refuse_unfit_for_restore(world: World) -> None:
    """The same for getting data back: what the present data keeps from running may be just why."""
    _refuse(tuple(reason for look in (_no_data, _stays, _dependents, *_LOOKS) for reason in look(world)))


def refuse_unready(asked: tuple[Inquired, ...]) -> None:
    """Refused ``preflight`` where the product itself says no to an upgrade; asked again right before one."""
    _refuse(_objections(asked))


def _refuse(reasons: tuple[Reason, ...]) -> None:
    if reasons:
        then = tuple(dict.fromkeys(reason[2] for reason in reasons if reason[2]))
        raise Refused(reasons[0][0], "\n".join(reason[1] for reason in reasons), NOTHING_TOUCHED, "\n".join(then))


def _ours(world: World) -> tuple[Reason, ...]:
    role = world.target.labels.get(ROLE, "")
    if role in READERS:
        return (
            ("own-container", f"{world.target.name} is refloat's own {role} container.", "List targets: refloat ls"),
        )
    return ()


def _state(world: World) -> tuple[Reason, ...]:
    target = world.target
    if target.state.alive:
        return ()
    what = f"{target.name} is not running: it is {target.state.status}."
    return (("not-running", what, f"docker start {target.name}"),)


def _no_data(world: World) -> tuple[Reason, ...]:
    if world.sources:
        return ()
    then = "See what a container has: refloat ls"
    return (("no-data", f"{world.target.name} has no data of its own: no volume and no folder it may write to.", then),)


def _steady(world: World) -> tuple[Reason, ...]:
    if world.target.state.status != "restarting":
        return ()
    what = f"{world.target.name} restarts again and again: there is no moment at which its data is at rest."
    return (("restarting", what, f"docker stop {world.target.name}, then again"),)


def _stays(world: World) -> tuple[Reason, ...]:
    return _state(world) if world.target.state.status == "removing" else ()


def _swarm(world: World) -> tuple[Reason, ...]:
    service = world.target.labels.get("com.docker.swarm.service.name", "")
    if not service:
        return ()
    return (
        ("swarm", f"{world.target.name} is a task of the Swarm service {service}.", f"docker service update {service}"),
    )


def _unfinished(world: World) -> tuple[Reason, ...]:
    name = world.target.name
    stale = {kept_name(name), staging_name(name)}
    return tuple(
        ("unfinished", f"{other.name} {_left_by(name, other)} is still there.", _finish(name, other))
        for other in world.others
        if other.name in stale
    )


def _left_by(name: str, other: Container) -> str:
    """Whose it is; the label of a kept container is that of the run that once made it, or it has none."""
    return "kept by an upgrade" if other.name == kept_name(name) else f"of run {other.labels.get(RUN) or 'unknown'}"


def _finish(name: str, other: Container) -> str:
    if other.name == kept_name(name):
        return f"Close the earlier upgrade first: refloat commit {name}, or: refloat rollback {name}"
    return f"Wait, if somebody is at work on it, on another machine perhaps. If not: refloat recover {name}"


def _dependents(world: World) -> tuple[Reason, ...]:
    mode = f"container:{world.target.id}"
    fields = ("NetworkMode", "PidMode", "IpcMode")
    return tuple(
        (
            "dependents",
            f"{other.name} lives in the {field[:-4].lower()} namespace of {world.target.name} and would lose it.",
            f"docker stop {other.name}, upgrade, then create it again",
        )
        for other in world.others
        for field in fields
        if other.state.alive and other.host_config.get(field) == mode and other.labels.get(ROLE) not in READERS
    )


def _shared(world: World) -> tuple[Reason, ...]:
    alive = tuple(other for other in world.others if other.state.alive and other.labels.get(ROLE) not in READERS)
    return tuple(
        ("data-in-use", f"{other.name} runs on {source.spoken}, too.", f"docker stop {other.name}")
        for other, source in shared_with(world.sources, alive)
    )


def _vault_apart(world: World) -> tuple[Reason, ...]:
    """A snapshot of data that holds the snapshots has no end, and what is put back would remove them."""
    place = world.place
    within = _around(world, place.volume, PurePosixPath(place.path, world.target.name) if place.path else None)
    if within is None:
        return ()
    what = f"The vault ({place.path or place.volume}) would be in the data itself: {within.spoken}."
    return (("vault-in-data", what, "Keep it elsewhere: --vault NAME|PATH"),)


def _archives_apart(world: World, depot: Depot) -> tuple[Reason, ...]:
    """Archives within the data would each hold those before them, and a restore would remove them all."""
    folder = depot.path or ("" if depot.is_remote else depot.restic)
    within = _around(world, depot.volume, PurePosixPath(folder) if folder else None)
    if within is None:
        return ()
    what = f"The archives ({depot.spoken}) would be in the data itself: {within.spoken}."
    return (("archives-in-data", what, "Keep them elsewhere: --to /DIR|volume:NAME|restic:REPOSITORY"),)


def _around(world: World, volume: str, folder: PurePosixPath | None) -> Source | None:
    """The source that a folder of the engine's host is in, or else a volume is."""
    if folder is None:
        return next((source for source in world.sources if volume and source.volume == volume), None)
    return next((source for source in world.sources if _is_in(folder, source, world)), None)


def _is_in(folder: PurePosixPath, source: Source, world: World) -> bool:
    """A volume is a folder of the engine's host, too."""
    holders = {each.source for each in world.target.mounts if each.source and each.name == source.volume != ""}
    return any(folder.is_relative_to(each) for each in (*holders, source.path) if each)


def _space(world: World) -> tuple[Reason, ...]:
    if not world.sources:
        return ()
    where = world.place.volume or world.place.path
    if world.space.free_bytes < world.needed_bytes:
        what = (
            f"The vault ({where}) has {_mb(world.space.free_bytes)} free. A snapshot needs {_mb(world.needed_bytes)}: "
            f"{_mb(world.new_bytes)} of {_mb(world.size_bytes)} of data are not in it yet, and there must be room for "
            "what is written meanwhile."
        )
        return (("no-space", what, "Make room: refloat prune, docker image prune. Or keep it elsewhere: --vault PATH"),)
    needed_inodes = world.new_entries + SPARE_INODES
    if 0 < world.space.free_inodes < needed_inodes:
        what = f"The vault ({where}) has {world.space.free_inodes} inodes free, a snapshot needs {needed_inodes}."
        return (("no-space", what, "Make room: refloat prune. Or keep it elsewhere: --vault PATH"),)
    return ()


def _platform(world: World) -> tuple[Reason, ...]:
    old, new = world.old_image, world.new_image
    if (old.os, old.architecture) == (new.os, new.architecture) or not (old.architecture and new.architecture):
        return ()
    runs = f"{world.target.name} runs {old.os}/{old.architecture}"
    what = f"{world.new_ref} is built for {new.os}/{new.architecture}, {runs}."
    return (("platform", what, "Pull the image for the right platform."),)


def _preflight(world: World) -> tuple[Reason, ...]:
    return _objections(world.inquired)


def _objections(asked: tuple[Inquired, ...]) -> tuple[Reason, ...]:
    """What the product itself says against an upgrade, asked as its recipe has it."""
    return tuple(
        (
            "preflight",
            f"{one.name} says no: {one.refused}",
            f"{one.why} See {one.source} (or leave it out: --unchecked)",
        )
        for one in asked
        if one.refused
    )


def _mb(size_bytes: int) -> str:
    return f"{size_bytes / 1e6:,.0f} MB"


_LOOKS = (_ours, _swarm, _unfinished, _shared, _platform, _vault_apart, _space)
_UPGRADES = (_state, _preflight)
