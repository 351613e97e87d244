"""Where archives are, as people say it on the command line, with what opens a repository; it opens none itself."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from runner.errors import UsageError

if TYPE_CHECKING:
    from runner.vault.archive_port import Archive, Depot

PasswordFile = Annotated[
    str, typer.Option("--password-file", metavar="FILE", help="The repository's password, in a file of this machine.")
]
HANDED_ON = (
    "AWS_",
    "AZURE_",
    "B2_",
    "GOOGLE_ACCESS_TOKEN",
    "GOOGLE_PROJECT_ID",
    "OS_",
    "RESTIC_REST_",
    "ST_",
    "SWIFT_",
)
"""The variables that restic's backends ask for begin so; they are handed on to it, and to nobody else."""


def opened_depot(text: str, password_file: str) -> Depot:
    """A place for archives; UsageError ``bad-place``, ``no-password``."""
    from runner.vault.depot_names import depot_from

    depot = depot_from(text)
    return _opened(depot, password_file) if depot.restic else depot


def opened_archive(text: str, password_file: str) -> Archive | None:
    """An archive; None where the text can only name a snapshot in the vault. UsageError as above."""
    from runner.vault.depot_names import archive_from

    archive = archive_from(text)
    if archive is None or not archive.depot.restic:
        return archive
    return archive.model_copy(update={"depot": _opened(archive.depot, password_file)})


def _opened(depot: Depot, password_file: str) -> Depot:
    """A repository with what opens it; UsageError ``no-password``."""
    from pydantic import SecretStr

    handed_on = {name: value for name, value in os.environ.items() if name.startswith(HANDED_ON)}
    secrets = {**handed_on, "RESTIC_PASSWORD": _password(password_file)}
    return depot.model_copy(update={"secrets": {name: SecretStr(value) for name, value in secrets.items()}})


def _password(password_file: str) -> str:
    file = password_file or ("" if "RESTIC_PASSWORD" in os.environ else os.environ.get("RESTIC_PASSWORD_FILE", ""))
    then = "Say --password-file FILE, or set RESTIC_PASSWORD or RESTIC_PASSWORD_FILE."
    if not file:
        password = os.environ.get("RESTIC_PASSWORD", "")
        if not password:
            raise UsageError("no-password", "A restic repository has a password.", then=then)
        return password
    try:
        return Path(file).read_text(encoding="utf-8").rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not text"
        raise UsageError("no-password", f"The password file {file} cannot be read: {why}.", then=then) from None
