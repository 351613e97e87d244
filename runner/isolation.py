"""What a copy of a container may keep so that it reaches nobody, and in words what it loses; it makes nothing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from pydantic import JsonValue

from runner.errors import EngineError, Refused
from runner.facts import Container, Fact, Json, Mount, MountKind
from runner.spec import ContainerSpec, NetworkWish
from runner.spec.data import FILES_OF_THE_HOST, is_the_hosts, is_within
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
PIDS = 4096
FIRST_TO_GO = 900
"""Where memory runs out, the copy goes first."""
INHIBIT = "com.docker.network.bridge.inhibit_ipv4"


class Isolated(Fact):
    """A spec that reaches nobody, and what was taken away for it, in words."""

    spec: ContainerSpec
    taken: tuple[str, ...]


@dataclass(frozen=True)
class Props:
    """What a copy gets in place of the real things."""

    network: str
    aliases: tuple[str, ...]
    clones: Mapping[str, str]
    """Key of a source → the volume that stands for it; a source without one is mounted read-only."""
    sources: tuple[Source, ...]


def network_body(labels: Mapping[str, str]) -> Json:
    """A network of its own: no way out, and no address of the host in it."""
    return {"Driver": "bridge", "Internal": True, "EnableIPv6": False, "Options": {INHIBIT: "true"},
            "Labels": {**labels}}  # fmt: skip


def isolated(spec: ContainerSpec, container: Container, props: Props) -> Isolated:
    """The copy's spec; Refused ``not-rehearsable`` where its data cannot be put in place."""
    mounts = tuple(_stand_ins(container, props))
    offline = text(spec.host_config.get("NetworkMode")) == "none"
    host: Json = {
        **_kept(spec),
        "Mounts": [*(mount for mount, _ in mounts if mount), *_in_memory(spec)],
        "NetworkMode": "none" if offline else props.network,
        "Dns": [NOBODY],
        "CpuShares": SHARES,
        "PidsLimit": min(integer(spec.host_config.get("PidsLimit")) or PIDS, PIDS),
        "OomScoreAdj": FIRST_TO_GO,
        "BlkioWeight": DISK_SHARES,
    }
    joined = () if offline else (NetworkWish(network=props.network, settings={"Aliases": [*props.aliases]}),)
    config: Json = {key: value for key, value in spec.config.items() if key not in ("Labels", "MacAddress")}
    changed = {"config": config, "host_config": host, "networks": joined, "auto_remove": False}
    taken = (*_taken(spec), *(words for _, words in mounts if words))
    return Isolated(spec=spec.model_copy(update=changed), taken=tuple(dict.fromkeys(taken)))


def is_about_disk_shares(no: EngineError) -> bool:
    """Whether a start failed because this kernel has nothing to write the share of the disk to."""
    return any(file in no.what for file in ("io.weight", "io.bfq.weight", "blkio.weight", "blkio.bfq.weight"))


def without_disk_shares(body: Json) -> Json:
    """The same container with the disk's default share."""
    host = {key: value for key, value in mapping(body.get("HostConfig")).items() if key != "BlkioWeight"}
    return {**body, "HostConfig": host}


def aliases_of(spec: ContainerSpec) -> tuple[str, ...]:
    """Every name others know it by."""
    chosen = (alias for wish in spec.networks for alias in texts(wish.settings.get("Aliases")))
    return tuple(dict.fromkeys((spec.name, *chosen)))


def _kept(spec: ContainerSpec) -> Json:
    host = spec.host_config
    kept: Json = {key: host[key] for key in HARMLESS if key in host}
    capabilities = [each for each in texts(host.get("CapAdd")) if _is_safe(each)]
    security = [each for each in texts(host.get("SecurityOpt")) if _is_strict(each)]
    ipc: Json = {"IpcMode": host["IpcMode"]} if text(host.get("IpcMode")) in OWN_MODES and "IpcMode" in host else {}
    return {**kept, **ipc, "CapAdd": listed(capabilities), "SecurityOpt": listed(security)}


def _is_safe(capability: str) -> bool:
    return capability.upper().removeprefix("CAP_") in SAFE_CAPABILITIES


def _is_strict(option: str) -> bool:
    return option.startswith(("no-new-privileges", "label"))


def _taken(spec: ContainerSpec) -> Iterator[str]:
    host = spec.host_config
    yield from (f"capability {each}" for each in texts(host.get("CapAdd")) if not _is_safe(each))
    yield from (f"security option {each}" for each in texts(host.get("SecurityOpt")) if not _is_strict(each))
    yield from (WORDS.get(key, key) for key in host if _is_lost(key, host[key]))
    if "RestartPolicy" in host:
        yield "its restart policy"
    yield from _network_words(spec)
    if mapping(spec.config.get("Labels")):
        yield f"its labels: {', '.join(sorted(mapping(spec.config.get('Labels'))))}"


def _is_lost(key: str, value: JsonValue) -> bool:
    if key in (*HARMLESS, *REBUILT, "CapAdd", "SecurityOpt"):
        return False
    return key != "IpcMode" or text(value) not in OWN_MODES


def _network_words(spec: ContainerSpec) -> Iterator[str]:
    mode = text(spec.host_config.get("NetworkMode"))
    if mode == "host":
        yield "the host's network"
    elif mode.startswith("container:"):
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
        source = _source_of(mount, props.sources)
        if source and source.key in props.clones:
            yield _volume(props.clones[source.key], mount), ""
        else:
            yield _read_only(mount)


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


def _volume(name: str, mount: Mount) -> Json:
    return {"Type": "volume", "Source": name, "Target": mount.destination, "ReadOnly": not mount.rw,
            "VolumeOptions": {"NoCopy": True}}  # fmt: skip


def _read_only(mount: Mount) -> tuple[Json, str]:
    """Configuration, read-only; a place of the host's own would be a way out of the copy."""
    if mount.kind is MountKind.VOLUME:
        return _volume(mount.name, mount.model_copy(update={"rw": False})), ""
    if is_the_hosts(mount.source) and mount.source not in FILES_OF_THE_HOST:
        return {}, f"{mount.source} of the host"
    shown: Json = {"Type": "bind", "Source": mount.source, "Target": mount.destination, "ReadOnly": True,
                   "BindOptions": {"NonRecursive": True}}  # fmt: skip
    return shown, f"writing to {mount.source}" if mount.rw else ""
