"""Warnings about the target's volumes as the engine keeps them: empty ones, and those in memory; it reads nothing."""

from __future__ import annotations

from collections.abc import Iterator

from runner.facts import Volume
from runner.plan import PlanWarning
from runner.world import World

IN_MEMORY = ("tmpfs", "ramfs")


def volume_warnings(world: World) -> Iterator[PlanWarning]:
    """Warn of volumes that start as they are, and of those that a restart of the engine empties."""
    for source in world.sources:
        if source.volume in world.empty_volumes:
            said = (
                f"Volume {source.volume} is empty and stays so: what the new image has at {source.destination} is not"
            )
            yield PlanWarning(code="empty-volume", text=f"{said} put into it")
    for volume in world.volumes:
        if is_in_memory(volume):
            said = (
                f"Volume {volume.name} is kept in memory: it is empty once nobody has it mounted. Its snapshot is not"
            )
            yield PlanWarning(code="data-in-memory", text=said)


def is_in_memory(volume: Volume) -> bool:
    """Whether a volume of the local driver is a filesystem in memory."""
    return volume.driver == "local" and volume.options.get("type") in IN_MEMORY
