"""Short ways to docker and engine.sh, also for a test that restarts its engine; starts nothing by itself."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
ENGINE_SH = ROOT / "images/engine/engine.sh"
PATIENCE_S = 180.0


def until(true: Callable[[], bool], what: str) -> None:
    """Wait for it; the deadline is only for what never comes."""
    deadline = time.monotonic() + PATIENCE_S
    while not true():
        assert time.monotonic() < deadline, f"not within {PATIENCE_S:.0f} s: {what}"
        time.sleep(0.1)


@dataclass(frozen=True)
class Lab:
    """One engine and the docker client for it."""

    directory: Path
    host: str

    def docker(self, *arguments: str, check: bool = True) -> str:
        """The output of one docker command, both streams."""
        command = ["docker", "--host", self.host, *arguments]
        done = subprocess.run(command, stdout=-1, stderr=-2, text=True, check=False)
        assert not check or done.returncode == 0, f"{command} ended with {done.returncode}:\n{done.stdout}"
        return done.stdout.strip()

    def engine(self, *arguments: str) -> str:
        """The output of one engine.sh command for this engine."""
        environment = {**os.environ, "ENGINE_DIR": str(self.directory)}
        return subprocess.check_output([ENGINE_SH, *arguments], env=environment, text=True, timeout=120).strip()

    def state(self, container: str, field: str) -> str:
        """One field of a container's state."""
        return self.docker("inspect", "--format", f"{{{{.State.{field}}}}}", container)


@contextmanager
def further_engine(first: Lab, *images: str) -> Iterator[Lab]:
    """A new engine with these images of the first one; stopped and removed afterwards."""
    directory = Path(tempfile.mkdtemp(prefix="refloat-"))
    engine = Lab(directory, f"unix://{directory}/docker.sock")
    try:
        assert engine.engine("start") == engine.host
        first.docker("save", "--output", str(directory / "images.tar"), *images)
        engine.docker("load", "--input", str(directory / "images.tar"))
        (directory / "images.tar").unlink()
        yield engine
    finally:
        engine.engine("stop")
        shutil.rmtree(directory)
