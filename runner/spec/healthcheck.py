"""What a container's HEALTHCHECK runs, told from its ``Config``; it runs nothing."""

from __future__ import annotations

from runner.facts import Json
from runner.spec.inspected import mapping, texts

SHELL = ("/bin/sh", "-c")


def check_argv(config: Json) -> tuple[str, ...]:
    """The command of the health check in force, with the shell the engine would take; empty where there is none."""
    words = tuple(texts(mapping(config.get("Healthcheck")).get("Test")))
    if words[:1] == ("CMD-SHELL",):
        words = ("CMD", *(tuple(texts(config.get("Shell"))) or SHELL), *words[1:])
    return words[1:] if words[:1] == ("CMD",) else ()  # else NONE, or nothing to run
