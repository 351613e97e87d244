"""The port kept in memory, for the paper check and the crash sweep; it starts no process, thread or clock."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from hashlib import sha256

from runner.engine.memory import birth, files, life
from runner.engine.memory.conversation import MemoryConversation
from runner.engine.memory.faults import Faults, call
from runner.engine.memory.world import STANDS, World, bad_request, digest_of, familiar
from runner.engine.parse import text
from runner.errors import Conflict, EngineError
from runner.facts import Change, Container, Engine, Finished, Image, Json, Network, Usage, Volume


class MemoryEngine:
    """EnginePort over a World. A fork of it is another machine in the same state."""

    prefix = ""

    def __init__(self, world: World | None = None, faults: Faults | None = None) -> None:
        self.world = world or World()
        self.faults = faults
        self.calls: list[tuple[str, tuple[object, ...]]] = []
        self.torn = False
        for name in ("bridge", "host", "none"):
            if not world:
                self.world.add_network(name, {"Driver": "null" if name == "none" else name})

    @property
    def data(self) -> dict[str, dict[str, str]]:
        """Contents by volume name or host path: relative path to token."""
        return self.world.data

    def fork(self) -> MemoryEngine:
        """Yield another engine in the same state, without faults and with no call counted."""
        return MemoryEngine(self.world.fork())

    def refused(self, what: str) -> EngineError:
        """Yield the error of a plain refusal."""
        return EngineError("engine-failed", what, STANDS)

    def daemon_restart(self) -> None:
        """Restart the daemon: all programs end, the restart policies decide who comes back."""
        life.restart_daemon(self.world)

    # looking

    @call
    def engine(self) -> Engine:
        """See the port."""
        return self.world.engine

    @call
    def containers(self, labels: Mapping[str, str] | None = None, *, volume: str = "") -> tuple[Container, ...]:
        """See the port."""
        life.tick(self.world)
        every = tuple(cell.container for cell in self.world.cells.values())
        used = (each for each in every if not volume or volume in {mount.name for mount in each.mounts})
        return tuple(each for each in used if carries(each.labels, labels))

    @call
    def container(self, ref: str) -> Container:
        """See the port."""
        life.tick(self.world)
        return self.world.cell(ref).container

    @call
    def image(self, ref: str) -> Image:
        """See the port."""
        return self.world.image(ref)

    @call
    def images(self, repository: str = "") -> tuple[Image, ...]:
        """See the port."""
        begins = f"{repository}:" if repository else ""
        return tuple(each for each in self.world.images.values() if any(tag.startswith(begins) for tag in each.tags))

    @call
    def volume(self, name: str) -> Volume:
        """See the port."""
        return self.world.volume(name)

    @call
    def volumes(self, labels: Mapping[str, str] | None = None) -> tuple[Volume, ...]:
        """See the port."""
        return tuple(each for each in self.world.volumes.values() if carries(each.labels, labels))

    @call
    def network(self, ref: str) -> Network:
        """See the port."""
        return self.world.network(ref)

    @call
    def networks(self, labels: Mapping[str, str] | None = None) -> tuple[Network, ...]:
        """See the port."""
        return tuple(each for each in self.world.networks.values() if carries(each.labels, labels))

    @call
    def changes(self, ref: str) -> tuple[Change, ...]:
        """See the port."""
        return tuple(Change(path=path, kind="added") for path in sorted(self.world.cell(ref).layer))

    @call
    def logs(self, ref: str, *, tail: int = 0, since_s: float = 0) -> str:  # noqa: ARG002  # lines have no times here
        """See the port."""
        return "".join(f"{line}\n" for line in self.world.cell(ref).log[-tail:])

    @call
    def usage(self, ref: str) -> Usage | None:
        """See the port."""
        cell = self.world.cell(ref)
        return Usage(cpu_s=cell.looks / 10, peak_bytes=2**20) if cell.container.state.running else None

    @call
    def remote_digest(self, ref: str) -> str:
        """See the port."""
        return digest_of(self.world.published(ref))

    # containers

    @call
    def create_container(self, name: str, body: Json) -> str:
        """See the port."""
        return birth.create(self.world, name, body)

    @call
    def start(self, ref: str) -> None:
        """See the port."""
        life.start(self.world, self.world.cell(ref))

    @call
    def stop(self, ref: str, timeout_s: int) -> None:  # noqa: ARG002  # no time passes here
        """See the port."""
        cell = self.world.cell(ref)
        behaviour = self.world.behaviour(cell)
        if cell.alive:
            life.end_by_hand(self.world, cell, 137 if behaviour.ignores_term else behaviour.stop_code)

    @call
    def kill(self, ref: str, signal: str = "KILL") -> None:
        """See the port."""
        cell, name = self.world.cell(ref), signal.removeprefix("SIG")
        behaviour = self.world.behaviour(cell)
        if cell.alive and name in ("KILL", "9"):
            life.end_by_hand(self.world, cell, 137)
        elif cell.alive and name in ("TERM", "INT", "QUIT", "15", "2", "3") and not behaviour.ignores_term:
            life.end_by_hand(self.world, cell, behaviour.stop_code)

    @call
    def pause(self, ref: str) -> None:
        """See the port."""
        cell = self.world.cell(ref)
        if not cell.alive:
            raise Conflict("not-running", f"Container {ref} is not running", STANDS)
        cell.set_state(status="paused")

    @call
    def unpause(self, ref: str) -> None:
        """See the port."""
        cell = self.world.cell(ref)
        if cell.container.state.status == "paused":
            cell.set_state(status="running")

    @call
    def rename(self, ref: str, name: str) -> None:
        """See the port."""
        cell = self.world.cell(ref)
        if cell.container.name == name:
            raise bad_request("Renaming a container with the same name as its current name")
        self.world.check_name(name)
        cell.container = cell.container.model_copy(update={"name": name})

    @call
    def set_restart_policy(self, ref: str, policy: Json) -> None:
        """See the port."""
        cell = self.world.cell(ref)
        host = cell.container.host_config
        if host.get("AutoRemove") is True and text(policy, "Name") not in ("", "no"):
            raise Conflict("conflict", "Restart policy cannot be updated because AutoRemove is enabled", STANDS)
        cell.container = cell.container.model_copy(update={"host_config": {**host, "RestartPolicy": policy}})

    @call
    def remove_container(self, ref: str, *, force: bool = False, volumes: bool = False) -> None:
        """See the port."""
        cell = self.world.cell(ref)
        if cell.alive and not force:
            raise Conflict("conflict", f"You cannot remove a running container {ref}", STANDS)
        self.world.drop(cell, volumes=volumes)

    @call
    def execute(self, ref: str, argv: Sequence[str], *, user: str = "", stdin: bytes = b"", timeout_s: float = 60,
                on_line: Callable[[str], None] | None = None,
                environment: Mapping[str, str] | None = None) -> Finished:  # fmt: skip
        """See the port."""
        del user, stdin, timeout_s, environment
        finished = files.answer(self.world, self.world.cell(ref), tuple(argv))
        if on_line:
            for line in finished.text.splitlines():
                on_line(line)
        return finished

    @call
    def converse(self, ref: str, argv: Sequence[str]) -> MemoryConversation:
        """See the port."""
        files.answer(self.world, self.world.cell(ref), ())  # whether it runs
        return MemoryConversation(lambda line: self.execute(ref, argv, stdin=line))

    @call
    def wait(self, ref: str, timeout_s: float) -> int | None:
        """See the port."""
        for _ in range(int(timeout_s) + 1):
            state = self.world.cell(ref).container.state
            if not state.alive:
                return state.exit_code
            life.tick(self.world)
        return None

    @call
    def read_archive(self, ref: str, path: str, *, at_most_bytes: int = 0) -> bytes:
        """See the port."""
        return files.pack(self.world, self.world.cell(ref), path, at_most_bytes)

    @call
    def write_archive(self, ref: str, path: str, tar: bytes) -> None:
        """See the port."""
        files.unpack(self.world, self.world.cell(ref), path, tar)

    # images, networks, volumes

    @call
    def pull(self, ref: str, on_line: Callable[[str], None] | None = None) -> None:
        """See the port."""
        image = self.world.published(ref)
        name = familiar(ref)
        here = image.model_copy(update={"tags": () if "@" in name else (name,)})
        self.world.add_image(here)
        if on_line:
            on_line(f"Digest: {digest_of(image)}")

    @call
    def build(self, context: bytes, tag: str, *, arguments: Mapping[str, str], labels: Mapping[str, str]) -> None:
        """See the port."""
        del arguments
        config: Json = {"Labels": {**labels}}
        self.world.add_image(Image(id=f"sha256:{sha256(context).hexdigest()}", tags=(familiar(tag),), config=config))

    @call
    def import_root(self, tar: Iterable[bytes], tag: str, *, labels: Mapping[str, str]) -> None:
        """See the port."""
        self.build(b"".join(tar), tag, arguments={}, labels=labels)

    @call
    def tag(self, image_id: str, repository: str, tag: str) -> None:
        """See the port."""
        image = self.world.image(image_id)
        self.world.add_image(image.model_copy(update={"tags": (familiar(f"{repository}:{tag}"),)}))

    @call
    def untag(self, name: str) -> None:
        """See the port."""
        self.world.untag(name)

    @call
    def connect(self, network: str, ref: str, settings: Json) -> None:
        """See the port."""
        cell, there = self.world.cell(ref), self.world.network(network)
        if there.name not in {each.network for each in cell.container.endpoints}:
            cell.container = self.world.join(cell.container, there.name, settings)

    @call
    def create_network(self, name: str, body: Json) -> str:
        """See the port."""
        return self.world.add_network(name, body).id

    @call
    def remove_network(self, ref: str) -> None:
        """See the port."""
        self.world.remove_network(ref)

    @call
    def create_volume(self, name: str, *, labels: Mapping[str, str], driver: str = "local",
                      options: Mapping[str, str] | None = None) -> None:  # fmt: skip
        """See the port."""
        self.world.add_volume(name, labels, driver, options)

    @call
    def remove_volume(self, name: str) -> None:
        """See the port."""
        self.world.remove_volume(name)


def carries(labels: Mapping[str, str], wanted: Mapping[str, str] | None) -> bool:
    """Whether these labels are all there; an empty value stands for any value."""
    return all(key in labels and value in ("", labels[key]) for key, value in (wanted or {}).items())
