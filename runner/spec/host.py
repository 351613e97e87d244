"""HostConfig as the user set it: passed whole, with a short list of fixes; a key nobody here knows goes through."""

from __future__ import annotations

import re

from pydantic import JsonValue

from runner.facts import Json
from runner.spec.inspected import integer, is_empty, listed, mapping, objects, text, texts
from runner.spec.model import Seen
from runner.spec.mounts import with_explicit_mounts
from runner.spec.networks import network_mode, shares_network

# An empty value that says something: systempaths=unconfined, --init=false, --memory-swappiness 0.
MEANINGFUL_EMPTY = ("MaskedPaths", "ReadonlyPaths", "Init", "MemorySwappiness")
# The size of the terminal that created it, what only other systems have, and what the spec keeps beside.
LEFT_BEHIND = ("ConsoleSize", "Isolation", "AutoRemove")
NAMING_CONTAINERS = ("NetworkMode", "PidMode", "IpcMode", "UTSMode", "UsernsMode", "Cgroup")
OF_THE_OTHERS_NETWORK = ("PortBindings", "PublishAllPorts", "Dns", "DnsOptions", "DnsSearch", "ExtraHosts", "Links")
DEFAULT_SHM_BYTES = 67108864
# What engines mask by themselves; newer ones add more, some of it a CPU at a time.
MASKED_ALWAYS = frozenset({"/proc/acpi", "/proc/kcore", "/proc/keys", "/proc/timer_list"})
MASKED_BY_ENGINE = re.compile(
    r"/proc/(asound|acpi|interrupts|kcore|keys|latency_stats|timer_list|timer_stats|sched_debug|scsi)"
    r"|/sys/firmware|/sys/devices/virtual/powercap|/sys/devices/system/cpu/cpu\d+/thermal_throttle"
)
READONLY_ALWAYS = frozenset({"/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"})


def user_host_config(seen: Seen) -> Json:
    """HostConfig without its defaults and with the fixes that recreation needs."""
    host: Json = {key: value for key, value in seen.container.host_config.items() if is_set(key, value)}
    for fix in (with_explicit_mounts, with_names, with_plain_links, with_restart_policy, with_devices):
        host = fix(host, seen)
    return {key: value for key, value in host.items() if not is_filled_in(key, value, host, seen)}


def is_set(key: str, value: JsonValue) -> bool:
    """Whether a key says anything."""
    if key in LEFT_BEHIND or value is None:
        return False
    return key in MEANINGFUL_EMPTY or not is_empty(value)


def with_names(host: Json, seen: Seen) -> Json:
    """Modes of the form ``container:<id>`` by name: the id dies when that container is recreated."""
    named = {key: name_in_mode(text(host[key]), seen) for key in NAMING_CONTAINERS if key in host}
    return host | {**named, "NetworkMode": name_in_mode(network_mode(seen.container), seen)}


def name_in_mode(mode: str, seen: Seen) -> str:
    """One mode, with the container it names by name."""
    kind, _, ref = mode.partition(":")
    if kind != "container" or not ref:
        return mode
    known = (name for id_, name in seen.names.items() if id_ == ref or (len(ref) >= 12 and id_.startswith(ref)))
    return f"container:{next(known, ref)}"


def with_plain_links(host: Json, seen: Seen) -> Json:
    """Links as they are asked for (``src:alias``); inspect shows ``/src:/me/alias``, which creating refuses."""
    if "Links" not in host:
        return host
    links = [plain_link(each) for each in texts(host["Links"])]
    return host | {"Links": listed(links)} if not shares_network(seen.container) else host


def plain_link(link: str) -> str:
    """One link as it is asked for."""
    source, _, alias = link.partition(":")
    return f"{source.removeprefix('/')}:{alias.rsplit('/', 1)[-1]}" if alias else link


def with_restart_policy(host: Json, seen: Seen) -> Json:
    """The restart policy in one spelling; ``no`` is the default and goes."""
    policy = mapping(seen.container.host_config.get("RestartPolicy"))
    others: Json = {key: value for key, value in host.items() if key != "RestartPolicy"}
    name = text(policy.get("Name"))
    if name in ("", "no"):
        return others
    return others | {"RestartPolicy": {"Name": name, "MaximumRetryCount": integer(policy.get("MaximumRetryCount"))}}


def with_devices(host: Json, seen: Seen) -> Json:
    """Devices with their permissions spelled out: Podman leaves them empty and then refuses its own answer."""
    devices: JsonValue = [
        each | {"CgroupPermissions": text(each.get("CgroupPermissions")) or "rwm"}
        for each in objects(seen.container.host_config.get("Devices"))
    ]
    return host | ({"Devices": devices} if devices else {})


def is_filled_in(key: str, value: JsonValue, host: Json, seen: Seen) -> bool:
    """Whether the engine would fill in this very value by itself (or, next to another's network, refuse it)."""
    engine = seen.engine
    match key:
        case "ShmSize":
            return value == DEFAULT_SHM_BYTES
        case "Runtime":
            return value == engine.default_runtime
        case "IpcMode":
            return value == "private"
        case "CgroupnsMode":
            private = engine.cgroup_version == "2" and not host.get("Privileged")
            return value == ("private" if private else "host")
        case "LogConfig":
            return mapping(value).get("Type") == engine.log_driver and not mapping(value).get("Config")
        case "MaskedPaths":
            return is_engines_own(texts(value), MASKED_ALWAYS, MASKED_BY_ENGINE)
        case "ReadonlyPaths":
            return set(texts(value)) == READONLY_ALWAYS
        case "MemorySwap":
            return value == 2 * integer(host.get("Memory"))
        case _:
            return is_refused_or_idle(key, value, host, seen)


def is_refused_or_idle(key: str, value: JsonValue, host: Json, seen: Seen) -> bool:
    """The rarer half of ``is_filled_in``."""
    match key:
        case "MemorySwappiness":
            # -1 is "not set"; cgroup v2 has none at all, and refuses even 0.
            return value == -1 or seen.engine.cgroup_version == "2"
        case "CpuPeriod" | "CpuQuota":
            return "NanoCpus" in host
        case "SecurityOpt":
            return value == ["label=disable"] and unlabelled_anyway(host)
        case _:
            return key in OF_THE_OTHERS_NETWORK and shares_network(seen.container)


def is_engines_own(paths: tuple[str, ...], always: frozenset[str], pattern: re.Pattern[str]) -> bool:
    """Whether a list is the engine's own, of whichever version; ``[]`` was chosen (systempaths=unconfined)."""
    return always <= set(paths) and all(pattern.fullmatch(path) for path in paths)


def unlabelled_anyway(host: Json) -> bool:
    """Whether the engine itself turns SELinux labels off."""
    return bool(host.get("Privileged")) or host.get("PidMode") == "host" or host.get("IpcMode") == "host"
