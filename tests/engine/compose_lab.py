"""A compose project on the lab's engine, brought up by Debian's real docker-compose, and that command for refloat."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.engine.upgrade_lab import Bench, bench_on

V1, V2 = "1.29.2", "2.26.1"
FILE = """\
# The shop.  Comments stay.
version: "3.7"
services:
  db:
    image: "refloat-lab/misbehave:1.0"   # the database
    volumes: ['data:/data']
    environment: {{DB_PASSWORD: correct-horse}}
    restart: unless-stopped
  web:
    image: refloat-lab/busybox:1
    command: sleep 1d
volumes: {{data: {{name: {name}-data}}}}
"""
# docker-compose in a container: the project and what refloat writes for it are copied in, so it may run anywhere.
COMMAND = """\
#!/bin/sh
set -e
id=$(docker create --volume {sockets}:/sockets --env DOCKER_HOST=unix:///sockets/docker.sock --network none \\
    --label refloat.test={name} --workdir "$PWD" refloat-lab/compose:{version} "$@")
trap 'docker rm --force "$id" >/dev/null' EXIT
set --
for each in {project} /tmp/refloat-*; do [ -d "$each" ] && set -- "$@" ".$each"; done
tar -C / -cf - "$@" | docker cp - "$id:/"
docker start --attach "$id"
"""


@dataclass(frozen=True)
class Shop:
    """A project of two services; ``db`` is the one that is upgraded."""

    bench: Bench
    folder: Path
    path: str

    @property
    def file(self) -> Path:
        return self.folder / "docker-compose.yml"

    @property
    def db(self) -> str:
        return f"{self.bench.name}/db"

    def compose(self, *line: str) -> str:
        ran = subprocess.run(["docker-compose", "-p", self.bench.name, *line], cwd=self.folder, capture_output=True,
                             env={**os.environ, "PATH": self.path, "DOCKER_HOST": self.bench.host}, text=True,
                             timeout=300, check=False)  # fmt: skip
        assert ran.returncode == 0, ran.stdout + ran.stderr
        return ran.stdout

    def ids(self) -> dict[str, str]:
        """The running container of each service."""
        label = f"label=com.docker.compose.project={self.bench.name}"
        shown = '{{.Label "com.docker.compose.service"}} {{.ID}}'
        listed = self.bench.docker("ps", "--no-trunc", "--filter", label, "--format", shown)
        return dict(line.split() for line in listed.splitlines())

    def image(self) -> str:
        return self.bench.engine.container(self.ids()["db"]).image_ref


@contextmanager
def shop_on(host: str, tmp_path: Path, version: str) -> Iterator[Shop]:
    """A project that is up; everything of it goes at the end."""
    with bench_on(host, tmp_path / "home") as bench:
        folder, commands = tmp_path / "shop", tmp_path / "bin"
        folder.mkdir()
        commands.mkdir()
        sockets = str(Path(host.removeprefix("unix://")).parent) if host.startswith("unix:") else "/var/run"
        command = commands / "docker-compose"
        command.write_text(COMMAND.format(sockets=sockets, name=bench.name, version=version, project=folder))
        command.chmod(0o755)
        (folder / "docker-compose.yml").write_bytes(FILE.format(name=bench.name).replace("\n", "\r\n").encode())
        shop = Shop(bench, folder, f"{commands}:{os.environ['PATH']}")
        try:
            shop.compose("up", "-d")
            yield shop
        finally:
            # A compose that was cut off leaves the container it ran in.
            for label in ("com.docker.compose.project", "refloat.test"):
                for each in bench.engine.containers({label: bench.name}):
                    bench.docker("rm", "--force", "--volumes", each.id, check=False)
