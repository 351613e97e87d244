"""Volumes with data, a vault and hands inside them, for tests of the real vault; it asserts nothing."""

from __future__ import annotations

import ast
import contextlib
import uuid
from collections.abc import Iterator
from pathlib import Path

from runner.engine.docker import DockerEngine
from runner.errors import NotFound
from runner.facts import Json
from runner.vault.port import Room, Source, VaultPlace
from runner.vault.tools import CAPABILITIES
from runner.vault.vault import DockerVault
from tests.pure import vault_trees

TOOLS = "refloat/tools:1"
TREES = Path(vault_trees.__file__).read_text()


class Bench:
    """A vault of its own and one volume ``data`` on it; everything carries the session's label."""

    def __init__(self, engine: DockerEngine, label: str) -> None:
        self.engine = engine
        self.vault = DockerVault(engine)
        self.mark = f"vt{uuid.uuid4().hex[:8]}"
        self._label = dict([label.split("=")])
        self._volumes: list[str] = []
        self._containers: list[str] = []
        self._runs: list[str] = []
        self.place = VaultPlace(volume=self.volume("vault"))
        self.use_data(self.volume("data"))

    def use_data(self, volume: str) -> None:
        """Take this volume for the target's data."""
        self.data = volume
        self.sources = (Source(key="d0", volume=volume, destination="/data"),)

    def volume(self, name: str, options: dict[str, str] | None = None) -> str:
        """Make a volume; its whole name."""
        whole = f"{self.mark}-{name}"
        self.engine.create_volume(whole, labels=self._label, options=options)
        self._volumes.append(whole)
        return whole

    def room(self, run: str = "r1") -> Room:
        """A room of the target ``t``."""
        whole = f"{self.mark}-{run}"
        self._runs.append(whole)
        return Room(place=self.place, target="t", run=whole)

    def snapshot(self, run: str = "r1", sources: tuple[Source, ...] = ()) -> Room:
        """A whole, sealed snapshot."""
        room, taken_of = self.room(run), sources or self.sources
        self.vault.warm_copy(room, taken_of)
        self.vault.cold_copy(room, taken_of)
        self.vault.seal(room, taken_of, {"image": "sha256:1"})
        return room

    def container(self, image: str, volume: str, at: str, **more: object) -> str:
        """Run an image on a volume; its name."""
        name = f"{self.mark}-c{len(self._containers)}"
        host: Json = {"Mounts": [{"Type": "volume", "Source": volume, "Target": at}], "NetworkMode": "none"}
        body: Json = {"Image": image, "Labels": {**self._label}, "HostConfig": host}
        self._containers.append(name)
        self.engine.create_container(name, {**body, **more})  # type: ignore[dict-item]  # JSON by the callers
        self.engine.start(name)
        return name

    def hands(self, volume: str) -> str:
        """A container that can do anything to the files of a volume, under /v."""
        name = f"{self.mark}-h-{volume}"
        with contextlib.suppress(NotFound):
            return self.engine.container(name).name
        host: Json = {
            "Mounts": [{"Type": "volume", "Source": volume, "Target": "/v", "VolumeOptions": {"NoCopy": True}}],
            "NetworkMode": "none",
            "CapAdd": list(CAPABILITIES),
            "Init": False,
        }
        self._containers.append(name)
        body: Json = {"Image": TOOLS, "Cmd": ["sleep", "infinity"], "StopSignal": "KILL", "Labels": {**self._label}}
        self.engine.create_container(name, {**body, "HostConfig": host})
        self.engine.start(name)
        return name

    def shell(self, volume: str, script: str) -> str:
        """Run a shell script in a volume."""
        done = self.engine.execute(self.hands(volume), ["bash", "-euc", f"cd /v\n{script}"], timeout_s=600)
        assert done.exit_code == 0, done.complaint
        return done.text

    def python(self, volume: str, line: str) -> str:
        """Run a line of Python that knows vault_trees, in a volume."""
        script = f"{TREES}\n{line}\n"
        done = self.engine.execute(self.hands(volume), ["python3", "-c", script], timeout_s=600)
        assert done.exit_code == 0, done.complaint
        return done.text

    def portrait(self, volume: str, below: str = "") -> object:
        """Everything that must survive, of every file of a volume."""
        found: object = ast.literal_eval(self.python(volume, f"print(portrait({f'/v{below}'.encode()!r}))"))
        return found

    def forget(self, volume: str) -> None:
        """A volume that the test removed itself."""
        self._volumes.remove(volume)

    def close(self) -> None:
        """Take everything away."""
        for run in (*self._runs, *(f"{run}-clone" for run in self._runs)):
            self.vault.close(run)
        for name in self._containers:
            with contextlib.suppress(NotFound):
                self.engine.remove_container(name, force=True)
        for name in self._volumes:
            with contextlib.suppress(NotFound):
                self.engine.remove_volume(name)


@contextlib.contextmanager
def laid_out(engine: DockerEngine, label: str) -> Iterator[Bench]:
    """A bench that is cleared away whatever happens."""
    bench = Bench(engine, label)
    try:
        yield bench
    finally:
        bench.close()
