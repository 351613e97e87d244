"""Two benches for one suite: the memory engine and the real one, with images that behave alike on both."""

from __future__ import annotations

import contextlib
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pytest

from runner.engine.docker import connect_engine
from runner.engine.memory import Behaviour, MemoryEngine
from runner.engine.port import EnginePort
from runner.errors import EngineError, NotFound
from runner.facts import Container, Image, Json

BUSYBOX = "refloat-lab/busybox:1"
SERVE: Json = {"Image": BUSYBOX, "Cmd": ["sh", "-c", "trap 'exit 0' TERM; while :; do sleep 1 & wait $!; done"]}
PATIENCE_S = 60.0


@dataclass
class Bench:
    """One engine, and names that belong to this test alone."""

    engine: EnginePort
    label: str
    own: str = field(default_factory=lambda: f"contract-{uuid.uuid4().hex[:12]}")

    @property
    def labels(self) -> dict[str, str]:
        """What everything made here carries."""
        key, _, value = self.label.partition("=")
        return {key: value, "refloat.contract": self.own}

    def name(self, suffix: str = "") -> str:
        """Yield a name nobody else has."""
        return f"{self.own}-{suffix}" if suffix else self.own

    def create(self, suffix: str = "", body: Json | None = None) -> str:
        """Create a labelled container, by default one that runs until it is stopped; gives its name."""
        given = body or {}
        labels = given.get("Labels")
        whole: Json = {**SERVE, **given, "Labels": {**self.labels, **(labels if isinstance(labels, dict) else {})}}
        self.engine.create_container(self.name(suffix), whole)
        return self.name(suffix)

    def create_image(self, tag: str, suffix: str = "", host: Json | None = None) -> str:
        """Create a labelled container of a lab image as that image wants to run."""
        body: Json = {"Image": f"refloat-lab/misbehave:{tag}", "HostConfig": host or {}, "Labels": {**self.labels}}
        self.engine.create_container(self.name(suffix), body)
        return self.name(suffix)

    def running(self, suffix: str = "", body: Json | None = None) -> str:
        """Create and start."""
        name = self.create(suffix, body)
        self.engine.start(name)
        return name

    def until(self, name: str, fulfilled: Callable[[Container], bool]) -> Container:
        """Look until it is so; never for ever."""
        deadline = time.monotonic() + PATIENCE_S
        while not fulfilled(seen := self.engine.container(name)):
            assert time.monotonic() < deadline, f"never so: {seen.state}"
            if not isinstance(self.engine, MemoryEngine):
                time.sleep(0.1)
        return seen

    def until_gone(self, look: Callable[[], object]) -> None:
        """Look until there is nothing to see: what the engine removes by itself, it removes in its own time."""
        deadline = time.monotonic() + PATIENCE_S
        with contextlib.suppress(NotFound):
            while True:
                look()
                assert time.monotonic() < deadline, "never gone"
                time.sleep(0.1)

    def tidy(self) -> None:
        """Remove what this test made."""
        mine = {"refloat.contract": self.own}
        for container in self.engine.containers(mine):
            with contextlib.suppress(EngineError):
                self.engine.remove_container(container.id, force=True, volumes=True)
        for network in self.engine.networks(mine):
            self.engine.remove_network(network.id)
        for volume in self.engine.volumes(mine):
            self.engine.remove_volume(volume.name)


def memory_engine() -> MemoryEngine:
    """The lab's images, in memory."""
    engine = MemoryEngine()
    config: Json = {
        "Env": ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "BUSYBOX_IMAGE=1"],
        "Cmd": ["sh"],
        "Labels": {"org.opencontainers.image.version": "1"},
    }
    for tag, letter in (("1", "b"), ("2", "c")):
        ships = {"/defaults/same": "same\n", "/defaults/version": f"{tag}\n"}
        image = Image(id=f"sha256:{letter * 64}", tags=(f"refloat-lab/busybox:{tag}",), config=config)
        engine.world.add_image(image, Behaviour(ships=ships))
    behaviours = {
        "crash": Behaviour(crashes=True, crash_code=3),
        "no-entrypoint": Behaviour(cannot_start=True),
        "ignores-term": Behaviour(ignores_term=True),
    }
    for number, (tag, behaviour) in enumerate(behaviours.items()):
        image = Image(id=f"sha256:{number:064}", tags=(f"refloat-lab/misbehave:{tag}",), config={"Cmd": ["/service"]})
        engine.world.add_image(image, behaviour)
    return engine


@pytest.fixture(params=["memory", "real"])
def bench(request: pytest.FixtureRequest) -> Iterator[Bench]:
    """Each test runs on both engines."""
    if request.param == "memory":
        yield Bench(memory_engine(), "refloat.test=memory")
        return
    label = str(request.getfixturevalue("leftovers"))
    real = Bench(connect_engine(), label)
    yield real
    real.tidy()
