"""Brings a container of the memory engine into being, or refuses as the daemon does; it starts nothing."""

from __future__ import annotations

from runner.engine.memory import creation
from runner.engine.memory.cell import Cell
from runner.engine.memory.world import World, bad_request
from runner.engine.parse import labels_from, mapping, part, text
from runner.facts import Container, Json, State


def create(world: World, name: str, body: Json) -> str:
    """Make a container with its volumes and endpoints, and give its id."""
    host: Json = {**creation.HOST_DEFAULTS, **part(body, "HostConfig")}
    image = world.image(text(body, "Image"))
    check(world, name, body, host)
    ref = world.new_id()
    config = creation.config_from_body(body, image.config, ref[:12])
    mounts, anonymous = creation.mounts_from(
        config, host, lambda other: world.cell(other).container.mounts, world.new_id
    )
    for mount in mounts:
        if mount.name:
            world.add_volume(mount.name)
    container = Container(
        id=ref,
        name=name or f"unnamed_{ref[:6]}",
        image_id=image.id,
        image_ref=text(body, "Image"),
        created=world.now(),
        state=State(status="created"),
        config=config,
        host_config=host,
        mounts=mounts,
        labels=labels_from(config.get("Labels")),
    )
    for network, settings in creation.endpoint_settings(body, host).items():
        container = world.join(container, network, settings)
    world.cells[ref] = Cell(container, anonymous)
    return ref


def check(world: World, name: str, body: Json, host: Json) -> None:
    """Refuse what the daemon refuses at creation."""
    world.check_name(name)
    if len(part(part(body, "NetworkingConfig"), "EndpointsConfig")) > 1:
        raise bad_request("Container cannot be connected to network endpoints: more than one (API before 1.44)")
    policy = text(mapping(host.get("RestartPolicy")), "Name")
    if host.get("AutoRemove") is True and policy not in ("", "no"):
        raise bad_request("can't create 'AutoRemove' container with restart policy")
