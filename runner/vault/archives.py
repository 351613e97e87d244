"""The real archives: written and read by the program in a tools container, beside the vault; it decides nothing."""

from __future__ import annotations

from collections.abc import Callable

from pydantic import JsonValue, TypeAdapter

from runner.engine.port import EnginePort
from runner.errors import NotFound
from runner.facts import Fact, Json
from runner.labels import ARCHIVE, DEPOT_ROLE, ROLE
from runner.vault.answers import request_json, sealed_from
from runner.vault.archive_port import Archive, ArchiveSeen, Depot, Exported
from runner.vault.containers import Containers
from runner.vault.depot_names import DEFAULT_VOLUME, archive_name
from runner.vault.port import Room, Sealed, Source, VaultError
from runner.vault.tools import ARCHIVES, Held, held_vault

LONG_S = 86_400.0
_THEN = {
    "no-space": "Free space there, or name another place: --to",
    "no-archive": "See which there are: refloat backup TARGET --list [--to PLACE]",
    "name-taken": "Try again: each backup gets a name of its own.",
    "not-writable": "Name another place: --to",
    "damaged": "Use another archive; check the disk it is on.",
    "foreign": "Name an archive of this container, or one with the same mount points.",
    "wrong-password": "Say the right one: --password-file FILE, or RESTIC_PASSWORD in the environment.",
    "no-repository": "Check its location, or make it: refloat backup TARGET --to restic:REPOSITORY --init",
    "repository-silent": "Check its location, and that the engine's host reaches it.",
    "repository-denied": "Set what its backend asks for (AWS_ACCESS_KEY_ID and the like), or put it into the location.",
    "repository-failed": "Look at it with restic itself, then try again.",
    "export-failed": "Try again; if it stays so, check the disk the vault is on: refloat verify TARGET",
}


class _Seen(Fact):
    archives: tuple[ArchiveSeen, ...]


_EXPORTED = TypeAdapter(Exported)
_ONE = TypeAdapter(ArchiveSeen)


class DockerArchives:
    """ArchivePort on a container engine."""

    def __init__(self, engine: EnginePort, tools_image: str = "refloat/tools:1",
                 tell: Callable[[str], None] = lambda _: None) -> None:  # fmt: skip
        self._engine = engine
        self._containers = Containers(engine, tools_image, tell)

    def check(self, depot: Depot, *, init: bool = False) -> None:
        """See the port."""
        if depot.volume == DEFAULT_VOLUME:
            self._engine.create_volume(depot.volume, labels={ROLE: DEPOT_ROLE})
        self._ask(depot, "check-depot", writable=True, init=init)

    def export(self, room: Room, depot: Depot, run: str) -> Exported:
        """See the port."""
        name = run if depot.restic else archive_name(room.target, run)
        return _EXPORTED.validate_json(self._ask(depot, "export", room, writable=True, name=name))

    def archives(self, depot: Depot) -> tuple[ArchiveSeen, ...]:
        """See the port."""
        if depot.volume == DEFAULT_VOLUME and not self._is_there(depot.volume):
            return ()
        seen = _Seen.model_validate_json(self._ask(depot, "archives")).archives
        return tuple(sorted(seen, key=lambda each: (each.made_at, each.name), reverse=True))

    def verify(self, archive: Archive, target: str = "") -> ArchiveSeen:
        """See the port."""
        answer = self._ask(archive.depot, "verify-archive", name=archive.name, target=target, what=archive.spoken)
        return _ONE.validate_json(answer)

    def bring_in(self, archive: Archive, room: Room, sources: tuple[Source, ...]) -> Sealed:
        """See the port."""
        answer = self._ask(archive.depot, "bring-in", room, sources, name=archive.name, what=archive.spoken)
        return sealed_from(answer, room)

    def close(self, run: str) -> None:
        """See the port."""
        self._containers.remove_all_of(run)

    def _is_there(self, volume: str) -> bool:
        try:
            self._engine.volume(volume)
        except NotFound:
            return False
        return True

    def _ask(self, depot: Depot, op: str, room: Room | None = None, sources: tuple[Source, ...] = (), *,
             writable: bool = False, what: str = "", **more: JsonValue) -> bytes:  # fmt: skip
        if depot.volume and not self._is_there(depot.volume):
            make = f"Make it: docker volume create {depot.volume}. Or name another place: --to"
            then = make if writable else "See which there are: docker volume ls"
            raise VaultError("no-volume", f"There is no volume {depot.volume}.", then=then)
        vault = (held_vault(room.place),) if room else ()
        request = request_json(op, room, sources, **_told(depot), **more)
        try:
            return self._containers.ask_once(
                room.run if room else "", ARCHIVE, (*vault, *_held(depot, writable=writable)), op, request, LONG_S,
                networked=depot.is_remote,
            )  # fmt: skip
        except VaultError as no:
            raise _explained(no, what or depot.spoken, writable=writable) from None


def _held(depot: Depot, *, writable: bool) -> tuple[Held, ...]:
    """Where archives are mounted; restic writes a lock even to read, but is told not to."""
    if depot.is_remote:
        return ()
    return (Held(volume=depot.volume, path=depot.path or depot.restic, at=ARCHIVES, writable=writable),)


def _told(depot: Depot) -> Json:
    """The place as the program sees it; what is secret goes to its standard input, and nowhere else."""
    return {
        "depot": depot.restic if depot.is_remote else ARCHIVES,
        "restic": bool(depot.restic),
        "secrets": {name: value.get_secret_value() for name, value in depot.secrets.items()},
    }


def _explained(no: VaultError, what: str, *, writable: bool) -> VaultError:
    """Which archive or place it is about, and what can be done there; what only reads needs space in the vault."""
    if no.code not in _THEN:
        return no
    then = no.then if no.code == "no-space" and not writable else _THEN[no.code]
    return VaultError(no.code, f"{what}: {no.what[:1].lower()}{no.what[1:]}", no.stands, then)
