"""Which mounts of a container hold its data, and who else has them; it looks at no file."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import PurePosixPath

from runner.facts import Container, Mount, MountKind
from runner.vault.port import Source

# Places of the host that are no container's data: to look at it, or to talk to it.
WINDOWS = ("/proc", "/sys", "/dev", "/run", "/var/run", "/boot", "/lib/modules", "/tmp/.X11-unix")  # noqa: S108 (a socket's place, not ours)
FILES_OF_THE_HOST = ("/etc/localtime", "/etc/timezone", "/etc/hosts", "/etc/hostname", "/etc/resolv.conf",
                     "/etc/passwd", "/etc/group", "/etc/machine-id")  # fmt: skip
# The host itself and its engine: to put these back as they were would undo what everybody else did meanwhile.
WHOLE = ("/", "/bin", "/etc", "/home", "/lib", "/lib64", "/root", "/sbin", "/usr", "/var", "/var/lib", "/var/log")
ENGINES = ("/var/lib/docker", "/var/lib/containerd", "/var/lib/containers")
IN_ONE_VOLUME = re.compile(r"/var/lib/docker/volumes/[^/]+/")
SECRETS = "/run/secrets"


def data_mounts(container: Container) -> tuple[Source, ...]:
    """The data of a container: what it may write to outside itself, with keys d0, d1, … by destination.

    That is its volumes, and folders and single files of the host (a database may be one file). A volume mounted twice,
    or a folder inside another one of them, is one source.
    """
    mounts = sorted((each for each in container.mounts if is_data(each)), key=lambda each: each.destination)
    chosen: list[Mount] = []
    for mount in mounts:
        if not any(holds(other, mount) for other in [*chosen, *(each for each in mounts if strictly(each, mount))]):
            chosen.append(mount)
    return tuple(source_of(f"d{index}", mount) for index, mount in enumerate(chosen))


def source_of(key: str, mount: Mount) -> Source:
    """A mount as a source of the vault."""
    volume = mount.name if mount.kind is MountKind.VOLUME else ""
    return Source(key=key, volume=volume, path="" if volume else mount.source, destination=mount.destination)


def is_data(mount: Mount) -> bool:
    """Whether a mount may hold data of the container: writable, and not a place of the host's own."""
    if not mount.rw or is_within(mount.destination, SECRETS):
        return False
    if mount.kind is MountKind.VOLUME:
        return mount.name != ""
    return mount.kind is MountKind.BIND and not is_the_hosts(mount.source)


def is_the_hosts(path: str) -> bool:
    """Whether a path of the host is its own: devices, sockets, system files, the whole system."""
    window = any(is_within(path, each) for each in WINDOWS)
    return window or path in FILES_OF_THE_HOST or path.endswith(".sock") or is_everybodys(path)


def is_everybodys(path: str) -> bool:
    """Whether a path holds what others have too: a system folder, the engine's own files, all of its volumes."""
    engine = any(is_within(path, each) for each in ENGINES)
    return path in WHOLE or (engine and not IN_ONE_VOLUME.match(path))


def unprotected_mounts(container: Container) -> tuple[Mount, ...]:
    """The folders it may write to that are no data of its own, so that nothing of them is kept or put back."""
    binds = (each for each in container.mounts if each.kind is MountKind.BIND and each.rw)
    return tuple(each for each in binds if is_everybodys(each.source))


def is_within(path: str, folder: str) -> bool:
    """Whether a path is a folder or inside it."""
    return PurePosixPath(path).is_relative_to(PurePosixPath(folder))


def holds(other: Mount, mount: Mount) -> bool:
    """Whether copying ``other`` copies ``mount`` as well."""
    if mount.kind is MountKind.VOLUME:
        return other.kind is MountKind.VOLUME and other.name == mount.name
    return other.kind is MountKind.BIND and is_within(mount.source, other.source)


def strictly(other: Mount, mount: Mount) -> bool:
    """Whether ``other`` is a folder above, so that it holds ``mount`` wherever it comes in the order."""
    return holds(other, mount) and other.source != mount.source


def shared_with(sources: Iterable[Source], containers: Iterable[Container]) -> tuple[tuple[Container, Source], ...]:
    """Which of these containers may write to which source: the same volume, or a path inside or above the folder.

    Give it the *other* containers. Readers are left out (a log shipper, an exporter with the host mounted read-only),
    and so is who has all of the host: it has to be trusted anyway.
    """
    wanted = tuple(sources)
    return tuple(
        (container, source)
        for container in containers
        for source in wanted
        if any(may_write(mount, source) for mount in container.mounts)
    )


def may_write(mount: Mount, source: Source) -> bool:
    """Whether a mount gives write access to (a part of) a source."""
    if not mount.rw:
        return False
    if source.volume:
        return mount.kind is MountKind.VOLUME and mount.name == source.volume
    if mount.kind is not MountKind.BIND or mount.source == "/":
        return False
    return is_within(mount.source, source.path) or is_within(source.path, mount.source)
