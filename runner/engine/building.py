"""Images from a folder with a Dockerfile, or from a whole root, packed as a tar; it keeps nothing."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping

from runner.engine.parse import part, text
from runner.engine.pulling import follow_pull, split_name
from runner.errors import EngineError
from runner.facts import Json

SILENCE_S = 900.0
"""Between two lines of a build: installing packages quietly says nothing for minutes."""
PROXIES = ("http_proxy", "https_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY")
"""Build arguments that every engine knows and keeps out of the image."""


def parameters_for(tag: str, arguments: Mapping[str, str], labels: Mapping[str, str]) -> dict[str, str]:
    """The query of ``POST /build``: no intermediate containers stay, and our own proxies are the build's."""
    given = {name: os.environ[name] for name in PROXIES if name in os.environ} | dict(arguments)
    return {"t": tag, "rm": "1", "forcerm": "1", "buildargs": json.dumps(given), "labels": json.dumps({**labels})}


def build_image(ask_lines: Callable[..., Iterator[Json]], context: bytes, tag: str, arguments: Mapping[str, str],
                labels: Mapping[str, str]) -> None:  # fmt: skip
    """Build, and read what is said to the end; EngineError ``cannot-build`` with the reason and the last words."""
    doing, asked, last = f"build {tag}", parameters_for(tag, arguments, labels), ""
    for line in ask_lines("/build", doing=doing, params=asked, timeout_s=SILENCE_S, data=context):
        if complaint := text(line, "error") or text(part(line, "errorDetail"), "message"):
            raise EngineError(
                "cannot-build", f"The engine could not {doing}: {complaint}{f' ({last})' if last else ''}"
            )
        said = text(line, "stream").strip() or text(line, "status")
        last = said or last


def import_image(ask_lines: Callable[..., Iterator[Json]], tar: Iterable[bytes], tag: str,
                 labels: Mapping[str, str]) -> None:  # fmt: skip
    """Make an image of one layer; EngineError where the engine takes none."""
    repository, name = split_name(tag)
    changes = "\n".join(f"LABEL {json.dumps(key)}={json.dumps(value)}" for key, value in labels.items())
    asked = {"fromSrc": "-", "repo": repository, "tag": name, "changes": changes}
    doing = f"import {tag}"
    follow_pull(ask_lines("/images/create", doing=doing, params=asked, timeout_s=SILENCE_S, data=tar), doing, None)
