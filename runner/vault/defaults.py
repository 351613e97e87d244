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
    wanted = {place.path: place.defaults or place.path for place in order.places}
    wanted |= {place.permissions: place.permissions for place in order.places if place.permissions}
    return {side: _read(engine, image, wanted, run) for side, image in sides(order).items()}


def sides(order: RefreshOrder) -> dict[str, str]:
    """Side → image id."""
    return {"old": order.old_image, "new": order.new_image}


def _read(engine: EnginePort, image: str, wanted: dict[str, str], run: str) -> dict[str, bytes]:
    name = f"refloat-{DEFAULTS}-{run or 'look'}-{secrets.token_hex(4)}"
    body: Json = {
        "Image": image,
        "Entrypoint": ["true"],  # an image without any command could not be created
        "NetworkDisabled": True,
        "Labels": {RUN: run, ROLE: DEFAULTS},
        "HostConfig": {"NetworkMode": "none"},
    }
    found: dict[str, bytes] = {}
    try:
        made = engine.create_container(name, body)
    except NotFound:
        return found  # the defaults beside the data do without the old image; where there are none, there is no place
    try:
        for name_of_it, path in wanted.items():
            with contextlib.suppress(NotFound):
                found[name_of_it] = engine.read_archive(made, path)
    finally:
        with contextlib.suppress(EngineError):
            engine.remove_container(made, force=True, volumes=True)
    return found
