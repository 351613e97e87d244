"""Keeps secrets out of plans: hides them in a create body and takes them back from a live container; pure.

A plan is printed, saved and kept in the vault, so it names the variables the user set and never their values. The value
is taken, when the container is made, from a container that has it: the *donor*.
"""

from __future__ import annotations

import re

from pydantic import JsonValue

from runner.errors import Refused
from runner.facts import Json

HIDDEN = "$hidden"
_SECRET = re.compile(
    r"pass(word|wd|phrase)?|secret|token|credential|api.?key|private.?key|auth|://[^/\s:@]+:[^/\s@]+@", re.IGNORECASE
)


def hide(body: Json) -> Json:
    """The create body with bare Env names, and with a mark for each field in which something looks secret."""
    hidden = dict(body)
    hidden["Env"] = [name_of(entry) for entry in strings(body.get("Env"))]
    for field in ("Cmd", "Entrypoint", "Healthcheck"):
        if _SECRET.search(str(body.get(field) or "")):
            hidden[field] = HIDDEN
    host = body.get("HostConfig")
    if isinstance(host, dict) and _SECRET.search(str(host.get("LogConfig") or "")):
        hidden["HostConfig"] = {**host, "LogConfig": HIDDEN}
    labels = body.get("Labels")
    if isinstance(labels, dict):
        hidden["Labels"] = {key: HIDDEN if _SECRET.search(key) else value for key, value in labels.items()}
    return hidden


def reveal(body: Json, donors: tuple[Json, ...]) -> Json:
    """The create body whole again; Refused ``secret-lost`` where no donor has a value.

    A donor is a container's ``Config`` with its ``HostConfig`` beside it.
    """
    whole = dict(body)
    whole["Env"] = [_entry(name, donors) for name in strings(body.get("Env"))]
    for field in ("Cmd", "Entrypoint", "Healthcheck"):
        if body.get(field) == HIDDEN:
            whole[field] = _field(field, donors)
    host = body.get("HostConfig")
    if isinstance(host, dict) and host.get("LogConfig") == HIDDEN:
        whole["HostConfig"] = {**host, "LogConfig": _log_config(donors)}
    labels = body.get("Labels")
    if isinstance(labels, dict):
        whole["Labels"] = {key: _label(key, donors) if value == HIDDEN else value for key, value in labels.items()}
    return whole


def strings(value: JsonValue) -> tuple[str, ...]:
    """A JSON list as texts; empty for anything else."""
    return tuple(str(item) for item in value) if isinstance(value, list) else ()


def name_of(entry: str) -> str:
    """The name in ``NAME=value``."""
    return entry.partition("=")[0]


def _entry(name: str, donors: tuple[Json, ...]) -> str:
    for donor in donors:
        for entry in strings(donor.get("Env")):
            if name_of(entry) == name:
                return entry
    raise _lost(f"the variable {name}")


def _field(field: str, donors: tuple[Json, ...]) -> JsonValue:
    for donor in donors:
        if donor.get(field):
            return donor[field]
    raise _lost(field)


def _log_config(donors: tuple[Json, ...]) -> JsonValue:
    for donor in donors:
        host = donor.get("HostConfig")
        if isinstance(host, dict) and host.get("LogConfig"):
            return host["LogConfig"]
    raise _lost("the options of its log driver")


def _label(key: str, donors: tuple[Json, ...]) -> JsonValue:
    for donor in donors:
        labels = donor.get("Labels")
        if isinstance(labels, dict) and key in labels:
            return labels[key]
    raise _lost(f"the label {key}")


def _lost(what: str) -> Refused:
    return Refused(
        "secret-lost",
        f"The value of {what} was kept out of the plan, and no container that has it is left.",
        then="Create the container by hand with that value, then make a new plan.",
    )
