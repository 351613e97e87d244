"""What two images promise differently: user, command, volumes, ports, health check, variables; it judges none of it."""

from __future__ import annotations

from pydantic import JsonValue

from runner.facts import Image
from runner.spec.model import ContainerSpec
from runner.spec.words import differences

CONTRACT = ("User", "Entrypoint", "Cmd", "WorkingDir", "Volumes", "ExposedPorts", "Healthcheck", "StopSignal", "Shell",
            "Env")  # fmt: skip
"""What a container is given where its user says nothing; labels only describe."""


def image_differences(old: Image, new: Image) -> tuple[str, ...]:
    """One sentence a difference; values that may be secret are not in them."""
    return differences(_as_spec(old), _as_spec(new))


def _as_spec(image: Image) -> ContainerSpec:
    """Volumes and ports are objects without values: their names are all there is."""
    config = {key: _plain(key, image.config[key]) for key in CONTRACT if image.config.get(key)}
    return ContainerSpec(name="", image_id=image.id, image_ref="", config=config, host_config={})


def _plain(key: str, value: JsonValue) -> JsonValue:
    return [*value] if isinstance(value, dict) and key in ("Volumes", "ExposedPorts") else value
