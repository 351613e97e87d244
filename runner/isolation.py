"""What a copy of a container may keep so that it reaches nobody, and in words what it loses; it makes nothing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from pydantic import JsonValue

from runner.errors import EngineError, Refused
from runner.facts import Container, Fact, Json, Mount, MountKind
from runner.spec import ContainerSpec, NetworkWish
from runner.spec.data import FILES_OF_THE_HOST, is_the_hosts, is_within, source_of
from runner.spec.inspected import integer, listed, mapping, objects, text, texts
from runner.vault.port import Source

HARMLESS = (
    "CapDrop", "CpuPeriod", "CpuQuota", "CpusetCpus", "CpusetMems", "DnsOptions", "DnsSearch", "ExtraHosts", "GroupAdd",
    "Init", "Memory", "MemoryReservation", "MemorySwap", "MemorySwappiness", "NanoCpus", "ReadonlyRootfs", "Runtime",
    "ShmSize", "Sysctls", "Tmpfs", "Ulimits", "UsernsMode",
)  # fmt: skip
"""All of HostConfig that a copy keeps as it is; a key nobody here knows is taken away."""
SAFE_CAPABILITIES = frozenset({
    "AUDIT_WRITE", "CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "IPC_LOCK", "IPC_OWNER", "KILL", "LEASE", "MKNOD",
    "NET_BIND_SERVICE", "NET_RAW", "SETFCAP", "SETGID", "SETPCAP", "SETUID", "SYS_CHROOT", "SYS_NICE", "SYS_RESOURCE",
})  # fmt: skip
MODES = ("PidMode", "IpcMode")
OWN_MODES = ("", "private", "none", "shareable")
REBUILT = ("Binds", "Mounts", "NetworkMode", "RestartPolicy", "CpuShares", "PidsLimit", "OomScoreAdj", "BlkioWeight")
WORDS = {
    "PortBindings": "published ports",
    "PublishAllPorts": "published ports",
    "Privileged": "privileged mode",
    "Devices": "devices of the host",
    "DeviceRequests": "devices of the host",
    "DeviceCgroupRules": "devices of the host",
    "PidMode": "the view of other processes",
    "IpcMode": "memory shared with others",
    "UTSMode": "the host's own name",
    "LogConfig": "its log driver",
    "Links": "links to other containers",
    "Dns": "its own name servers",
    "CgroupnsMode": "the host's control groups",
}
NOBODY = "127.0.0.1"
"""In the copy's own network nothing answers there, so no name outside of it is resolved."""
SHARES = 512
"""Half of what a container gets by default when the processors are busy."""
DISK_SHARES = 100
"""A fifth of what a container gets by default when the disk is busy, where the kernel shares it out."""
YIELDING: Json = {"CpuShares": SHARES // 4, "BlkioWeight": DISK_SHARES // 4}
"""Of two copies that start at the same time, the one whose time is not measured lets the other go first."""
PIDS = 4096
LEAST_MEMORY_BYTES = 256 * 1024 * 1024
FIRST_TO_GO = 900
"""Where memory runs out, the copy goes first."""
LIMITS = (
    "half of the processor time that others get, where it is short",
    "a fifth of the disk's time that others get, where it is short and the kernel shares it out",
    f"{PIDS:,} processes at most",
)
INHIBIT = "com.docker.network.bridge.inhibit_ipv4"


class Isolated(Fact):
    """A spec that reaches nobody, and what was taken away for it, in words."""

    spec: ContainerSpec
    taken: tuple[str, ...]
    limits: tuple[str, ...]
    """What keeps it from taking the breath of others, in words."""


@dataclass(frozen=True)
class StandsFor:
    """A volume that stands for something mounted."""

    source: Source
    volume: str
    file: str = ""
    """Where it is one file: its path on the engine's host, inside that volume."""
    read_only: bool = False


@dataclass(frozen=True)
class Props:
    """What a copy gets in place of the real things; what has nothing that stands for it is shown read-only."""

    network: str
    aliases: tuple[str, ...]
    things: tuple[StandsFor, ...]
    free_memory_bytes: int = 0
    """0 where it is not known."""
    more: tuple[NetworkWish, ...] = ()
    """Further networks of the rehearsal that it is on."""
    shared: Mapping[str, str] = field(default_factory=dict)
    """Namespaces of others who are rehearsed with it (``container:NAME``) → those of their copies."""
    sharers: int = 1
    """How many copies run at the same time."""
    variables: Mapping[str, str] = field(default_factory=dict)
    """What its recipe sets for copies."""


def shown_mounts(container: Container, sources: tuple[Source, ...]) -> tuple[Source, ...]:
    """What a container only reads and a copy needs too, each once, with keys s0, s1, …"""
    kinds = (MountKind.VOLUME, MountKind.BIND)
    shown = (each for each in container.mounts if each.kind in kinds and not _is_taken(each))
    fresh = {each.name or each.source: each for each in shown if _source_of(each, sources) is None}
    return tuple(source_of(f"s{number}", mount) for number, mount in enumerate(fresh.values()))


def network_body(labels: Mapping[str, str]) -> Json:
    """A network of its own: no way out, and no address of the host in it."""
    return {"Driver": "bridge", "Internal": True, "EnableIPv6": False, "Options": {INHIBIT: "true"},
            "Labels": {**labels}}  # fmt: skip


def isolated(spec: ContainerSpec, container: Container, props: Props) -> Isolated:
    """The copy's spec; Refused ``not-rehearsable`` where its data cannot be put in place."""
    mounts = tuple(_stand_ins(container, props))
    memory, memory_words = _memory(spec, props)
    joined, network = _network(spec, props)
    host: Json = {
        **_kept(spec, props.shared),
        "Mounts": [*(mount for mount, _ in mounts if mount), *_in_memory(spec)],
        **network,
        "CpuShares": SHARES,
        "PidsLimit": min(integer(spec.host_config.get("PidsLimit")) or PIDS, PIDS),
        "OomScoreAdj": FIRST_TO_GO,
        "BlkioWeight": DISK_SHARES,
        **memory,
    }
    config: Json = {key: value for key, value in spec.config.items() if key not in ("Labels", "MacAddress")}
    if props.variables:
        config["Env"] = [*texts(config.get("Env")), *(f"{name}={value}" for name, value in props.variables.items())]
    changed = {"config": config, "host_config": host, "networks": joined, "auto_remove": False}
    taken = (*_taken(spec, props.shared), *(words for _, words in mounts if words))
    limits = (memory_words, *LIMITS, *(f"{name} is set, as its recipe has it" for name in props.variables))
    return Isolated(spec=spec.model_copy(update=changed), taken=tuple(dict.fromkeys(taken)), limits=limits)


def _network(spec: ContainerSpec, props: Props) -> tuple[tuple[NetworkWish, ...], Json]:
    """The networks it joins, and what HostConfig says of that; who lives in another's network has none of its own."""
    mode = text(spec.host_config.get("NetworkMode"))
    if mode in props.shared:
        return (), {"NetworkMode": props.shared[mode]}
    if mode == "none":
        return (), {"NetworkMode": "none", "Dns": [NOBODY]}
    first = NetworkWish(network=props.network, settings={"Aliases": [*props.aliases]})
    return (first, *props.more), {"NetworkMode": props.network, "Dns": [NOBODY]}


def _memory(spec: ContainerSpec, props: Props) -> tuple[Json, str]:
    """The target's own limit, else half of what is free now, shared with the other copies."""
    free_bytes, sharers = props.free_memory_bytes, props.sharers
    own = integer(spec.host_config.get("Memory"))
    if own:
        return {}, f"its own limit of {own / 1e6:,.0f} MB of memory; it goes first where memory runs out"
    if not free_bytes:
        return {}, "no limit of memory, for what is free is not known; it goes first where memory runs out"
    share = max(free_bytes // 2 // sharers, LEAST_MEMORY_BYTES)
    part = "half of what is free" if sharers == 1 else f"its share of the half of what is free, of {sharers}"
    words = f"{share / 1e6:,.0f} MB of memory, {part}; it goes first where memory runs out"
    return {"Memory": share}, words


def is_about_disk_shares(no: EngineError) -> bool:
    """Whether a start failed because this kernel has nothing to write the share of the disk to."""
    return any(file in no.what for file in ("io.weight", "io.bfq.weight", "blkio.weight", "blkio.bfq.weight"))


def without_disk_shares(body: Json) -> Json:
    """The same container with the disk's default share."""
    host = {key: value for key, value in mapping(body.get("HostConfig")).items() if key != "BlkioWeight"}
    return {**body, "HostConfig": host}


def yielding(copy: Isolated) -> Isolated:
    """The same copy, which lets another one beside it go first."""
    spec = copy.spec
    return copy.model_copy(update={"spec": spec.model_copy(update={"host_config": {**spec.host_config, **YIELDING}})})


def aliases_of(spec: ContainerSpec) -> tuple[str, ...]:
    """Every name others know it by."""
    chosen = (alias for wish in spec.networks for alias in texts(wish.settings.get("Aliases")))
    return tuple(dict.fromkeys((spec.name, *chosen)))


def _kept(spec: ContainerSpec, shared: Mapping[str, str]) -> Json:
    host = spec.host_config
    kept: Json = {key: host[key] for key in HARMLESS if key in host}
    capabilities = [each for each in texts(host.get("CapAdd")) if _is_safe(each)]
    security = [each for each in texts(host.get("SecurityOpt")) if _is_strict(each)]
    ipc: Json = {"IpcMode": host["IpcMode"]} if text(host.get("IpcMode")) in OWN_MODES and "IpcMode" in host else {}
    theirs: Json = {key: shared[mode] for key in MODES if (mode := text(host.get(key))) in shared}
    return {**kept, **ipc, **theirs, "CapAdd": listed(capabilities), "SecurityOpt": listed(security)}


def _is_safe(capability: str) -> bool:
    return capability.upper().removeprefix("CAP_") in SAFE_CAPABILITIES


def _is_strict(option: str) -> bool:
    return option.startswith(("no-new-privileges", "label"))


def _taken(spec: ContainerSpec, shared: Mapping[str, str]) -> Iterator[str]:
    host = spec.host_config
    yield from (f"capability {each}" for each in texts(host.get("CapAdd")) if not _is_safe(each))
    yield from (f"security option {each}" for each in texts(host.get("SecurityOpt")) if not _is_strict(each))
    yield from (WORDS.get(key, key) for key in host if _is_lost(key, host[key], shared))
    if "RestartPolicy" in host:
        yield "its restart policy"
    yield from _network_words(spec, shared)
    if mapping(spec.config.get("Labels")):
        yield f"its labels: {', '.join(sorted(mapping(spec.config.get('Labels'))))}"


def _is_lost(key: str, value: JsonValue, shared: Mapping[str, str]) -> bool:
    if key in (*HARMLESS, *REBUILT, "CapAdd", "SecurityOpt") or (key in MODES and text(value) in shared):
        return False
    return key != "IpcMode" or text(value) not in OWN_MODES


def _network_words(spec: ContainerSpec, shared: Mapping[str, str]) -> Iterator[str]:
    mode = text(spec.host_config.get("NetworkMode"))
    if mode == "host":
        yield "the host's network"
    elif mode.startswith("container:") and mode not in shared:
        yield f"the network of {mode.partition(':')[2]}"
    elif spec.networks:
        yield f"everybody else on {', '.join(wish.network for wish in spec.networks)}, and what is beyond"
    if any(set(wish.settings) - {"Aliases"} for wish in spec.networks) or "MacAddress" in spec.config:
        yield "its fixed addresses"


def _in_memory(spec: ContainerSpec) -> Iterable[Json]:
    return (each for each in objects(spec.host_config.get("Mounts")) if each.get("Type") == "tmpfs")


def _stand_ins(container: Container, props: Props) -> Iterator[tuple[Json, str]]:
    """For each mount what stands for it (nothing, where it must go), and what is lost, in words."""
    for mount in container.mounts:
        if mount.kind not in (MountKind.VOLUME, MountKind.BIND):
            if mount.kind is MountKind.OTHER:
                yield {}, f"what was mounted on {mount.destination}"
            continue
        thing = _thing_for(mount, props.things)
        if thing is None:
            yield _as_it_is(mount)
        else:
            yield _in_place(thing, mount), f"writing to {mount.source}" if mount.rw and thing.read_only else ""


def _thing_for(mount: Mount, things: tuple[StandsFor, ...]) -> StandsFor | None:
    if _is_taken(mount):
        return None
    source = _source_of(mount, tuple(thing.source for thing in things))
    return next((thing for thing in things if thing.source == source), None)


def _source_of(mount: Mount, sources: tuple[Source, ...]) -> Source | None:
    """The source a mount shows whole; Refused where it shows a part of one, for a clone cannot be cut."""
    for source in sources:
        if mount.kind is MountKind.VOLUME and source.volume == mount.name:
            return source
        if mount.kind is MountKind.BIND and source.path == mount.source:
            return source
        if mount.kind is MountKind.BIND and mount.rw and source.path and is_within(mount.source, source.path):
            what = f"{mount.source} is mounted beside {source.path}, which holds it: a copy cannot show both."
            raise Refused("not-rehearsable", what, then="Mount the outer folder alone.")
    return None


def _is_taken(mount: Mount) -> bool:
    """Whether it is a place of the host's own, which would be a way out of the copy."""
    is_place = is_the_hosts(mount.source) and mount.source not in FILES_OF_THE_HOST
    return mount.kind is MountKind.BIND and is_place


def _in_place(thing: StandsFor, mount: Mount) -> Json:
    read_only = thing.read_only or not mount.rw
    if thing.file:
        return {"Type": "bind", "Source": thing.file, "Target": mount.destination, "ReadOnly": read_only}
    return {"Type": "volume", "Source": thing.volume, "Target": mount.destination, "ReadOnly": read_only,
            "VolumeOptions": {"NoCopy": True}}  # fmt: skip


def _as_it_is(mount: Mount) -> tuple[Json, str]:
    """What is too big to be copied, read-only."""
    if _is_taken(mount):
        return {}, f"{mount.source} of the host"
    shown: Json = {"Target": mount.destination, "ReadOnly": True}
    if mount.kind is MountKind.VOLUME:
        place: Json = {"Type": "volume", "Source": mount.name, "VolumeOptions": {"NoCopy": True}}
    else:
        place = {"Type": "bind", "Source": mount.source, "BindOptions": {"NonRecursive": True}}
    return {**shown, **place}, f"a copy of {mount.name or mount.source}, which is big: it is shown as it is, read-only"
