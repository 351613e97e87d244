"""What a measurement stands on: an engine, names of its own, and clearing up whatever happens; it measures nothing."""

from __future__ import annotations

import os
import subprocess
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from benchmarks.loads import Load

ROOT = Path(__file__).parent.parent
TOOLS = "refloat/tools:1"
TIMED = """import subprocess, sys, time
begun = time.monotonic()
subprocess.run(sys.argv[1:], check=True)
print(time.monotonic() - begun)
"""


@dataclass(frozen=True)
class Ground:
    """Names that nobody else has, on the engine that DOCKER_HOST says; the data is a volume with one load on it."""

    mark: str

    @property
    def data(self) -> str:
        """The volume with the data."""
        return f"{self.mark}-data"

    @property
    def spare(self) -> str:
        """The volume that cp and tar copy to."""
        return f"{self.mark}-spare"

    @property
    def vault(self) -> str:
        """The volume that refloat copies to."""
        return f"{self.mark}-vault"

    @property
    def hands(self) -> str:
        """The container that reaches all three; it runs already when something is timed."""
        return f"{self.mark}-hands"

    @property
    def neighbour(self) -> str:
        """A container that is on the service's network all the time, as on most hosts.

        Without one the bridge goes down with the service and forgets its address, and whoever asks too early waits
        up to a second for the next ARP request: chance, whichever way the upgrade is made.
        """
        return f"{self.mark}-neighbour"

    def lay_out(self, load: Load) -> None:
        """Write a load onto a new volume."""
        mounts = [f"--volume={self.data}:/data", f"--volume={self.spare}:/spare"]
        idle = ("--detach", "--init", TOOLS, "sleep", "infinity")
        docker("run", f"--name={self.neighbour}", *idle)
        docker("run", f"--name={self.hands}", "--network=none", *mounts, *idle)
        self.work(*load.writing())

    def rest_hands(self, *, rest: bool) -> None:
        """Have the hands stopped, or up: refloat rightly refuses while somebody else runs on the data."""
        docker("stop" if rest else "start", self.hands)

    def work(self, *line: str) -> float:
        """Run a command in the hands; how many seconds it took."""
        return seconds_of("docker", "exec", self.hands, *line)

    def work_itself(self, *line: str) -> float:
        """The same without what it takes to reach the hands."""
        return float(docker("exec", self.hands, "python3", "-c", TIMED, *line))

    def empty(self, folder: str) -> None:
        """Leave nothing in a folder, and no writes for others to wait for."""
        self.work("find", folder, "-mindepth", "1", "-delete")
        self.work("sync")

    def drop_vault(self) -> None:
        """Begin without snapshots again, and with no writes for others to wait for."""
        with suppress(subprocess.CalledProcessError):
            docker("volume", "rm", self.vault)
        self.work("sync")

    def clear(self) -> None:
        """Take everything away that carries our mark."""
        for kind, every in (("container", ["--all"]), ("volume", [])):
            found = docker(kind, "ls", *every, "--quiet", f"--filter=name={self.mark}").split()
            if found:
                docker(kind, "rm", "--force", *found)


@contextmanager
def laid_out(load: Load) -> Iterator[Ground]:
    """A ground with a load on it, cleared away whatever happens."""
    ground = Ground(f"refloat-bench-{uuid.uuid4().hex[:8]}")
    try:
        ground.lay_out(load)
        yield ground
    finally:
        ground.clear()


def docker(*line: str) -> str:
    """Run docker; what it said."""
    return subprocess.run(["docker", *line], check=True, capture_output=True, text=True).stdout


def seconds_of(*line: str, **environment: str) -> float:
    """Run a command that must succeed; how many seconds it took."""
    begun = time.monotonic()
    subprocess.run(line, check=True, capture_output=True, text=True, cwd=ROOT, env={**os.environ, **environment})
    return time.monotonic() - begun


def published_address() -> str:
    """Where the ports that the engine publishes answer."""
    engine = str(ROOT / "images/engine/engine.sh")
    private = subprocess.run([engine, "host"], check=True, capture_output=True, text=True).stdout.strip()
    if os.environ.get("DOCKER_HOST") != private:
        return "127.0.0.1"
    return subprocess.run([engine, "address"], check=True, capture_output=True, text=True).stdout.strip()
