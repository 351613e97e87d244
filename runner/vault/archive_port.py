"""Archives in our own words: a Protocol kept by the real ones and those in memory; it holds no behaviour.

An archive is a snapshot exported out of the vault. All methods may be called again after any interruption. They raise
VaultError besides what the engine raises.
"""

from __future__ import annotations

import re
from typing import Protocol

from pydantic import Field, SecretStr

from runner.facts import Fact
from runner.vault.port import Room, Sealed, Source

_CREDENTIALS = re.compile(r"://[^/\s]+(?=@)")


class Depot(Fact):
    """Where archives are kept: exactly one of a volume, a folder on the engine's host, a restic repository."""

    volume: str = ""
    path: str = ""
    restic: str = ""
    """A path on the engine's host, or any location that restic takes."""
    secrets: dict[str, SecretStr] = Field(default={}, exclude=True, repr=False)
    """Environment variables for restic: its password, and what its backend asks for."""

    @property
    def spoken(self) -> str:
        """How people call it, without a password in it."""
        if self.restic:
            return f"restic:{_CREDENTIALS.sub('://***', self.restic)}"
        return f"volume {self.volume}" if self.volume else self.path

    @property
    def is_remote(self) -> bool:
        """Whether it is reached over a network."""
        return bool(self.restic) and not self.restic.startswith("/")


class Archive(Fact):
    """One archive: a file's name in its depot; of a repository a snapshot id, a run, or empty for the newest."""

    depot: Depot
    name: str

    @property
    def spoken(self) -> str:
        """How people call it, and may type it again."""
        depot = self.depot
        if depot.restic:
            return f"{depot.spoken}#{self.name}" if self.name else depot.spoken
        return f"volume:{depot.volume}/{self.name}" if depot.volume else f"{depot.path.rstrip('/')}/{self.name}"


class Exported(Fact):
    """One archive that was written whole; size and SHA-256 only of a file."""

    name: str
    size_bytes: int
    sha256: str
    seconds: float


class ArchiveSeen(Fact):
    """What an archive says of itself at its beginning; ``wrong`` says why it is none."""

    name: str
    target: str
    run: str
    made_at: str
    size_bytes: int = 0
    data_bytes: int
    entries: int
    wrong: str = ""


class ArchivePort(Protocol):
    """What backup and restore need."""

    def check(self, depot: Depot, *, init: bool = False) -> None:
        """See that an archive could be written there; VaultError says why not. ``init`` makes a repository first."""
        ...

    def export(self, room: Room, depot: Depot, run: str) -> Exported:
        """Write a sealed snapshot as the archive of ``run``; whole, or nothing that looks like one."""
        ...

    def archives(self, depot: Depot) -> tuple[ArchiveSeen, ...]:
        """List the archives of all targets, newest first; none where there is no such place."""
        ...

    def verify(self, archive: Archive, target: str = "") -> ArchiveSeen:
        """Read every byte of an archive; VaultError ``damaged`` names the first entry that is not as sealed."""
        ...

    def bring_in(self, archive: Archive, room: Room, sources: tuple[Source, ...]) -> Sealed:
        """Make a sealed room of an archive, checked whole; ``foreign`` where it is of other mounts than ``sources``."""
        ...

    def close(self, run: str) -> None:
        """Remove the containers that worked for a run; no error when there are none."""
        ...
