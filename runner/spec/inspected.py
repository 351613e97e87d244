"""Reading the engine's JSON with types: what is missing or of another kind counts as empty; it changes nothing."""

from __future__ import annotations

from pydantic import JsonValue

from runner.facts import Container, Json


def texts(value: JsonValue) -> tuple[str, ...]:
    """The texts of a list."""
    return tuple(each for each in value if isinstance(each, str)) if isinstance(value, list) else ()


def mapping(value: JsonValue) -> Json:
    """A value as an object."""
    return value if isinstance(value, dict) else {}


def objects(value: JsonValue) -> tuple[Json, ...]:
    """The objects of a list."""
    return tuple(each for each in value if isinstance(each, dict)) if isinstance(value, list) else ()


def text(value: JsonValue) -> str:
    """A value as text."""
    return value if isinstance(value, str) else ""


def integer(value: JsonValue) -> int:
    """A value as a whole number."""
    return value if isinstance(value, int) else 0


def listed(values: tuple[str, ...] | list[str]) -> JsonValue:
    """Texts as a JSON list."""
    return [*values]


def variables_of(container: Container) -> dict[str, str]:
    """The environment of a container: its secrets are among the values."""
    return dict(entry.partition("=")[::2] for entry in texts(container.config.get("Env")))


def is_empty(value: JsonValue) -> bool:
    """Whether the engine says with this value that nothing was set."""
    return value in (None, "", 0, False, [], {})
