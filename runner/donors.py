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
COMMANDS = ("Cmd", "Entrypoint")
PLAIN_LOG_OPTIONS = ("compress", "env", "labels", "max-buffer-size", "max-file", "max-size", "mode")
"""The options of log drivers that hold no address, no name and no secret."""
_SECRET = re.compile(
    r"pass(word|wd|phrase)?|secret|token|credential|api.?key|private.?key|auth|://[^/\s:@]+:[^/\s@]+@", re.IGNORECASE
)


def hide(body: Json) -> Json:
    """The create body with bare Env names, and with a mark for each field in which something looks secret.

    The command of a health check and the options of a log driver are always hidden: there no name gives a secret away.
    """
    hidden = dict(body)
    hidden["Env"] = [name_of(entry) for entry in strings(body.get("Env"))]
    for field in COMMANDS:
        if _SECRET.search(str(body.get(field) or "")):
            hidden[field] = HIDDEN
    health = body.get("Healthcheck")
    if isinstance(health, dict) and "Test" in health:
        hidden["Healthcheck"] = {**health, "Test": HIDDEN}
    host = body.get("HostConfig")
    if isinstance(host, dict) and "LogConfig" in host:
        hidden["HostConfig"] = {**host, "LogConfig": _hidden_log(host["LogConfig"])}
    labels = body.get("Labels")
    if isinstance(labels, dict):
        hidden["Labels"] = {key: HIDDEN if _SECRET.search(key) else value for key, value in labels.items()}
    return hidden


def _hidden_log(log: JsonValue) -> JsonValue:
    options = log.get("Config") if isinstance(log, dict) else None
    if not isinstance(log, dict) or not isinstance(options, dict):
        return log
    return {**log, "Config": {key: value if key in PLAIN_LOG_OPTIONS else HIDDEN for key, value in options.items()}}


def reveal(body: Json, donors: tuple[Json, ...]) -> Json:
    """The create body whole again; Refused ``secret-lost`` where no donor has a value.

    A donor is a container's ``Config`` with its ``HostConfig`` beside it.
    """
    whole = dict(body)
    whole["Env"] = [_entry(name, donors) for name in strings(body.get("Env"))]
    for field in COMMANDS:
        if body.get(field) == HIDDEN:
            whole[field] = _found(field, donors, field)
    health = body.get("Healthcheck")
    if isinstance(health, dict) and health.get("Test") == HIDDEN:
        whole["Healthcheck"] = {
            **health,
            "Test": _found("the command of its health check", donors, "Healthcheck", "Test"),
        }
    host = body.get("HostConfig")
    if isinstance(host, dict) and "LogConfig" in host:
        whole["HostConfig"] = {**host, "LogConfig": _whole_log(host["LogConfig"], donors)}
    labels = body.get("Labels")
    if isinstance(labels, dict):
        whole["Labels"] = {key: _label(key, donors) if value == HIDDEN else value for key, value in labels.items()}
    return whole


def _whole_log(log: JsonValue, donors: tuple[Json, ...]) -> JsonValue:
    options = log.get("Config") if isinstance(log, dict) else None
    if not isinstance(log, dict) or not isinstance(options, dict):
        return log
    whole: Json = {
        key: _found(f"the log option {key}", donors, "HostConfig", "LogConfig", "Config", key)
        if value == HIDDEN
        else value
        for key, value in options.items()
    }
    return {**log, "Config": whole}


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


def _found(what: str, donors: tuple[Json, ...], *path: str) -> JsonValue:
    """What the first donor that has anything there has at this path."""
    for donor in donors:
        here: JsonValue = donor
        for part in path:
            here = here.get(part) if isinstance(here, dict) else None
        if here:
            return here
    raise _lost(what)


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
