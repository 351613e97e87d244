"""Warnings about data: what is lost, left where the new version does not look, or shared; they prevent nothing."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import PurePosixPath

from runner.facts import Change, Json, Mount, MountKind
from runner.spec.data import data_mounts, is_within, shared_with, unprotected_mounts
from runner.spec.inspected import mapping, objects, text, texts
from runner.spec.model import SpecWarning, Upgrade
from runner.spec.mounts import bind_destination, is_anonymous, plain_path

# Written by every running container; gone at a restart anyway, or made by the engine.
OF_THE_MOMENT = ("/tmp", "/var/tmp", "/run", "/var/run", "/dev", "/proc", "/sys", "/.dockerenv",  # noqa: S108 (places in containers)
                 "/etc/hosts", "/etc/hostname", "/etc/resolv.conf", "/etc/mtab", "/sbin/docker-init")  # fmt: skip
PROGRAMS = ("/usr", "/opt", "/app", "/bin", "/sbin", "/lib", "/lib64", "/etc", "/var/www", "/srv/www")
NAMES_OF_DATA = ("data", "db", "storage", "log", "logs", "backup", "backups", "uploads", "plugins", "conf.d")
SHOWN_PATHS = 5
GENERATED_NAME = re.compile(r"[0-9a-f]{64}")


def layer_warnings(upgrade: Upgrade) -> Iterator[SpecWarning]:
    """Warn about files written into the container itself: a new container does not have them."""
    lost = lost_paths(upgrade)
    if lost:
        more = f" and {len(lost) - SHOWN_PATHS} more" if len(lost) > SHOWN_PATHS else ""
        shown = ", ".join(lost[:SHOWN_PATHS]) + more
        yield SpecWarning(code="writable-layer", text=f"Files changed in the container itself will be lost: {shown}")


def lost_paths(upgrade: Upgrade) -> tuple[str, ...]:
    """The changed paths that are neither mounted nor of the moment; of a path and what is in it, only the latter."""
    elsewhere = (*OF_THE_MOMENT, *(each.destination for each in upgrade.container.mounts))
    own = sorted(each.path for each in upgrade.changes if is_telling(each, elsewhere))
    return tuple(path for path, after in zip(own, (*own[1:], ""), strict=False) if not after.startswith(path + "/"))


def is_telling(change: Change, elsewhere: tuple[str, ...]) -> bool:
    """Whether a change is the container's own; a folder that leads to a mount was only made for it."""
    if any(is_within(change.path, each) for each in elsewhere):
        return False
    return not any(is_within(each, change.path) for each in elsewhere)


def volume_warnings(upgrade: Upgrade) -> Iterator[SpecWarning]:
    """Warn where the new image declares other VOLUMEs than the old one."""
    old, new = declared_volumes(upgrade.old.config), declared_volumes(upgrade.new.config)
    mounted = {plain_path(each.destination) for each in upgrade.container.mounts}
    dropped, added = sorted(old - new), sorted(new - old - mounted)
    if dropped and added:
        yield moved(dropped, added)
        return
    for path in added:
        said = f"The new image keeps {path} in a volume of its own, which starts without the old one's files"
        yield SpecWarning(code="volume-added", text=said)
    for path in dropped:
        said = f"The new image no longer declares {path} a volume; the data stays mounted there, if it still looks"
        yield SpecWarning(code="volume-dropped", text=said)


def moved(dropped: list[str], added: list[str]) -> SpecWarning:
    """The warning for data that the new version looks for elsewhere."""
    before, after = ", ".join(dropped), ", ".join(added)
    return SpecWarning(
        code="volume-moved",
        text=f"The new image keeps its data in {after} instead of {before}: it may start empty beside the old data",
    )


def declared_volumes(config: Json) -> set[str]:
    """The VOLUMEs of an image."""
    return {plain_path(path) for path in mapping(config.get("Volumes"))}


def shadow_warnings(upgrade: Upgrade) -> Iterator[SpecWarning]:
    """Warn about volumes over programs: filled from the old image once, they hide the new image's files."""
    for mount in upgrade.container.mounts:
        if mount.kind is MountKind.VOLUME and hides_programs(mount, upgrade):
            said = f"The volume at {mount.destination} hides what the new image has there; old files stay in use"
            yield SpecWarning(code="shadowing-volume", text=said)


def hides_programs(mount: Mount, upgrade: Upgrade) -> bool:
    """Whether a volume lies where images have programs and neither image says that it belongs there."""
    path = plain_path(mount.destination)
    if path in declared_volumes(upgrade.old.config) | declared_volumes(upgrade.new.config):
        return False
    workdir = text(upgrade.new.config.get("WorkingDir"))
    if workdir not in ("", "/") and is_within(workdir, path):
        return True
    return PurePosixPath(path).name not in NAMES_OF_DATA and any(is_within(path, each) for each in PROGRAMS)


def user_warnings(upgrade: Upgrade) -> Iterator[SpecWarning]:
    """Warn where the new image runs as another user, who may not be allowed to use the data."""
    old, new = text(upgrade.old.config.get("User")), text(upgrade.new.config.get("User"))
    if "User" in upgrade.config or spoken_user(old) == spoken_user(new) or not data_mounts(upgrade.container):
        return
    said = f"The new image runs as user {spoken_user(new)} instead of {spoken_user(old)}, who may not own the data"
    yield SpecWarning(code="user-changed", text=said)


def spoken_user(user: str) -> str:
    """A USER without its group; none is root."""
    name = user.partition(":")[0]
    return "root" if name in ("", "0") else name


def sharing_warnings(upgrade: Upgrade) -> Iterator[SpecWarning]:
    """Warn about other containers that write to the same data."""
    for other, source in shared_with(data_mounts(upgrade.container), upgrade.others):
        said = f"Container {other.name} ({other.state.status}) has {source.spoken} too, at {source.destination} here"
        yield SpecWarning(code="shared-data", text=said)


def unprotected_warnings(upgrade: Upgrade) -> Iterator[SpecWarning]:
    """Warn about folders of the host's that it can write to and no snapshot keeps."""
    for mount in unprotected_mounts(upgrade.container):
        said = f"It can write to {mount.source} of the host, which is everybody's: no snapshot keeps it, no way back"
        yield SpecWarning(code="unprotected-mount", text=f"{said} restores it")


def anonymous_warnings(upgrade: Upgrade) -> Iterator[SpecWarning]:
    """Tell which volumes have no name of their own: they move along, and are named in the new container."""
    host = upgrade.container.host_config
    named = {bind_destination(each) for each in texts(host.get("Binds")) if not is_anonymous(each)}
    named |= {plain_path(text(each.get("Target"))) for each in objects(host.get("Mounts")) if each.get("Source")}
    for mount in upgrade.container.mounts:
        if GENERATED_NAME.fullmatch(mount.name) and plain_path(mount.destination) not in named:
            said = f"The volume at {mount.destination} is anonymous; it moves along, as {mount.name[:12]}…"
            yield SpecWarning(code="anonymous-volume", text=said)


def memory_warnings(upgrade: Upgrade) -> Iterator[SpecWarning]:
    """Warn about data in memory of the container, which never outlives it."""
    for path in sorted(mapping(upgrade.container.host_config.get("Tmpfs"))):
        if plain_path(path) in declared_volumes(upgrade.old.config):
            said = f"The data at {path} is kept in memory (tmpfs); it is gone when the container stops"
            yield SpecWarning(code="data-in-memory", text=said)


DATA_RULES = (layer_warnings, volume_warnings, shadow_warnings, user_warnings, sharing_warnings, unprotected_warnings,
              anonymous_warnings, memory_warnings)  # fmt: skip
