"""How long a service that keeps writing is away during an upgrade, asked from outside; it knows nothing of tables."""

from __future__ import annotations

import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.ground import Ground, docker, published_address, seconds_of

SERVICE = "refloat-lab/misbehave"
PORT = 18473
EVERY_S = 0.01
SILENT_S = 0.1
PATIENCE_S = 60.0
KEEP_WRITING = "while :; do date >>/data/written; sleep 0.05; done"


@dataclass(frozen=True)
class Upgrade:
    """One upgrade, from the first command to the last."""

    downtime_s: float
    total_s: float


@dataclass
class Watch:
    """Asks a service for its version, again and again, from outside the engine."""

    address: str
    gap_s: float = 0.0
    version: str = ""
    _last: float = 0.0
    _over: threading.Event = field(default_factory=threading.Event)

    def look(self) -> None:
        """Note the longest time between two answers until it is over."""
        while not self._over.wait(EVERY_S):
            version = version_at(self.address)
            if not version:
                continue
            now = time.monotonic()
            self.gap_s = max(self.gap_s, now - (self._last or now))
            self._last, self.version = now, version

    def wait_for(self, version: str) -> None:
        """Return once that version has answered."""
        deadline = time.monotonic() + PATIENCE_S
        while self.version != version:
            if time.monotonic() > deadline:
                raise TimeoutError(f"{SERVICE}:{version} does not answer at {self.address}:{PORT}")
            time.sleep(EVERY_S)

    def end(self) -> None:
        """Look no longer."""
        self._over.set()


def version_at(address: str) -> str:
    """Which version answers now; empty when none does."""
    with suppress(OSError), socket.create_connection((address, PORT), timeout=SILENT_S) as wire:
        wire.sendall(b"GET /version HTTP/1.0\r\n\r\n")
        with wire.makefile("rb") as answer:
            return answer.read().rpartition(b"\r\n\r\n")[2].decode().strip()
    return ""


def run_service(ground: Ground, version: str) -> None:
    """The docker run that everybody would type."""
    docker("run", "--detach", f"--name={ground.mark}", f"--publish={PORT}:8000", f"--volume={ground.data}:/data",
           f"{SERVICE}:{version}")  # fmt: skip


def upgrade_bare(ground: Ground, between: Callable[[], object] = lambda: None) -> None:
    """Stop, remove, run; with what is done in between."""
    docker("stop", ground.mark)
    between()
    docker("rm", ground.mark)
    run_service(ground, "2.0")


def upgrade_with_cp(ground: Ground) -> None:
    """The same with a copy while it is down."""
    upgrade_bare(ground, lambda: ground.work("cp", "-a", "/data/.", "/spare"))


def upgrade_with_tar(ground: Ground) -> None:
    """The same with an archive while it is down."""
    upgrade_bare(ground, lambda: ground.work("tar", "-czf", "/spare/data.tar.gz", "-C", "/data", "."))


def upgrade_with_refloat(ground: Ground) -> None:
    """The product as a process, with its defaults, and without any snapshot to begin with."""
    with tempfile.TemporaryDirectory(prefix="refloat-bench-") as home:
        line = ("apply", ground.mark, "--to", "2.0", "--vault", ground.vault, "--yes")
        try:
            seconds_of(sys.executable, "-m", "runner.cli.main", *line, REFLOAT_HOME=home)
        finally:
            _release_images(Path(home))


def _release_images(home: Path) -> None:
    for run in home.glob("runs/*"):
        with suppress(subprocess.CalledProcessError):  # not every run still holds one
            docker("image", "rm", f"refloat/held:{run.name}")


WAYS: dict[str, Callable[[Ground], None]] = {
    "refloat apply": upgrade_with_refloat,
    "stop, rm, run": upgrade_bare,
    "stop, cp -a, rm, run": upgrade_with_cp,
    "stop, tar -czf, rm, run": upgrade_with_tar,
}


def measure_upgrade(ground: Ground, way: str) -> Upgrade:
    """Run the old version, have it write, upgrade it, and leave the data alone again."""
    watch = Watch(published_address())
    thread = threading.Thread(target=watch.look)
    thread.start()
    try:
        run_service(ground, "1.0")
        docker("exec", "--detach", ground.mark, "sh", "-c", KEEP_WRITING)
        watch.wait_for("1.0")
        ground.rest_hands(rest=WAYS[way] is upgrade_with_refloat)
        begun = time.monotonic()
        WAYS[way](ground)
        watch.wait_for("2.0")
        return Upgrade(watch.gap_s, time.monotonic() - begun)
    finally:
        watch.end()
        thread.join()
        docker("rm", "--force", ground.mark)
        ground.rest_hands(rest=False)
        ground.empty("/spare")
        ground.drop_vault()
