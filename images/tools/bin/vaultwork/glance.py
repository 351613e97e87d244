"""Whether a source and its copy are as they were when last seen, told by a glance: what find says, hashed.

Every change moves a ctime, so the same bytes mean the same trees; no entry is looked at one by one. It never says
what changed.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from typing import NamedTuple


class Glance(NamedTuple):
    """How things were when a pass ended."""

    source: str
    tree: str
    equal: bool
    """The copy was equal to the source, which nobody wrote to."""
    settled: bool
    """No entry was so young that it could change and look the same."""

    def matches(self, source: bytes, tree: bytes) -> bool:
        """Whether both are as they were."""
        return (self.source, self.tree) == (digest(source), digest(tree))


def digest(raw: bytes) -> str:
    """What find said, in short."""
    return hashlib.sha256(raw).hexdigest()


def _file_of(manifest: bytes) -> bytes:
    return manifest + b".glance"


def remember(manifest: bytes, glance: Glance) -> None:
    """Keep it beside the manifest it belongs to; after a crash it may be missing, which costs a closer look."""
    with open(_file_of(manifest), "w", encoding="ascii") as file:
        json.dump(glance, file)


def recall(manifest: bytes) -> Glance | None:
    """The last glance, if there is one."""
    try:
        with open(_file_of(manifest), encoding="ascii") as file:
            return Glance(*json.load(file))
    except (FileNotFoundError, ValueError, TypeError):
        return None


def forget(manifest: bytes) -> None:
    """Before anything is changed."""
    with contextlib.suppress(FileNotFoundError):
        os.unlink(_file_of(manifest))
