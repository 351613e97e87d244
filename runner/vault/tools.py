"""The tools containers as engine JSON: what is mounted where, and with which rights; it calls nobody."""

from __future__ import annotations

from collections.abc import Iterable

from pydantic import JsonValue

from runner.facts import Container, Fact, Json
from runner.labels import ROLE, RUN
from runner.vault.port import Source, VaultPlace

VAULT = "/vault"
SOURCES = "/sources"
CLONES = "/clones"
DRAFTS = "/drafts"
ARCHIVES = "/archives"

CAPABILITIES = ("CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "MKNOD", "SETFCAP")
"""What a faithful copy needs as root: any owner, any mode, device nodes and file capabilities; nothing else."""


class Held(Fact):
    """One thing mounted into a tools container: a volume, or a path on the engine's host."""

    volume: str = ""
    path: str = ""
    at: str
    writable: bool = False

    @property
    def as_mount(self) -> Json:
        """As the engine takes it; a volume's folder is never filled or changed by mounting it."""
        if self.volume:
            return {
                "Type": "volume",
                "Source": self.volume,
                "Target": self.at,
                "ReadOnly": not self.writable,
                "VolumeOptions": {"NoCopy": True},
            }
        return {"Type": "bind", "Source": self.path, "Target": self.at, "ReadOnly": not self.writable}


def held_vault(place: VaultPlace) -> Held:
    """The vault, writable."""
    return Held(volume="" if place.path else place.volume, path=place.path, at=VAULT, writable=True)


def held_sources(sources: Iterable[Source], *, writable: bool = False) -> tuple[Held, ...]:
    """Each source under its key."""
    return tuple(
        Held(volume=each.volume, path=each.path, at=f"{SOURCES}/{each.key}", writable=writable) for each in sources
    )


def container_body(image: str, run: str, role: str, held: Iterable[Held], *, networked: bool = False) -> Json:
    """A container that only waits for commands: no network, a read-only root, gone at once when stopped.

    Only what speaks to a repository elsewhere is ``networked``.
    """
    mounts: list[JsonValue] = [each.as_mount for each in held]
    return {
        "Image": image,
        "Entrypoint": ["sleep"],
        "Cmd": ["infinity"],
        "User": "0:0",
        "WorkingDir": "/",
        "StopSignal": "SIGKILL",  # as process 1, sleep ignores all else
        "Healthcheck": {"Test": ["NONE"]},
        "NetworkDisabled": not networked,
        "Labels": {RUN: run, ROLE: role},
        "HostConfig": {
            "Mounts": mounts,
            "NetworkMode": "default" if networked else "none",
            "ReadonlyRootfs": True,
            "Tmpfs": {"/tmp": ""},  # noqa: S108  # inside the container, and its own
            "CapDrop": ["ALL"],
            "CapAdd": list(CAPABILITIES),
            "SecurityOpt": ["label=disable", "no-new-privileges:true"],
            "LogConfig": {"Type": "none", "Config": {}},
        },
    }


def holds(container: Container, wanted: Iterable[Held]) -> bool:
    """Whether all of these are mounted in a container as wanted."""
    there = {mount.destination: mount for mount in container.mounts}
    return all(
        (mount := there.get(each.at)) is not None
        and (mount.name == each.volume if each.volume else mount.source == each.path)
        and mount.rw == each.writable
        for each in wanted
    )
