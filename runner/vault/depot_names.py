"""How people name places of archives and archives in them, and what an archive is called; it looks nowhere."""

from __future__ import annotations

from runner.errors import UsageError
from runner.vault.archive_port import Archive, Depot

DEFAULT_VOLUME = "refloat-archives"
ENDING = ".tar.zst"
VOLUME, RESTIC = "volume:", "restic:"


def archive_name(target: str, run: str) -> str:
    """The name of a backup's file; a run's name is nobody else's, so neither is this."""
    return f"{target}-{run}{ENDING}"


def depot_from(text: str) -> Depot:
    """A place: nothing, ``/FOLDER``, ``volume:NAME`` or ``restic:REPOSITORY``; UsageError ``bad-place``."""
    if not text:
        return Depot(volume=DEFAULT_VOLUME)
    if text.startswith(RESTIC) and text != RESTIC:
        return Depot(restic=text.removeprefix(RESTIC).rstrip())
    if text.startswith(VOLUME) and text != VOLUME and "/" not in text:
        return Depot(volume=text.removeprefix(VOLUME))
    if text.startswith("/"):
        return Depot(path=text.rstrip("/") or "/")
    what = f"{text} is no place for archives."
    raise UsageError(
        "bad-place", what, then="Name a folder on the engine's host (/…), volume:NAME, or restic:REPOSITORY."
    )


def archive_from(text: str) -> Archive | None:
    """An archive as people name it; None where it can only be a snapshot in the vault.

    ``restic:REPOSITORY[#SNAPSHOT]``, ``volume:NAME/FILE``, ``/FOLDER/FILE``, or a ``FILE`` in the volume that
    archives are kept in where nobody names a place. UsageError ``bad-place``.
    """
    if text.startswith(RESTIC):
        location, _, name = text.partition("#")
        return Archive(depot=depot_from(location), name=name)
    if text.startswith((VOLUME, "/")):
        folder, _, name = text.rpartition("/")
        if not name:
            raise UsageError("bad-place", f"{text} names no file.", then="Name one: refloat backup TARGET --list")
        return Archive(depot=depot_from(folder or "/"), name=name)
    if "/" in text:
        what = f"{text} is no archive: they are looked for where the engine is, not in this folder."
        raise UsageError("bad-place", what, then="Name its whole path there: /DIR/FILE, or volume:NAME/FILE.")
    if text.endswith(ENDING):
        return Archive(depot=Depot(volume=DEFAULT_VOLUME), name=text)
    return None
