"""Reads the default configuration out of an image, through a container that is never started; it touches no data."""

from __future__ import annotations

import contextlib
import secrets

from runner.engine.port import EnginePort
from runner.errors import EngineError, NotFound
from runner.facts import Json
from runner.labels import DEFAULTS, ROLE, RUN
from runner.vault.configuration import RefreshOrder
from runner.vault.refreshing import Packed


def read_defaults(engine: EnginePort, order: RefreshOrder, run: str = "") -> Packed:
    """The defaults of both images as tars; a place that is missing in an image is missing here."""
    paths = tuple(place.path for place in order.places)
    return {side: _read(engine, image, paths, run) for side, image in sides(order).items()}


def sides(order: RefreshOrder) -> dict[str, str]:
    """Side → image id."""
    return {"old": order.old_image, "new": order.new_image}


def _read(engine: EnginePort, image: str, paths: tuple[str, ...], run: str) -> dict[str, bytes]:
    name = f"refloat-{DEFAULTS}-{run or 'look'}-{secrets.token_hex(4)}"
    body: Json = {
        "Image": image,
        "Entrypoint": ["true"],  # an image without any command could not be created
        "NetworkDisabled": True,
        "Labels": {RUN: run, ROLE: DEFAULTS},
        "HostConfig": {"NetworkMode": "none"},
    }
    made = engine.create_container(name, body)
    found: dict[str, bytes] = {}
    try:
        for path in paths:
            with contextlib.suppress(NotFound):
                found[path] = engine.read_archive(made, path)
    finally:
        with contextlib.suppress(EngineError):
            engine.remove_container(made, force=True, volumes=True)
    return found
