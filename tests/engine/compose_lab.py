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
PROFILE = "night"
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
    stop_grace_period: 1s
volumes: {{data: {{name: {name}-data}}}}
"""
INCLUDED = """\
# The shop.
include: [docker-compose.db.yml]
services:
  web:
    image: refloat-lab/busybox:1
    command: sleep 1d
    stop_grace_period: 1s
"""
# docker-compose in a container: the project and what refloat writes for it are copied in, so it may run anywhere.
COMMAND = """\
#!/bin/sh
set -e
wd=$PWD
tar -C / -cf - .{project} .{temporary} | docker exec --interactive {name}-compose tar -C / -xf -
exec docker exec --env COMPOSE_PROFILES --workdir "$wd" {name}-compose docker-compose "$@"
"""


@dataclass(frozen=True)
class Shop:
    """A project of two services; ``db`` is the one that is upgraded."""

    bench: Bench
    folder: Path
    temporary: Path
    """Where refloat writes what it asks compose about."""
    path: str

    @property
    def file(self) -> Path:
        """The file that names the image of ``db``."""
        return next(path for path in sorted(self.folder.glob("*.yml")) if b"# the database" in path.read_bytes())

    @property
    def db(self) -> str:
        return f"{self.bench.name}/db"

    def compose(self, *line: str) -> str:
        chosen = {"PATH": self.path, "DOCKER_HOST": self.bench.host, "COMPOSE_PROFILES": PROFILE}
        ran = subprocess.run(["docker-compose", "-p", self.bench.name, *line], cwd=self.folder, capture_output=True,
                             env={**os.environ, **chosen}, text=True, timeout=300, check=False)  # fmt: skip
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
def shop_on(host: str, tmp_path: Path, version: str, *, included: bool = False) -> Iterator[Shop]:
    """A project that is up; everything of it goes at the end."""
    with bench_on(host, tmp_path / "home") as bench:
        folder, commands, temporary = tmp_path / "shop", tmp_path / "bin", tmp_path / "tmp"
        for path in (folder, commands, temporary):
            path.mkdir()
        sockets = str(Path(host.removeprefix("unix://")).parent) if host.startswith("unix:") else "/var/run"
        command = commands / "docker-compose"
        command.write_text(COMMAND.format(name=bench.name, project=folder, temporary=temporary))
        command.chmod(0o755)
        _write_project(folder, bench.name, included=included)
        bench.run(f"refloat-lab/compose:{version}", "--volume", f"{sockets}:/sockets", "--network", "none", "--init",
                  "--env", "DOCKER_HOST=unix:///sockets/docker.sock", "--entrypoint", "sleep",
                  name=f"{bench.name}-compose", command=("infinity",))  # fmt: skip
        shop = Shop(bench, folder, temporary, f"{commands}:{os.environ['PATH']}")
        try:
            shop.compose("up", "-d")
            yield shop
        finally:
            for each in bench.engine.containers({"com.docker.compose.project": bench.name}):
                bench.docker("rm", "--force", "--volumes", each.id, check=False)


def _write_project(folder: Path, name: str, *, included: bool) -> None:
    """One file, or one that includes the file of the database, whose service has a profile then (v1 knows neither)."""
    whole = FILE.format(name=name)
    texts = {"docker-compose.yml": whole}
    if included:
        alone = f"{whole.partition('  web:')[0]}    profiles: [{PROFILE}]\n"
        texts = {
            "docker-compose.yml": INCLUDED,
            "docker-compose.db.yml": f"{alone}volumes: {{data: {{name: {name}-data}}}}\n",
        }
    for file, text in texts.items():
        (folder / file).write_bytes(text.replace("\n", "\r\n").encode())
