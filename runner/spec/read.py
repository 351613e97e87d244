"""From an inspected container to its spec: subtracts what the image and the engine filled in; it asks nobody."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from runner.facts import Container, Engine, Image
from runner.spec.config import user_config
from runner.spec.host import user_host_config
from runner.spec.model import ContainerSpec, Seen
from runner.spec.networks import network_wishes

NO_NAMES: Mapping[str, str] = MappingProxyType({})


def spec_from(container: Container, image: Image, engine: Engine, *, names: Mapping[str, str] = NO_NAMES,
              keep_env: tuple[str, ...] = ()) -> ContainerSpec:  # fmt: skip
    """Read what the user set on ``container``, which was created from ``image``.

    ``names`` gives the names of other containers by id, for modes such as ``container:<id>``, which would not survive
    their recreation. ``keep_env`` names variables to keep although their value is the image's own.
    """
    seen = Seen(container, image, engine, names, keep_env)
    return ContainerSpec(
        name=container.name,
        image_id=container.image_id,
        image_ref=container.image_ref,
        config=user_config(seen),
        host_config=user_host_config(seen),
        networks=network_wishes(seen),
        auto_remove=container.host_config.get("AutoRemove") is True,
    )
