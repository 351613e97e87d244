"""Pulling an image: its name as request parameters, and the errors that arrive inside the answer; it keeps nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from runner.engine.parse import part, text
from runner.engine.refusals import refusal
from runner.facts import Json

SILENCE_S = 600.0
"""Between two lines: unpacking a big layer says nothing for minutes."""


def split_name(ref: str) -> tuple[str, str]:
    """Yield repository and tag or digest; a name without either means ``latest``."""
    repository, at, digest = ref.partition("@")
    if at:
        return repository, digest
    head, colon, tag = ref.rpartition(":")
    # A colon before a slash belongs to the registry's port.
    return (head, tag) if colon and "/" not in tag else (ref, "latest")


def repository_of(ref: str) -> str:
    """Yield the repository of a name, for the credentials that belong to it."""
    return split_name(ref)[0]


def parameters_from_name(ref: str) -> dict[str, str]:
    """Yield the query of ``POST /images/create``; without a tag the engine would pull them all."""
    repository, tag = split_name(ref)
    return {"fromImage": repository, "tag": tag}


def pull_image(ask_lines: Callable[..., Iterator[Json]], ref: str, on_line: Callable[[str], None] | None) -> None:
    """Pull, with the credentials that belong to the name; raises what went wrong on the way."""
    asked, doing = parameters_from_name(ref), f"pull {ref}"
    said = ask_lines("/images/create", doing=doing, params=asked, timeout_s=SILENCE_S, auth_for=repository_of(ref))
    follow_pull(said, doing, on_line)


def follow_pull(lines: Iterable[Json], doing: str, on_line: Callable[[str], None] | None) -> None:
    """Read the progress to its end; raises the error inside it, for the status of the answer was 200 all the same."""
    for line in lines:
        if complaint := text(line, "error") or text(part(line, "errorDetail"), "message"):
            raise refusal(500, complaint, doing)
        if on_line and (said := spoken(line)):
            on_line(said)


def spoken(line: Json) -> str:
    """Yield one progress line as people read it."""
    said = (text(line, "id"), text(line, "status"), text(line, "progress"))
    return " ".join(each for each in said if each)
