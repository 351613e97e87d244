"""A place for rehearsals by the real command line: one target, and all that a rehearsal of it might have forgotten."""

from __future__ import annotations

import subprocess
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from runner.clock import RealClock
from runner.engine.docker import DockerEngine, connect_engine
from runner.labels import REHEARSAL
from runner.session import Session
from runner.vault.port import VaultPlace
from runner.vault.vault import DockerVault
from tests.engine import command_line
from tests.engine.command_line import Ran, surroundings

SERVICE = "refloat-lab/misbehave"
UP_S = 300


@dataclass(frozen=True)
class Bench:
    """A target, a home and a vault of its own."""

    engine: DockerEngine
    host: str
    home: Path
    name: str

    @property
    def vault(self) -> str:
        return f"{self.name}-vault"

    @property
    def process(self) -> tuple[str, str, int, str]:
        """Which process of the target runs, and how it is."""
        target = self.engine.container(self.name)
        return target.id, target.state.started_at, target.state.pid, target.state.status

    def docker(self, *line: str) -> str:
        return command_line.docker(self.host, *line)

    def run(self, image: str, *options: str, command: tuple[str, ...] = ()) -> None:
        label = f"refloat.test={self.name}"
        self.docker("run", "--detach", "--name", self.name, "--label", label, *options, image, *command)

    def wait_for(self, *command: str) -> None:
        until = time.monotonic() + UP_S
        while time.monotonic() < until:
            line = ["docker", "--host", self.host, "exec", self.name, *command]
            if subprocess.run(line, capture_output=True, timeout=60).returncode == 0:
                return
            time.sleep(0.3)
        pytest.fail(f"{self.name} does not come up:\n{self.docker('logs', '--tail', '20', self.name)}")

    @property
    def environment(self) -> dict[str, str]:
        return surroundings(self.host, self.home)

    def refloat(self, *line: str) -> Ran:
        return command_line.refloat(self.environment, *line, "--vault", self.vault)

    def rehearse(self, to: str, *more: str) -> Ran:
        return self.refloat("rehearse", self.name, "--to", to, "--dwell", "1", *more)

    @property
    def session(self) -> Session:
        return Session(home=self.home, engine=self.engine, vault=DockerVault(self.engine), clock=RealClock())

    def left(self) -> list[str]:
        """All that a rehearsal of this target might have forgotten."""
        engine, runs = self.engine, self.runs()
        things = [
            *(each.name for each in engine.containers() if self._is_of(each.labels, runs)),
            *(each.name for each in engine.volumes() if self._is_of(each.labels, runs)),
            *(each.name for each in engine.networks() if self._is_of(each.labels, runs)),
            *(tag for image in engine.images() for tag in image.tags if any(run in tag for run in runs)),
        ]
        rooms = self.session.vault.rooms(VaultPlace(volume=self.vault))
        return [*things, *(f"room {seen.room.target}/{seen.room.run}" for seen in rooms)]

    def runs(self) -> tuple[str, ...]:
        return tuple(path.name.removesuffix(".json") for path in self.home.glob("rehearsals/*"))

    def _is_of(self, labels: dict[str, str], runs: tuple[str, ...]) -> bool:
        return labels.get(REHEARSAL) in runs or any(labels.get("refloat.run", "").startswith(run) for run in runs)

    def clear(self) -> None:
        runs = self.runs()
        for container in self.engine.containers():
            mine = container.labels.get("refloat.test") == self.name or container.name.startswith(self.name)
            if mine or self._is_of(container.labels, runs):
                self.engine.remove_container(container.id, force=True, volumes=True)
        for volume in (*(each.name for each in self.engine.volumes() if self._is_of(each.labels, runs)),
                       f"{self.name}-data", self.vault):  # fmt: skip
            self.docker("volume", "rm", "--force", volume)
        for applied in self.home.glob("runs/*"):
            self.engine.untag(f"refloat/held:{applied.name}")
        for network in self.engine.networks():
            if network.name.startswith(self.name) or self._is_of(network.labels, runs):
                self.engine.remove_network(network.id)


@contextmanager
def bench_on(host: str, home: Path) -> Iterator[Bench]:
    """A bench that is cleared at the end."""
    bench = Bench(connect_engine(host), host, home, f"reh-{uuid.uuid4().hex[:8]}")
    try:
        yield bench
    finally:
        bench.clear()


def with_service(bench: Bench, *options: str) -> Bench:
    """The small service runs as the target, with data of its own."""
    bench.run(f"{SERVICE}:1.0", "--volume", f"{bench.name}-data:/data", "--restart", "unless-stopped", *options)
    bench.wait_for("wget", "-q", "-O", "/dev/null", "http://127.0.0.1:8000/health")
    bench.docker("exec", bench.name, "sh", "-c", "echo mine >/data/token")
    return bench
