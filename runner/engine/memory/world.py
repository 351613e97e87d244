"""What the memory engine holds: containers, images, volumes with their contents, networks; it counts no calls.

Everything durable is here, so it outlives a runner that died. Time is a number that grows with every look.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from runner.engine.memory.behaviour import Behaviour
from runner.engine.memory.cell import Cell
from runner.engine.memory.plugs import SETTINGS_DEFAULTS
from runner.engine.parse import labels_from, text
from runner.errors import Conflict, EngineError, NotFound
from runner.facts import Container, Endpoint, Engine, Image, Json, Mount, MountKind, Network, Volume

EPOCH = datetime(2024, 1, 1, tzinfo=UTC)
STANDS = "The engine refused this one request; nothing came of it."
ENGINE = Engine(
    id="memory", name="memory", version="20.10.24", api_version="1.41", architecture="x86_64", storage_driver="overlay2"
)


@dataclass
class World:
    """The whole machine behind the engine."""

    engine: Engine = ENGINE
    cells: dict[str, Cell] = field(default_factory=dict)
    images: dict[str, Image] = field(default_factory=dict)
    behaviours: dict[str, Behaviour] = field(default_factory=dict)
    registry: dict[str, Image] = field(default_factory=dict)
    volumes: dict[str, Volume] = field(default_factory=dict)
    networks: dict[str, Network] = field(default_factory=dict)
    data: dict[str, dict[str, str]] = field(default_factory=dict)
    """Contents by volume name or host path: relative path to token."""
    shared: list[tuple[str, str, str]] = field(default_factory=list)
    """Data that two live containers could write at once: (volume or path, name, name). Must stay empty."""
    clock: int = 0
    made: int = 0

    def fork(self) -> World:
        """Copy everything that changes; facts are frozen and shared."""
        return replace(
            self,
            cells={ref: cell.fork() for ref, cell in self.cells.items()},
            images=dict(self.images),
            behaviours=dict(self.behaviours),
            registry=dict(self.registry),
            volumes=dict(self.volumes),
            networks=dict(self.networks),
            data={name: dict(contents) for name, contents in self.data.items()},
            shared=list(self.shared),
        )

    def now(self) -> str:
        """Tell the time as the engine does."""
        return (EPOCH + timedelta(seconds=self.clock)).isoformat().replace("+00:00", ".000000000Z")

    def new_id(self) -> str:
        """Make an id that was never used."""
        self.made += 1
        return hashlib.sha256(f"{self.made}".encode()).hexdigest()

    def cell(self, ref: str) -> Cell:
        """Find a container by name, id or unambiguous prefix."""
        exact = [each for each in self.cells.values() if ref in (each.container.name, each.container.id)]
        found = exact or [each for each in self.cells.values() if ref and each.container.id.startswith(ref)]
        if len(found) != 1:
            raise NotFound("not-found", f"No such container: {ref}", STANDS)
        return found[0]

    def image(self, ref: str) -> Image:
        """Find a local image by name, digest, id or prefix of an id."""
        name = familiar(ref)
        for each in self.images.values():
            digest = each.id.removeprefix("sha256:")
            if name in (*each.tags, *each.digests, each.id) or (len(ref) >= 6 and digest.startswith(ref)):
                return each
        raise NotFound("no-such-image", f"No such image: {ref}", STANDS, "Pull it first.")

    def network(self, ref: str) -> Network:
        """Find a network by name or id."""
        for each in self.networks.values():
            if ref in (each.name, each.id) or (len(ref) >= 6 and each.id.startswith(ref)):
                return each
        raise NotFound("not-found", f"network {ref} not found", STANDS)

    def volume(self, name: str) -> Volume:
        """Find a volume."""
        if name not in self.volumes:
            raise NotFound("not-found", f"get {name}: no such volume", STANDS)
        return self.volumes[name]

    def add_image(self, image: Image, behaviour: Behaviour | None = None) -> Image:
        """Put an image here; its names leave whatever had them."""
        for other in tuple(self.images.values()):
            self.images[other.id] = other.model_copy(
                update={"tags": tuple(t for t in other.tags if t not in image.tags)}
            )
        known = self.images.get(image.id, image)
        tags = (*known.tags, *(each for each in image.tags if each not in known.tags))
        digests = (*known.digests, *(each for each in image.digests if each not in known.digests))
        self.images[image.id] = image.model_copy(update={"tags": tags, "digests": digests})
        if behaviour:
            self.behaviours[image.id] = behaviour
        return self.images[image.id]

    def untag(self, name: str) -> None:
        """Take a name away, and the image with its last one."""
        known = familiar(name)
        for image in [each for each in self.images.values() if known in each.tags]:
            left = tuple(each for each in image.tags if each != known)
            if not left and any(cell.container.image_id == image.id for cell in self.cells.values()):
                raise Conflict("image-in-use", f"a container is using the referenced image {name}", STANDS)
            self.images[image.id] = image.model_copy(update={"tags": left})
            if not left:
                del self.images[image.id]

    def publish(self, ref: str, image: Image, behaviour: Behaviour | None = None) -> None:
        """Put an image on the registry under a name."""
        self.registry[familiar(ref)] = image
        if behaviour:
            self.behaviours[image.id] = behaviour

    def published(self, ref: str) -> Image:
        """Find an image on the registry."""
        name = familiar(ref)
        for tag, image in self.registry.items():
            if name in (tag, *image.digests):
                return image
        raise NotFound("registry-no-such-tag", f"manifest for {ref} not found: manifest unknown", STANDS)

    def place(self, container: Container) -> None:
        """Put a container here as it was seen elsewhere, with its volumes."""
        self.cells[container.id] = Cell(container)
        for mount in container.mounts:
            if mount.name:
                self.add_volume(mount.name, driver=mount.driver or "local")

    def place_network(self, network: Network) -> None:
        """Put a network here as it was seen elsewhere; it takes the place of one of the same name."""
        self.networks = {key: each for key, each in self.networks.items() if each.name != network.name}
        self.networks[network.id] = network

    def check_name(self, name: str) -> None:
        """Refuse a container name that is taken."""
        if any(each.container.name == name for each in self.cells.values()):
            raise Conflict("name-taken", f'Conflict. The container name "/{name}" is already in use.', STANDS)

    def add_network(self, name: str, body: Json) -> Network:
        """Make a network."""
        if any(each.name == name for each in self.networks.values()):
            raise Conflict("name-taken", f"network with name {name} already exists", STANDS)
        labels, driver = labels_from(body.get("Labels")), text(body, "Driver", "bridge")
        network = Network(
            id=self.new_id(), name=name, driver=driver, internal=body.get("Internal") is True, labels=labels
        )
        self.networks[network.id] = network
        return network

    def add_volume(self, name: str, labels: Mapping[str, str] | None = None, driver: str = "local",
                   options: Mapping[str, str] | None = None) -> None:  # fmt: skip
        """Make a volume unless it is there."""
        if name in self.volumes:
            if self.volumes[name].driver != driver:
                raise Conflict("conflict", f"volume {name} exists with another driver", STANDS)
            return
        mountpoint = f"/var/lib/docker/volumes/{name}/_data"
        self.volumes[name] = Volume(
            name=name, driver=driver, mountpoint=mountpoint, labels={**(labels or {})}, options={**(options or {})},
            created=self.now(),
        )  # fmt: skip
        self.data.setdefault(name, {})

    def mounts_of(self, ref: str) -> tuple[Mount, ...]:
        """The mounts of a container, for another one that takes its volumes from it."""
        return self.cell(ref).container.mounts

    def behaviour(self, cell: Cell) -> Behaviour:
        """How the program of a container behaves."""
        return self.behaviours.get(cell.container.image_id, Behaviour())

    def remove_network(self, ref: str) -> None:
        """Remove a network nobody runs in."""
        network = self.network(ref)
        joined = (each.container.endpoints for each in self.cells.values() if each.alive)
        if any(endpoint.network == network.name for endpoints in joined for endpoint in endpoints):
            raise Conflict("network-in-use", f"network {ref} has active endpoints", STANDS)
        del self.networks[network.id]

    def remove_volume(self, name: str) -> None:
        """Remove a volume nobody refers to."""
        self.volume(name)
        if self.users(name):
            raise Conflict("volume-in-use", f"remove {name}: volume is in use", STANDS)
        del self.volumes[name]
        self.data.pop(name, None)

    def users(self, volume: str) -> tuple[Cell, ...]:
        """Find the containers, stopped ones too, that refer to a volume."""
        return tuple(c for c in self.cells.values() if volume in {m.name for m in c.container.mounts})

    def contents(self, cell: Cell, path: str) -> tuple[dict[str, str], str]:
        """Find where a path inside a container is stored: the contents, and the path in them."""
        mounts = [m for m in cell.container.mounts if m.kind in (MountKind.VOLUME, MountKind.BIND)]
        inside = [m for m in mounts if f"{path}/".startswith(f"{m.destination}/")]
        if not inside:
            return cell.layer, path
        mount = max(inside, key=lambda m: len(m.destination))
        return self.stored(mount), path.removeprefix(mount.destination).strip("/")

    def stored(self, mount: Mount) -> dict[str, str]:
        """Find the contents of a mount."""
        return self.data.setdefault(mount.name or mount.source, {})

    def drop(self, cell: Cell, *, volumes: bool) -> None:
        """Remove a container, with its anonymous volumes unless somebody else uses them."""
        del self.cells[cell.container.id]
        for name in cell.anonymous if volumes else ():
            if not self.users(name):
                self.volumes.pop(name, None)
                self.data.pop(name, None)

    def join(self, container: Container, name: str, settings: Json) -> Container:
        """Join a container to a network; the network may be missing until it starts."""
        network_id = next((each.id for each in self.networks.values() if name in (each.name, each.id)), "")
        label = next((each.name for each in self.networks.values() if each.id == network_id), name)
        endpoint = Endpoint(
            network=label,
            network_id=network_id,
            settings={**SETTINGS_DEFAULTS, **settings, "NetworkID": network_id},
        )
        joined = sorted((*container.endpoints, endpoint), key=lambda each: each.network)
        return container.model_copy(update={"endpoints": tuple(joined)})


def familiar(ref: str) -> str:
    """Yield a name as the engine lists it: Docker Hub left out, ``latest`` written out."""
    name = ref.removeprefix("docker.io/").removeprefix("library/")
    if "@" in name or name.startswith("sha256:") or ":" in name.rpartition("/")[2]:
        return name
    return f"{name}:latest"


def digest_of(image: Image) -> str:
    """The registry's digest of an image; its id where none is known."""
    return image.digests[0].partition("@")[2] if image.digests else image.id


def bad_request(what: str) -> EngineError:
    """Yield the error of a request that makes no sense."""
    return EngineError("bad-request", what, STANDS)
