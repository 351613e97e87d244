"""Containers, images and an engine to read specs from: recorded ones, and plain ones to vary."""

from __future__ import annotations

import json
from pathlib import Path

from runner.engine.parse import container_from_inspect, engine_from_info, image_from_inspect
from runner.facts import Container, Engine, Image, Json, Mount, MountKind, State
from runner.spec import ContainerSpec, spec_from

RECORDED = Path(__file__).parent / "inspect"
NAMES = tuple(sorted(path.stem for path in RECORDED.glob("*.json")))
ENGINE = Engine(id="e", name="machine", version="20.10.24", api_version="1.41")
ID = "a1b2c3d4e5f6" + "0" * 52


def recorded(name: str) -> tuple[Container, Image, Engine, dict[str, str]]:
    said = json.loads((RECORDED / f"{name}.json").read_text(encoding="utf-8"))
    engine = engine_from_info(said["info"], said["api_version"])
    return container_from_inspect(said["container"]), image_from_inspect(said["image"]), engine, said["names"]


def recorded_spec(name: str) -> ContainerSpec:
    container, image, engine, names = recorded(name)
    return spec_from(container, image, engine, names=names)


def image(config: Json | None = None, *, version: str = "", architecture: str = "") -> Image:
    labels: Json = {"Labels": {"org.opencontainers.image.version": version}} if version else {}
    return Image(id="sha256:" + "2" * 64, config={**(config or {}), **labels}, architecture=architecture)


def container(config: Json | None = None, host: Json | None = None, mounts: tuple[Mount, ...] = (), *,
              name: str = "app", id_: str = ID, status: str = "running") -> Container:  # fmt: skip
    return Container(
        id=id_,
        name=name,
        image_id="sha256:" + "1" * 64,
        image_ref="app:1",
        state=State(status=status),
        config={"Hostname": id_[:12], **(config or {})},
        host_config=host or {},
        mounts=mounts,
    )


def volume(name: str, destination: str, *, rw: bool = True) -> Mount:
    source = f"/var/lib/docker/volumes/{name}/_data"
    return Mount(kind=MountKind.VOLUME, name=name, source=source, destination=destination, rw=rw)


def bind(source: str, destination: str, *, rw: bool = True) -> Mount:
    return Mount(kind=MountKind.BIND, source=source, destination=destination, rw=rw)
