"""A private registry with TLS and a password, under one name for this machine and for the engine: a loopback address.

The engine reaches it in its own namespace; here a small forwarder carries the same port there.
"""

from __future__ import annotations

import base64
import json
import socket
import ssl
import subprocess
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.engine.upgrade_lab import Bench
from tests.lab.engines import until

REGISTRY = "refloat-lab/registry:2.8.2"
USER, PASSWORD = "mia", "correct-horse-never-shown"
HTPASSWD = "mia:$2b$05$5PB125dIFMpO3MrQ4XRCiO9WxA5s9Fe8Lq45yz5vkl1ElqNchE4Ke\n"
MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
CHUNK_BYTES = 65536


@dataclass(frozen=True)
class PrivateRegistry:
    """Its name, and the folder of Docker's configuration that knows its CA and its password."""

    bench: Bench
    host: str
    config: Path

    @property
    def environment(self) -> dict[str, str]:
        return {"DOCKER_CONFIG": str(self.config)}

    @property
    def container(self) -> str:
        return f"{self.bench.name}-registry"

    def log_in(self) -> None:
        auth = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
        (self.config / "config.json").write_text(json.dumps({"auths": {self.host: {"auth": auth}}}))

    def log_out(self) -> None:
        (self.config / "config.json").unlink(missing_ok=True)

    def push(self, source: str, repository: str, *tags: str) -> None:
        """Push an image, and give its manifest further tags without pushing again."""
        first = f"{self.host}/{repository}:{tags[0]}"
        self.bench.docker("tag", source, first)
        self.docker("push", "--quiet", first)
        self.bench.docker("rmi", "--no-prune", first)
        manifest = self.ask("GET", f"{repository}/manifests/{tags[0]}")
        for tag in tags[1:]:
            self.ask("PUT", f"{repository}/manifests/{tag}", manifest)

    def docker(self, *line: str) -> str:
        """A docker command with the registry's password at hand."""
        ran = subprocess.run(["docker", "--config", str(self.config), "--host", self.bench.host, *line],
                             capture_output=True, text=True, timeout=300, check=False)  # fmt: skip
        assert ran.returncode == 0, ran.stderr
        return ran.stdout.strip()

    def ask(self, method: str, path: str, body: bytes | None = None) -> bytes:
        """One request by hand."""
        auth = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
        headers = {"Authorization": f"Basic {auth}", "Accept": MANIFEST, "Content-Type": MANIFEST}
        request = urllib.request.Request(f"https://{self.host}/v2/{path}", body, headers, method=method)
        trusted = ssl.create_default_context(cafile=str(authority(self)))
        with urllib.request.build_opener(
            urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=trusted)
        ).open(request, timeout=10) as answer:
            said: bytes = answer.read()
        return said

    def answers(self) -> bool:
        try:
            self.ask("GET", "")
        except (OSError, urllib.error.URLError):
            return False
        return True


def authority(registry: PrivateRegistry) -> Path:
    """Where its CA lies, as Docker would have it."""
    return registry.config / "certs.d" / registry.host / "ca.crt"


@contextmanager
def private_registry(bench: Bench, address: str, folder: Path) -> Iterator[PrivateRegistry]:
    """Run one; ``address`` is where the engine's published ports answer."""
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        port = listener.getsockname()[1]
        registry = PrivateRegistry(bench, f"127.0.0.1:{port}", folder / "docker")
        authority(registry).parent.mkdir(parents=True)
        certify(folder, authority(registry))
        registry.log_in()
        if address == "127.0.0.1":
            listener.close()  # the engine publishes here itself
        else:
            threading.Thread(target=forward, args=(listener, (address, port)), daemon=True).start()
        start(registry, port, folder)
        until(registry.answers, "the private registry answers")
        yield registry


def certify(folder: Path, ca: Path) -> None:
    """A CA of one certificate: itself."""
    subject = ["-subj", "/CN=refloat-lab", "-addext", "subjectAltName=IP:127.0.0.1"]
    made = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-keyout", str(folder / "key.pem")]
    subprocess.run(["openssl", "req", "-x509", "-nodes", "-days", "2", *subject, *made, "-out", str(ca)],
                   check=True, capture_output=True, timeout=60)  # fmt: skip
    (folder / "key.pem").chmod(0o644)
    (folder / "htpasswd").write_text(HTPASSWD)


def start(registry: PrivateRegistry, port: int, folder: Path) -> None:
    settings = {
        "REGISTRY_HTTP_TLS_CERTIFICATE": "/data/cert.pem", "REGISTRY_HTTP_TLS_KEY": "/data/key.pem",
        "REGISTRY_AUTH": "htpasswd", "REGISTRY_AUTH_HTPASSWD_REALM": "lab",
        "REGISTRY_AUTH_HTPASSWD_PATH": "/data/htpasswd",
    }  # fmt: skip
    environment = [part for name, value in settings.items() for part in ("--env", f"{name}={value}")]
    docker = registry.bench.docker
    docker("create", "--name", registry.container, "--publish", f"{port}:5000", *environment, REGISTRY)
    docker("cp", str(authority(registry)), f"{registry.container}:/data/cert.pem")
    for name in ("key.pem", "htpasswd"):
        docker("cp", str(folder / name), f"{registry.container}:/data/{name}")
    docker("start", registry.container)


def forward(listener: socket.socket, there: tuple[str, int]) -> None:
    """Carry every connection over, until the listener is closed."""
    while True:
        try:
            near, _ = listener.accept()
        except OSError:
            return
        try:
            far = socket.create_connection(there, timeout=60)
        except OSError:
            near.close()
            continue
        for one, other in ((near, far), (far, near)):
            threading.Thread(target=pour, args=(one, other), daemon=True).start()


def pour(one: socket.socket, other: socket.socket) -> None:
    """Carry one direction to its end."""
    try:
        while chunk := one.recv(CHUNK_BYTES):
            other.sendall(chunk)
        other.shutdown(socket.SHUT_WR)
    except OSError:
        other.close()
