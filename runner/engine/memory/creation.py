"""What a daemon makes of a create body and an image: merged config, mounts and endpoints; it keeps nothing.

The rules are those of Engine 20.10 (runconfig.Merge): what the user left out comes from the image.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from pydantic import JsonValue

from runner.engine.parse import entries, mapping, part, text, texts
from runner.facts import Json, Mount, MountKind

CONFIG_DEFAULTS: Json = {
    "Domainname": "", "User": "", "AttachStdin": False, "AttachStdout": False, "AttachStderr": False, "Tty": False,
    "OpenStdin": False, "StdinOnce": False, "Env": None, "Cmd": None, "Volumes": None, "WorkingDir": "",
    "Entrypoint": None, "OnBuild": None, "Labels": {},
}  # fmt: skip
HOST_DEFAULTS: Json = {
    "Binds": None, "ContainerIDFile": "", "LogConfig": {"Type": "json-file", "Config": {}}, "NetworkMode": "default",
    "PortBindings": {}, "RestartPolicy": {"Name": "no", "MaximumRetryCount": 0}, "AutoRemove": False,
    "VolumeDriver": "", "VolumesFrom": None, "CapAdd": None, "CapDrop": None, "CgroupnsMode": "host", "Dns": None,
    "DnsOptions": None, "DnsSearch": None, "ExtraHosts": None, "GroupAdd": None, "IpcMode": "private", "Cgroup": "",
    "Links": None, "OomScoreAdj": 0, "PidMode": "", "Privileged": False, "PublishAllPorts": False,
    "ReadonlyRootfs": False, "SecurityOpt": None, "UTSMode": "", "UsernsMode": "", "ShmSize": 67108864,
    "Runtime": "runc", "ConsoleSize": [0, 0], "Isolation": "", "CpuShares": 0, "Memory": 0, "NanoCpus": 0,
    "CgroupParent": "", "BlkioWeight": 0, "BlkioWeightDevice": None, "BlkioDeviceReadBps": None,
    "BlkioDeviceWriteBps": None, "BlkioDeviceReadIOps": None, "BlkioDeviceWriteIOps": None, "CpuPeriod": 0,
    "CpuQuota": 0, "CpuRealtimePeriod": 0, "CpuRealtimeRuntime": 0, "CpusetCpus": "", "CpusetMems": "",
    "Devices": None, "DeviceCgroupRules": None, "DeviceRequests": None, "KernelMemory": 0, "KernelMemoryTCP": 0,
    "MemoryReservation": 0, "MemorySwap": 0, "MemorySwappiness": None, "OomKillDisable": False, "PidsLimit": None,
    "Ulimits": None, "CpuCount": 0, "CpuPercent": 0, "IOMaximumIOps": 0, "IOMaximumBandwidth": 0,
    "MaskedPaths": [
        "/proc/asound", "/proc/acpi", "/proc/kcore", "/proc/keys", "/proc/latency_stats", "/proc/timer_list",
        "/proc/timer_stats", "/proc/sched_debug", "/proc/scsi", "/sys/firmware",
    ],
    "ReadonlyPaths": ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"],
}  # fmt: skip
NOT_CONFIG = ("HostConfig", "NetworkingConfig")


def config_from_body(body: Json, image: Json, short_id: str) -> Json:
    """Merge what the user set with the image's defaults."""
    config: Json = {**CONFIG_DEFAULTS, **{key: value for key, value in body.items() if key not in NOT_CONFIG}}
    for key in ("User", "WorkingDir", "StopSignal"):
        if not config.get(key) and image.get(key):
            config[key] = image[key]
    for key in ("Labels", "ExposedPorts", "Volumes"):
        if image.get(key):
            config[key] = {**part(image, key), **part(config, key)}
    config["Env"] = [*merged_env(texts(config.get("Env")), texts(image.get("Env")))]
    config["Hostname"] = text(config, "Hostname") or short_id
    if healthcheck := merged_healthcheck(part(config, "Healthcheck"), part(image, "Healthcheck")):
        config["Healthcheck"] = healthcheck
    return config | merged_command(config, image)


def merged_env(chosen: tuple[str, ...], defaults: tuple[str, ...]) -> tuple[str, ...]:
    """Add the image's variables that the user did not set."""
    names = {each.partition("=")[0] for each in chosen}
    return (*chosen, *(each for each in defaults if each.partition("=")[0] not in names))


def merged_command(config: Json, image: Json) -> Json:
    """Take the image's Cmd and Entrypoint where the user set none; an own Entrypoint drops the image's Cmd."""
    cmd, entrypoint = config.get("Cmd"), config.get("Entrypoint")
    if entrypoint:
        # [""] is how the API takes the image's entrypoint away.
        return {"Cmd": cmd, "Entrypoint": None if entrypoint == [""] else entrypoint}
    return {"Cmd": cmd or image.get("Cmd"), "Entrypoint": image.get("Entrypoint") if entrypoint is None else entrypoint}


def merged_healthcheck(chosen: Json, default: Json) -> Json:
    """Fill the fields the user left empty or zero."""
    return {**default, **{key: value for key, value in chosen.items() if value}}


def mounts_from(config: Json, host: Json, others: Callable[[str], tuple[Mount, ...]],
                new_name: Callable[[], str]) -> tuple[tuple[Mount, ...], frozenset[str]]:  # fmt: skip
    """Yield the mounts, and the names of the anonymous volumes to be made for them."""
    mounts: dict[str, Mount] = {}
    for each in texts(host.get("VolumesFrom")):
        name, _, mode = each.partition(":")
        for mount in others(name):
            mounts[mount.destination] = mount.model_copy(update={"rw": mount.rw and mode != "ro"})
    for mount in (*mounts_from_binds(texts(host.get("Binds"))), *mounts_from_list(entries(host.get("Mounts")))):
        mounts[mount.destination] = mount
    covered = {*mounts, *(path.rstrip("/") for path in part(host, "Tmpfs"))}
    for path in part(config, "Volumes"):
        if path.rstrip("/") not in covered:
            mounts[path.rstrip("/")] = volume_mount("", path.rstrip("/"))
    named = [each if needs_no_name(each) else volume_mount(new_name(), each.destination) for each in mounts.values()]
    anonymous = {new.name for new, old in zip(named, mounts.values(), strict=True) if new.name != old.name}
    return tuple(named), frozenset(anonymous)


def needs_no_name(mount: Mount) -> bool:
    """Whether this is anything but a volume still without a name."""
    return mount.kind is not MountKind.VOLUME or mount.name != ""


def volume_mount(name: str, destination: str, *, rw: bool = True) -> Mount:
    """Yield the mount of a volume."""
    source = f"/var/lib/docker/volumes/{name}/_data"
    return Mount(kind=MountKind.VOLUME, destination=destination, name=name, source=source, driver="local", rw=rw)


def mounts_from_binds(binds: Iterable[str]) -> Iterable[Mount]:
    """Read ``source:destination[:options]``; a source without a slash is a volume."""
    for each in binds:
        source, destination, options = (*each.split(":", 2), "", "")[:3]
        rw = "ro" not in options.split(",")
        if source.startswith("/"):
            yield Mount(kind=MountKind.BIND, destination=destination, source=source, rw=rw, mode=options)
        else:
            yield volume_mount(source, destination, rw=rw)


def mounts_from_list(mounts: Iterable[Json]) -> Iterable[Mount]:
    """Read ``HostConfig.Mounts``."""
    for each in mounts:
        source, destination, rw = text(each, "Source"), text(each, "Target").rstrip("/"), not each.get("ReadOnly")
        if text(each, "Type") == "volume":
            yield volume_mount(source, destination, rw=rw)
        else:
            yield Mount(kind=MountKind(text(each, "Type")), destination=destination, source=source, rw=rw)


def endpoint_settings(body: Json, host: Json) -> dict[str, Json]:
    """Yield the settings of each network to join, by its name."""
    given = part(part(body, "NetworkingConfig"), "EndpointsConfig")
    mode = text(host, "NetworkMode")
    if mode.startswith("container:"):
        return {}
    wanted: dict[str, JsonValue] = given or {"bridge" if mode in ("", "default") else mode: {}}
    return {name: mapping(settings) for name, settings in wanted.items()}
