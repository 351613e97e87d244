"""Where a repository lives, by the image's name alone, and which CA its host is trusted by; it asks no one."""

from __future__ import annotations

import ipaddress
import os
from pathlib import Path

from runner.facts import Fact

HUB = "docker.io"
HUB_ADDRESS = "registry-1.docker.io"
HUB_NAMES = (HUB, "index.docker.io", HUB_ADDRESS)


class RepositoryPlace(Fact):
    """One repository of one registry."""

    host: str
    """As credentials and people name it, with its port: ``docker.io``, ``registry.example.com:5000``."""
    path: str

    @property
    def address(self) -> str:
        """The host that answers."""
        return HUB_ADDRESS if self.host == HUB else self.host

    @property
    def is_loopback(self) -> bool:
        """Whether plain HTTP will do, as it does for Docker: nobody else can listen."""
        name = self.host.rpartition(":")[0] if self.host.rpartition(":")[2].isdigit() else self.host
        try:
            return name == "localhost" or ipaddress.ip_address(name.strip("[]")).is_loopback
        except ValueError:
            return False


def place_of(repository: str) -> RepositoryPlace:
    """The registry a repository's name means, as Docker reads it: without a host it is Docker Hub."""
    head, slash, rest = repository.partition("/")
    if not slash or not ("." in head or ":" in head or head == "localhost"):
        head, rest = HUB, repository
    if head in HUB_NAMES:
        return RepositoryPlace(host=HUB, path=rest if "/" in rest else f"library/{rest}")
    return RepositoryPlace(host=head, path=rest)


def authority_of(host: str) -> Path | None:
    """The CA that this host's certificate is to be checked with, where Docker would find it too; None: the system's."""
    folders = (_docker_folder() / "certs.d", Path("/etc/docker/certs.d"))
    found = (file for folder in folders for file in sorted((folder / host).glob("*.crt")))
    return next(found, None)


def _docker_folder() -> Path:
    return Path(os.environ.get("DOCKER_CONFIG") or Path.home() / ".docker")
