"""Keeping an engine from filling the target's empty volumes while it creates the successor; it looks at no file."""

from __future__ import annotations

from collections.abc import Set as AbstractSet

from pydantic import JsonValue

from runner.facts import Json
from runner.spec.inspected import listed, mapping, objects, text, texts
from runner.spec.model import ContainerSpec

NOCOPY = "nocopy"


def with_unseeded(spec: ContainerSpec, volumes: AbstractSet[str]) -> ContainerSpec:
    """The spec with ``nocopy`` on these volumes.

    Engines copy an image's files, their owner and mode into an empty volume as soon as a container is created: long
    before the snapshot, so that the old version would find them after a failure.
    """
    host = spec.host_config
    binds = listed([_unseeded_bind(each, volumes) for each in texts(host.get("Binds"))])
    mounts: JsonValue = [_unseeded_mount(each, volumes) for each in objects(host.get("Mounts"))]
    changed: Json = {key: value for key, value in (("Binds", binds), ("Mounts", mounts)) if host.get(key)}
    return spec.model_copy(update={"host_config": host | changed})


def _unseeded_bind(bind: str, volumes: AbstractSet[str]) -> str:
    parts = bind.split(":")
    if parts[0] not in volumes or NOCOPY in parts[-1].split(","):
        return bind
    return f"{bind}{',' if len(parts) > 2 else ':'}{NOCOPY}"


def _unseeded_mount(mount: Json, volumes: AbstractSet[str]) -> Json:
    if mount.get("Type") != "volume" or text(mount.get("Source")) not in volumes:
        return mount
    return mount | {"VolumeOptions": mapping(mount.get("VolumeOptions")) | {"NoCopy": True}}
