"""The labels on all that refloat makes, and the roles they name; it looks at nothing."""

from __future__ import annotations

import re

RUN = "refloat.run"
"""Whose it is: a run, or one member of a run's stack (``RUN.2``)."""
ROLE = "refloat.role"
REHEARSAL = "refloat.rehearsal"
"""On everything that is made for a rehearsal: which one."""

SUCCESSOR = "successor"
RETURNED = "returned"
"""The role of an old ``--rm`` container that was created again on the way back."""
TOOLS = "tools"
RESTORE = "restore"
PROBER = "prober"
DEFAULTS = "defaults"
"""The role of a container that is never started: an image's own files are read from it."""
REFRESH = "refresh"
CHECKER = "checker"
"""The role of a container of the new image that checks configuration, with the data mounted read-only."""
HOOK = "hook"
"""The role of a container that a command is run in beside the target."""
ARCHIVE = "archive"
"""The role of a container that writes or reads archives."""
VAULT_ROLE = "vault"
"""The role of the volume that the snapshots are kept in."""
DEPOT_ROLE = "archives"
"""The role of the volume that archives are kept in where nobody names a place."""
DRAFT = "draft"
"""The role of volumes with configuration as a refresh would leave it, and of the container that fills them."""
READERS = (TOOLS, PROBER, RESTORE, DEFAULTS, REFRESH, DRAFT, CHECKER, HOOK, ARCHIVE)
"""Roles of our own containers that hold data without being a second server on it."""


def member_run(run: str, number: int) -> str:
    """What the things of one member of a stack are labelled with; members count from 1."""
    return f"{run}.{number}"


def may_be_run(text: str) -> bool:
    """Whether a run, or what is kept of one, could be called so; the engine refuses such names otherwise."""
    return re.fullmatch(r"[A-Za-z0-9][\w.-]*", text, re.ASCII) is not None


def run_of(label: str) -> str:
    """The run that a label names, whether of a member or of the run itself."""
    return label.partition(".")[0]
