"""The vault in our own words: a Protocol kept by the real vault and the memory vault; it holds no behaviour.

A *room* is the vault's folder of one run: its papers, one tree a source, the manifests and, last, the seal. All methods
may be called again after any interruption and end in the same state. They raise VaultError (code says which no),
besides what the engine raises.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, Protocol

from runner.errors import Exit, RefloatError
from runner.facts import Fact, Json
from runner.vault.configuration import Refreshed, RefreshOrder


class VaultError(RefloatError):
    """The vault said no: ``unsealed``, ``damaged``, ``foreign``, ``no-space``, ``copy-failed``, ``no-tools``, …"""

    exit_status = Exit.REFUSED


class Source(Fact):
    """One piece of a target's data: exactly one of ``volume`` (a name) and ``path`` (on the engine's host) is set."""

    key: str
    """Short and unique within the target, such as ``d0``."""
    volume: str = ""
    path: str = ""
    destination: str
    """Where the target mounts it; what people recognise."""

    @property
    def spoken(self) -> str:
        """How people call it."""
        return f"volume {self.volume}" if self.volume else self.path


class VaultPlace(Fact):
    """Where the snapshots are kept: a volume (by default), or a path on the engine's host."""

    volume: str = "refloat-vault"
    path: str = ""


class Room(Fact):
    """The vault's folder of one run of one target."""

    place: VaultPlace = VaultPlace()
    target: str
    """The target's name as a folder name."""
    run: str


class Measured(Fact):
    """The size of one source (bytes allocated, and entries of every kind), and what a snapshot of it would add."""

    key: str
    size_bytes: int
    entries: int
    new_bytes: int
    """Less than the size where an older snapshot has most of it, nothing where blocks are shared."""
    new_entries: int
    is_file: bool = False
    """Whether it is one file of the host, and no folder."""


class Space(Fact):
    """What the vault's filesystem has left, in bytes and inodes, and the host's memory."""

    free_bytes: int
    free_inodes: int
    free_memory_bytes: int = 0
    """0 where it is not known."""


class Sealed(Fact):
    """What a seal says: when (RFC 3339), of what, and the digest over all manifests."""

    room: Room
    sealed_at: str
    digest: str
    sources: tuple[Source, ...]
    size_bytes: int
    entries: int


class Copied(Fact):
    """What one pass of copying did."""

    copied_entries: int
    copied_bytes: int
    seconds: float
    flush_s: float = 0.0
    """How much of that was waiting for the disk alone, when all was copied and hashed."""
    how: str = ""
    """reflink, copy or links (rsync against the previous snapshot)."""
    removed_entries: int = 0
    """What a restore took away: it was there and is not in the snapshot."""
    removed: tuple[str, ...] = ()
    """The first few of those."""


class FileChange(Fact):
    """One file that was added, changed or deleted; ``path`` is below its source, sizes are lengths."""

    kind: Literal["added", "changed", "deleted"]
    path: str
    before_bytes: int
    after_bytes: int


class Changed(Fact):
    """What became of one source since its snapshot, folders left out."""

    key: str
    added: int
    changed: int
    deleted: int
    added_bytes: int
    changed_bytes: int
    """The lengths of the changed files now."""
    deleted_bytes: int
    size_bytes: int
    """What is allocated for the whole source now."""
    biggest: tuple[FileChange, ...]
    """The biggest of these files, fifty at most."""


class Duplicated(Fact):
    """Whether one source was copied into a volume (as ``file`` in it, where it is one file), or was too big."""

    key: str
    copied: bool
    is_file: bool = False


class RoomSeen(Fact):
    """One room found in the vault."""

    room: Room
    sealed: bool
    unique_bytes: int = 0
    shared_bytes: int = 0
    made_at: str = ""


class VaultPort(Protocol):
    """What a run needs of the vault. ``sources`` are mounted read-only but for ``restore`` and ``refresh``."""

    def measure(
        self, place: VaultPlace, sources: tuple[Source, ...], target: str = "", run: str = ""
    ) -> tuple[tuple[Measured, ...], Space]:
        """Measure the sources, what a snapshot of this target would add, and the free space where the vault is.

        ``run`` is the run that goes on from there: then its tools stay for what comes next.
        """
        ...

    def write_papers(self, room: Room, papers: dict[str, str], sources: tuple[Source, ...] = ()) -> None:
        """Write texts (``plan.json``, ``facts.json``) into the room, fsynced, before anything is touched.

        ``sources`` are what will be copied next: naming them here saves time then.
        """
        ...

    def read_papers(self, room: Room) -> dict[str, str]:
        """Read the texts of a room; empty when there is no such room."""
        ...

    def rooms(self, place: VaultPlace) -> tuple[RoomSeen, ...]:
        """List the rooms, newest first; none when there is no vault."""
        ...

    def warm_copy(self, room: Room, sources: tuple[Source, ...]) -> Copied:
        """Copy the bulk while the sources are in use: files may vanish or change meanwhile."""
        ...

    def cold_copy(self, room: Room, sources: tuple[Source, ...]) -> Copied:
        """Make the copy equal to the sources, which nobody writes to now; ctime, size and mtime tell what changed."""
        ...

    def seal(self, room: Room, sources: tuple[Source, ...], taken_from: Json) -> Sealed:
        """Write the manifests (metadata and hash of each file), verify the copy against the sources, and seal."""
        ...

    def sealed(self, room: Room) -> Sealed:
        """Read and check the seal; VaultError ``unsealed``, ``damaged`` or ``foreign``."""
        ...

    def verify(self, room: Room) -> Sealed:
        """Hash every file of the snapshot again; VaultError ``damaged`` names the first difference."""
        ...

    def restore(self, room: Room, sources: tuple[Source, ...]) -> Copied:
        """Make the sources equal to the sealed snapshot and verify that they are; repeatable when interrupted."""
        ...

    def changes(self, room: Room, sources: tuple[Source, ...]) -> tuple[Changed, ...]:
        """Compare sources, which may be in use, with the room's sealed snapshot; one answer a source."""
        ...

    def preview_refresh(self, sources: tuple[Source, ...], order: RefreshOrder) -> Refreshed:
        """Say what a refresh of configuration would come to now; VaultError ``refresh-…``, with its own words."""
        ...

    def prepare_refresh(self, room: Room, sources: tuple[Source, ...], order: RefreshOrder) -> Refreshed:
        """The same, and keep the defaults of both images in the room, so that the refresh itself waits for nothing."""
        ...

    def draft_refresh(self, room: Room, sources: tuple[Source, ...], order: RefreshOrder,
                      names: Mapping[str, str]) -> dict[str, str]:  # fmt: skip
        """Make new volumes (``names``: place → volume) hold what the places would: place → digest, as of a refresh.

        The sources are only read. No digest, and volumes of no use, where a place is too big to be copied; the volumes
        are the caller's to remove.
        """
        ...

    def refresh(self, room: Room, sources: tuple[Source, ...], order: RefreshOrder) -> Refreshed:
        """Refresh, all of it or nothing, with the defaults kept in the room; done once, it is not done again."""
        ...

    def clone(self, room: Room, names: dict[str, str], labels: dict[str, str]) -> str:
        """Make a writable volume (``names``: source key → volume) over each tree; says how: overlay, reflink, copy.

        A source that is one file is ``file`` in its volume.
        """
        ...

    def duplicate(self, run: str, sources: tuple[Source, ...], names: dict[str, str],
                  labels: dict[str, str]) -> tuple[Duplicated, ...]:  # fmt: skip
        """Copy sources, which may be in use, into new volumes (``names``), but for what is big: that has none."""
        ...

    def drop_clone(self, room: Room, names: dict[str, str]) -> None:
        """Remove the clones and all they hold; no error when there are none."""
        ...

    def discard(self, room: Room) -> None:
        """Remove the room and all in it; no error when there is none."""
        ...

    def close(self, run: str) -> None:
        """Remove the tools containers of a run; no error when there are none."""
        ...
