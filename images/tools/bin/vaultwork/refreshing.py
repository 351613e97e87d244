"""Refreshes configuration with a program that comes with the request; it holds the room and knows nothing of the work.

The program is the caller's own, so that what decides here is what decided when the plan was made. It runs in this
process: whoever restores the data waits until it is through, for it has the room.
"""

from __future__ import annotations

import base64
import importlib
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from vaultwork.trouble import Trouble


class Explained(Protocol):
    """What the program's own failures carry."""

    code: str
    what: str
    stands: str
    then: str


class Refused(Trouble):
    """The program said no, with where things stand and what to do next."""

    def __init__(self, said: Explained) -> None:
        super().__init__(said.code, said.what)
        self.stands = said.stands
        self.then = said.then


def refresh(program: str, order: object, mounts: str, kept: Path | None) -> dict[str, object]:
    """Run the program (a zip, as base64) on an order; Refused with its own words."""
    with _imported(base64.b64decode(program)):
        failures: type[Exception] = importlib.import_module("runner.errors").RefloatError
        try:
            told: dict[str, object] = importlib.import_module("runner.refresh.remote").answer(order, Path(mounts), kept)
        except failures as no:
            raise Refused(no) from no  # type: ignore[arg-type]  # its type came with the program
    return told


@contextmanager
def _imported(packed: bytes) -> Iterator[None]:
    with tempfile.NamedTemporaryFile(suffix=".zip") as file:
        file.write(packed)
        file.flush()
        sys.path.insert(0, file.name)
        try:
            yield
        finally:
            sys.path.remove(file.name)
