"""Which targets may be upgraded at the same time: those that share nothing; it only compares facts."""

from __future__ import annotations

from collections.abc import Iterable

from runner.compose.project import PROJECT
from runner.facts import Container
from runner.spec.data import data_mounts, shared_with

BUILT_IN = ("bridge", "host", "none", "")
"""Networks on which nobody finds anybody by name."""


def groups(targets: Iterable[tuple[str, tuple[Container, ...]]]) -> tuple[tuple[str, ...], ...]:
    """The names in groups: whoever shares a project, a network, data or a namespace goes after the other, in order.

    A target has one container, a stack several.
    """
    found: list[list[tuple[str, tuple[Container, ...]]]] = []
    for name, mine in targets:
        near = [
            group
            for group in found
            if any(_share(one, other) for one in mine for _, others in group for other in others)
        ]
        merged = [*(pair for group in near for pair in group), (name, mine)]
        found = [*(group for group in found if group not in near), merged]
    return tuple(tuple(name for name, _ in group) for group in found)


def _share(one: Container, other: Container) -> bool:
    project = one.labels.get(PROJECT, "")
    return (
        (bool(project) and project == other.labels.get(PROJECT, ""))
        or bool(_networks(one) & _networks(other))
        or bool(shared_with(data_mounts(one), (other,)) or shared_with(data_mounts(other), (one,)))
        or _joins(one, other)
        or _joins(other, one)
    )


def _networks(container: Container) -> set[str]:
    return {endpoint.network for endpoint in container.endpoints} - set(BUILT_IN)


def _joins(one: Container, other: Container) -> bool:
    """Whether it lives in a namespace of the other, or is linked to it."""
    modes = [str(one.host_config.get(key) or "") for key in ("NetworkMode", "PidMode", "IpcMode")]
    links = one.host_config.get("Links")
    linked = [str(each).partition(":")[0].strip("/") for each in links] if isinstance(links, list) else []
    joined = {mode.partition(":")[2] for mode in modes if mode.startswith("container:")}
    return other.name in (*linked, *joined) or other.id in joined
