"""A place for whole upgrades by the real command line: targets, data told by hash, and all of it cleared afterwards."""

from __future__ import annotations

import json
import os
import subprocess
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from runner.answers import Answer, keep_answers
from runner.engine.docker import DockerEngine, connect_engine
from runner.errors import EngineError
from runner.facts import Container
from runner.journal import Runs
from runner.labels import run_of
from runner.plan import HELD
from tests.engine import command_line
from tests.engine.command_line import Ran, surroundings
from tests.lab.engines import until

BUSYBOX = "refloat-lab/busybox:1"
MISBEHAVE = "refloat-lab/misbehave"
TREE = """cd /data && find . ! -name journal -exec stat -c '%n %a %u %g' {} + &&
find . -type f ! -name journal -exec sha256sum {} +"""
"""Names, modes, owners and contents; not the list of starts, which grows with every one."""


@dataclass(frozen=True)
class Bench:
    """An engine, a home and a vault of one test; everything it makes has a name that begins with ``name``."""

    engine: DockerEngine
    host: str
    home: Path
    name: str

    @property
    def vault(self) -> str:
        return f"{self.name}-vault"

    @property
    def data(self) -> str:
        return f"{self.name}-data"

    @property
    def target(self) -> Container:
        return self.engine.container(self.name)

    def refloat(self, *line: str, **variables: str) -> Ran:
        return command_line.refloat(surroundings(self.host, self.home, **variables), *line)

    def docker(self, *line: str, check: bool = True) -> str:
        return command_line.docker(self.host, *line, check=check)

    def plan(self, *line: str) -> Ran:
        return self.refloat("plan", self.name, *line, "--vault", self.vault)

    def apply(self, *line: str, dwell_s: float = 1) -> Ran:
        return self.refloat("apply", self.name, *line, "--vault", self.vault, "--dwell", str(dwell_s))

    def acknowledge(self, release: str, *notes: str) -> None:
        """What `refloat notes --ack` keeps of the incompatible changes a release brings."""
        read = (
            Answer(target=self.name, goal=release, gate=f"note {note}", answer="acknowledged", at="") for note in notes
        )
        keep_answers(self.home, tuple(read))

    def upgraded(self, *line: str, dwell_s: float = 1) -> Ran:
        """Apply, and see that it went through."""
        ran = self.apply(*line, dwell_s=dwell_s)
        assert ran.status == 0, ran.out + ran.err
        return ran

    def run(self, image: str, *options: str, command: tuple[str, ...] = (), name: str = "") -> Container:
        """Start a container; its name is the target's unless another is given."""
        made = self.docker("run", "--detach", "--name", name or self.name, *options, image, *command)
        return self.engine.container(made.splitlines()[-1])

    def target_with_data(self, image: str = f"{MISBEHAVE}:1.0", *options: str) -> Container:
        """A healthy small service with files of several kinds in its volume."""
        self.run(image, "--volume", f"{self.data}:/data", *options)
        fill = "echo mine >/data/a; mkdir /data/d; echo two >/data/d/b; chmod 640 /data/d/b; chown 7:8 /data/d/b"
        self.docker("exec", self.name, "sh", "-c", fill)
        return self.wait_healthy()

    def wait_healthy(self) -> Container:
        def healthy() -> bool:
            health = self.target.state.health
            return health is not None and health.status == "healthy"

        until(healthy, f"{self.name} healthy")
        return self.target

    def build(self, tag: str, dockerfile: str) -> None:
        """Build a small image; its name begins with the bench's."""
        command = ["docker", "--host", self.host, "build", "--quiet", "--tag", tag, "-"]
        built = subprocess.run(command, env={**os.environ, "DOCKER_BUILDKIT": "0"}, input=dockerfile,
                               capture_output=True, text=True, timeout=300, check=False)  # fmt: skip
        assert built.returncode == 0, built.stderr

    def exec(self, *command: str) -> str:
        return self.docker("exec", self.name, *command)

    def tree(self, volume: str = "") -> tuple[str, ...]:
        """What a volume (or a path of the engine's host) holds."""
        mount = f"{volume or self.data}:/data:ro"
        listed = self.docker("run", "--rm", "--network", "none", "--volume", mount, BUSYBOX, "sh", "-c", TREE)
        return tuple(sorted(listed.splitlines()))

    def left_of_runs(self) -> list[str]:
        """Containers and tags of this bench's runs, besides the target itself."""
        runs = Runs(self.home).all()
        containers = [each.name for each in self.engine.containers()
                      if (run_of(each.labels.get("refloat.run", "")) in runs and each.name != self.name)
                      or each.name.startswith(f"{self.name}-refloat")]  # fmt: skip
        tags = [tag for image in self.engine.images(HELD.rstrip(":")) for tag in image.tags]
        return containers + [tag for tag in tags if run_of(tag.removeprefix(HELD)) in runs]

    def snapshots(self, *, sealed: bool = False) -> list[str]:
        """The runs that have a room in the vault, or a sealed snapshot there."""
        listed = json.loads(self.refloat("ls", "--snapshots", "--vault", self.vault, "--json").out)
        return [seen["room"]["run"] for seen in listed if seen["sealed"] or not sealed]

    def clear(self) -> None:
        """Remove all of it; by the engine's own calls, for a process each would cost more than many a test."""
        engine, runs = self.engine, Runs(self.home).all()
        volumes = {each.name for each in engine.volumes() if self.name in each.name}
        for each in engine.containers():
            if run_of(each.labels.get("refloat.run", "")) in runs or each.name.startswith(self.name):
                volumes |= {mount.name for mount in each.mounts if mount.name}
                _tried(engine.remove_container, each.id, force=True, volumes=True)
        for name in volumes:
            _tried(engine.remove_volume, name)
        for network in engine.networks():
            if self.name in network.name:
                _tried(engine.remove_network, network.id)
        for tag in self._tags(runs):
            _tried(engine.untag, tag)

    def _tags(self, runs: tuple[str, ...]) -> tuple[str, ...]:
        """The images that were built for this test, and those that its runs held."""
        built = (f"{self.name}*/*", f"*/{self.name}*", f"*/*:*{self.name}")
        named = tuple(tag for each in built for image in self.engine.images(each) for tag in image.tags)
        held = tuple(tag for image in self.engine.images(HELD.rstrip(":")) for tag in image.tags)
        return (
            *(tag for tag in named if self.name in tag),
            *(tag for tag in held if run_of(tag.removeprefix(HELD)) in runs),
        )


def _tried(remove: Callable[..., None], ref: str, **how: bool) -> None:
    """What is gone already, or still in somebody else's use, is no matter of the test."""
    with suppress(EngineError):
        remove(ref, **how)


@contextmanager
def bench_on(host: str, home: Path) -> Iterator[Bench]:
    """A bench that is cleared at the end."""
    bench = Bench(connect_engine(host), host, home, f"up-{uuid.uuid4().hex[:8]}")
    try:
        yield bench
    finally:
        bench.clear()
