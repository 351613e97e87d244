"""Quoting what a container said without giving its secrets away; what is judged is never the quoted text."""

from __future__ import annotations

from runner.facts import Container
from runner.spec.secrets import HIDDEN, SECRET_NAME, masked_text

# Shorter values would be found in every other word.
SHORTEST_SECRET = 4
QUOTED_CHARS = 500


def quoted(text: str, container: Container | None) -> str:
    """A line of it with everything hidden that looks like a secret or is one in its environment."""
    for secret in _secrets(container):
        text = text.replace(secret, HIDDEN)
    return masked_text(text)[:QUOTED_CHARS]


def quoted_lines(text: str, container: Container | None, last: int) -> tuple[str, ...]:
    """The last lines of its log, each quoted."""
    return tuple(quoted(line, container) for line in text.splitlines()[-last:])


def quoted_text(text: str, container: Container | None) -> str:
    """All lines of a text, each quoted: a diff of configuration may show a password."""
    return "".join(f"{line}\n" for line in quoted_lines(text, container, len(text) + 1))


def _secrets(container: Container | None) -> list[str]:
    """Values of variables with telling names, the longest first: one may be a part of another."""
    entries = container.config.get("Env") if container else None
    pairs = (str(entry).partition("=") for entry in entries) if isinstance(entries, list) else ()
    told = {value for name, _, value in pairs if SECRET_NAME.search(name) and len(value) >= SHORTEST_SECRET}
    return sorted(told, key=len, reverse=True)
