"""The upgraded copy as a testcontainers object: everything of its API but starting and removing, which refloat does."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Self

from testcontainers.core.container import DockerContainer

from runner.engine.port import Conversation
from runner.rehearsal import Rehearsed
from runner.testing.relay import Relay


class UpgradedCopy(DockerContainer):
    """The new version, running on a copy of the data.

    It publishes no port and its network leads nowhere. So ``get_exposed_port(PORT)`` opens a port on the loopback
    address of this machine that leads to PORT in the copy, wherever the engine is; ``get_container_host_ip()`` is that
    address.
    """

    rehearsal: Rehearsed
    """What came of the rehearsal so far: times in seconds, evidence, new lines in the log."""
    members: Mapping[str, UpgradedCopy]
    """Of a stack: every member that runs, by its container's name; alone it is the only one."""

    def __init__(self, container_id: str, rehearsal: Rehearsed, reach: Callable[[int], Conversation]) -> None:
        """Take up a running container; ``reach`` begins a `program` beside it, which leads to one of its ports."""
        super().__init__(rehearsal.new_ref)
        self._container = self.get_docker_client().client.containers.get(container_id)
        self.rehearsal = rehearsal
        self.members = {rehearsal.target: self}
        self._reach = reach
        self._relays: dict[int, Relay] = {}

    def start(self) -> Self:
        """Do nothing: it runs."""
        return self

    def stop(self, force: bool = True, delete_volume: bool = True) -> None:  # noqa: ARG002  # the API's own names
        """Close the ports; the copy itself is cleared away by who made it."""
        for relay in self._relays.values():
            relay.close()
        self._relays.clear()

    def get_container_host_ip(self) -> str:
        """Where the ports answer."""
        return "127.0.0.1"

    def get_exposed_port(self, port: int) -> int:
        """The port of this machine that leads to one in the copy, whether the image exposes it or not."""
        if port not in self._relays:
            self._relays[port] = Relay(lambda: self._reach(port))
        return self._relays[port].port
