"""The upgraded copy as a testcontainers object: everything of its API but starting and removing, which refloat does."""

from __future__ import annotations

import socket
from typing import Self, cast

from testcontainers.core.container import DockerContainer

from runner.rehearsal import Rehearsed
from runner.testing.relay import Relay, program


class UpgradedCopy(DockerContainer):
    """The new version, running on a copy of the data.

    It publishes no port and its network leads nowhere. So ``get_exposed_port(PORT)`` opens a port on the loopback
    address of this machine that leads to PORT in the copy, wherever the engine is; ``get_container_host_ip()`` is that
    address.
    """

    rehearsal: Rehearsed
    """What came of the rehearsal so far: times in seconds, evidence, new lines in the log."""

    def __init__(self, container_id: str, beside: str, rehearsal: Rehearsed) -> None:
        """Take up a running container; ``beside`` is the container in its network through which its ports are had."""
        super().__init__(rehearsal.new_ref)
        self._container = self.get_docker_client().client.containers.get(container_id)
        self.rehearsal = rehearsal
        self._beside = beside
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
            self._relays[port] = Relay(lambda: self._stream(port))
        return self._relays[port].port

    def _stream(self, port: int) -> socket.socket:
        api = self.get_docker_client().client.api
        made = api.exec_create(self._beside, program(port), stdin=True, stderr=False)
        stream = api.exec_start(made["Id"], socket=True)
        wrapped: object = stream  # where the engine has a local socket, it is wrapped in a file
        return cast("socket.socket", getattr(wrapped, "_sock", wrapped))
