"""What we saw: containers, images, volumes, networks and the engine as frozen facts; nothing here asks the engine.

``config`` and ``host_config`` are the engine's own JSON of ``inspect`` (Docker Engine API 1.41 and newer), passed
whole: which parts of them the user set is decided in spec/, not here.
"""

from __future__ import annotations

from enum import StrEnum

from pydantic import BaseModel, ConfigDict, JsonValue

Json = dict[str, JsonValue]

VERSION_LABEL = "org.opencontainers.image.version"
"""What an image, and a container of it, says of its version (OCI image annotations)."""


class Fact(BaseModel):
    """The root of every frozen model of the core."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)


class MountKind(StrEnum):
    """The kinds of mounts the engine reports."""

    VOLUME = "volume"
    BIND = "bind"
    TMPFS = "tmpfs"
    OTHER = "other"


class Mount(Fact):
    """One entry of the top-level ``Mounts``: where the data of ``destination`` really is."""

    kind: MountKind
    destination: str
    name: str = ""
    """The volume's name; empty for other kinds."""
    source: str = ""
    """The path on the engine's host; for a volume its mountpoint."""
    driver: str = ""
    rw: bool = True
    mode: str = ""
    propagation: str = ""


class Endpoint(Fact):
    """How a container is joined to one network; ``settings`` is the engine's EndpointSettings."""

    network: str
    network_id: str
    address: str = ""
    settings: Json


class HealthSeen(Fact):
    """What the engine's own health check says; ``status`` is none, starting, healthy or unhealthy."""

    status: str
    failing_streak: int = 0
    last_output: str = ""


class State(Fact):
    """A container's state; times are the engine's RFC 3339 texts, empty where it never happened."""

    status: str
    """created, running, paused, restarting, removing, exited or dead."""
    exit_code: int = 0
    oom_killed: bool = False
    error: str = ""
    started_at: str = ""
    finished_at: str = ""
    restart_count: int = 0
    pid: int = 0
    health: HealthSeen | None = None

    @property
    def running(self) -> bool:
        """Up and not between two restarts (``State.Running`` alone is true in a crash loop) nor paused."""
        return self.status == "running"

    @property
    def paused(self) -> bool:
        """Up, and frozen."""
        return self.status == "paused"

    @property
    def alive(self) -> bool:
        """Has, or may get by itself, a process that can write to its data."""
        return self.status in ("running", "paused", "restarting")

    @property
    def ever_started(self) -> bool:
        """Whether its process ran at least once."""
        return self.started_at != ""


class Container(Fact):
    """One container as inspected."""

    id: str
    name: str
    image_id: str
    image_ref: str
    """``Config.Image``: the name it was created with; the tag may have moved since."""
    created: str = ""
    state: State
    config: Json
    host_config: Json
    mounts: tuple[Mount, ...] = ()
    endpoints: tuple[Endpoint, ...] = ()
    labels: dict[str, str] = {}
    commands: int = 0
    """How many commands run in it now, besides its own (``docker exec``)."""

    @property
    def short_id(self) -> str:
        """The twelve digits people see."""
        return self.id[:12]


class Image(Fact):
    """One local image; ``config`` is its ``Config``: the defaults a container of it gets."""

    id: str
    tags: tuple[str, ...] = ()
    digests: tuple[str, ...] = ()
    config: Json
    created: str = ""
    size_bytes: int = 0
    architecture: str = ""
    os: str = "linux"

    @property
    def labels(self) -> dict[str, str]:
        """The image's labels; empty where it has none."""
        labels = self.config.get("Labels")
        return {key: str(value) for key, value in labels.items()} if isinstance(labels, dict) else {}

    @property
    def variables(self) -> dict[str, str]:
        """The variables the image sets; a container of it may have others."""
        env = self.config.get("Env")
        pairs = (str(one).partition("=") for one in env) if isinstance(env, list) else ()
        return {name: value for name, _, value in pairs}

    @property
    def version(self) -> str:
        """What its label says, or empty."""
        return self.labels.get(VERSION_LABEL, "")


class Volume(Fact):
    """One volume."""

    name: str
    driver: str = "local"
    mountpoint: str = ""
    labels: dict[str, str] = {}
    options: dict[str, str] = {}
    created: str = ""


class Network(Fact):
    """One network."""

    id: str
    name: str
    driver: str = "bridge"
    internal: bool = False
    labels: dict[str, str] = {}


class Engine(Fact):
    """The engine itself."""

    id: str
    name: str
    version: str
    api_version: str
    os: str = "linux"
    architecture: str = ""
    storage_driver: str = ""
    default_runtime: str = "runc"
    cgroup_version: str = "1"
    log_driver: str = "json-file"
    root_dir: str = ""
    kernel: str = ""
    security: tuple[str, ...] = ()


class Change(Fact):
    """One path of ``docker diff``: kind is changed, added or deleted."""

    path: str
    kind: str


class Usage(Fact):
    """What a running container used since it was started."""

    cpu_s: float
    """Processor seconds, of all processors together."""
    peak_bytes: int | None = None
    """The most memory at once, the file cache included; None where the kernel does not keep it."""


class Finished(Fact):
    """How a command in a container ended; ``exit_code`` is None when it was cut off at its deadline."""

    exit_code: int | None
    stdout: bytes = b""
    stderr: bytes = b""

    @property
    def text(self) -> str:
        """Its standard output as text, undecodable bytes replaced."""
        return self.stdout.decode("utf-8", "replace")

    @property
    def complaint(self) -> str:
        """Its standard error as text, without the last newline."""
        return self.stderr.decode("utf-8", "replace").strip()
