"""Turns the engine's JSON into facts, tolerating what Podman and API 1.41 to 1.51 leave out; it asks nothing."""

from __future__ import annotations

import re

from pydantic import JsonValue

from runner.facts import Change, Container, Endpoint, Engine, HealthSeen, Image, Json, Mount, MountKind, Network, State
from runner.facts import Volume as VolumeFact

# Podman has a few states of its own; each has an equivalent in Docker's vocabulary.
STATUS_ALIASES = {"configured": "created", "initialized": "created", "stopped": "exited", "stopping": "running"}
CHANGE_KINDS = ("changed", "added", "deleted")


def text(json: Json, key: str, default: str = "") -> str:
    """Read a text; anything else counts as missing."""
    value = json.get(key)
    return value if isinstance(value, str) else default


def number(json: Json, key: str) -> int:
    """Read a number; missing is 0."""
    value = json.get(key)
    return int(value) if isinstance(value, int | float) else 0


def flag(json: Json, key: str) -> bool:
    """Read a yes or no; missing is no."""
    return json.get(key) is True


def part(json: Json, key: str) -> Json:
    """Read a nested object; missing is empty."""
    return mapping(json.get(key))


def mapping(value: JsonValue) -> Json:
    """Take a value as an object; anything else is empty."""
    return value if isinstance(value, dict) else {}


def entries(value: JsonValue) -> tuple[Json, ...]:
    """Take a value as a list of objects; anything else is empty."""
    return tuple(each for each in value if isinstance(each, dict)) if isinstance(value, list) else ()


def texts(value: JsonValue) -> tuple[str, ...]:
    """Take a value as a list of texts; anything else is empty."""
    return tuple(each for each in value if isinstance(each, str)) if isinstance(value, list) else ()


def labels_from(value: JsonValue) -> dict[str, str]:
    """Take a value as labels or options: texts to texts."""
    return {key: str(each) for key, each in mapping(value).items() if each is not None}


def moment(json: Json, key: str) -> str:
    """Read a time; the engine writes the year 1 where it means never."""
    value = text(json, key)
    return "" if value.startswith("0001-01-01") else value


def image_id_from(value: str) -> str:
    """Give an image id its ``sha256:``, which Podman leaves out."""
    return f"sha256:{value}" if re.fullmatch(r"[0-9a-f]{64}", value) else value


def health_from(state: Json) -> HealthSeen | None:
    """Read the verdict of the engine's own health check; None where the container has no such check."""
    seen = part(state, "Health") or part(state, "Healthcheck")
    status = text(seen, "Status")
    if not status:
        return None
    log = entries(seen.get("Log"))
    output = text(log[-1], "Output") if log else ""
    return HealthSeen(status=status, failing_streak=number(seen, "FailingStreak"), last_output=output)


def state_from(inspected: Json) -> State:
    """Read the state of a container."""
    state = part(inspected, "State")
    status = text(state, "Status", "created")
    return State(
        status=STATUS_ALIASES.get(status, status),
        exit_code=number(state, "ExitCode"),
        oom_killed=flag(state, "OOMKilled"),
        error=text(state, "Error"),
        started_at=moment(state, "StartedAt"),
        finished_at=moment(state, "FinishedAt"),
        restart_count=number(inspected, "RestartCount"),
        pid=number(state, "Pid"),
        health=health_from(state),
    )


def mount_from(json: Json) -> Mount:
    """Read one entry of the top-level ``Mounts``."""
    kind = text(json, "Type")
    return Mount(
        kind=MountKind(kind) if kind in tuple(MountKind) else MountKind.OTHER,
        destination=text(json, "Destination"),
        name=text(json, "Name"),
        source=text(json, "Source"),
        driver=text(json, "Driver"),
        rw=json.get("RW") is not False,
        mode=text(json, "Mode"),
        propagation=text(json, "Propagation"),
    )


def endpoints_from(inspected: Json) -> tuple[Endpoint, ...]:
    """Read how a container is joined to its networks."""
    networks = part(part(inspected, "NetworkSettings"), "Networks")
    return tuple(
        Endpoint(
            network=name,
            network_id=text(mapping(settings), "NetworkID"),
            address=text(mapping(settings), "IPAddress") or text(mapping(settings), "GlobalIPv6Address"),
            settings=mapping(settings),
        )
        for name, settings in networks.items()
    )


def container_from_inspect(json: Json) -> Container:
    """Read one container from ``GET /containers/{id}/json``."""
    config = part(json, "Config")
    return Container(
        id=text(json, "Id"),
        name=text(json, "Name").removeprefix("/"),
        image_id=image_id_from(text(json, "Image")),
        image_ref=text(config, "Image"),
        created=moment(json, "Created"),
        state=state_from(json),
        config=config,
        host_config=part(json, "HostConfig"),
        mounts=tuple(mount_from(each) for each in entries(json.get("Mounts"))),
        endpoints=endpoints_from(json),
        labels=labels_from(config.get("Labels")),
        commands=len(texts(json.get("ExecIDs"))),
    )


def image_from_inspect(json: Json) -> Image:
    """Read one image from ``GET /images/{name}/json`` or, without its config, from the list."""
    return Image(
        id=image_id_from(text(json, "Id")),
        tags=tuple(each for each in texts(json.get("RepoTags")) if each != "<none>:<none>"),
        digests=tuple(each for each in texts(json.get("RepoDigests")) if not each.startswith("<none>")),
        config=part(json, "Config"),
        created=moment(json, "Created"),
        size_bytes=number(json, "Size"),
        architecture=text(json, "Architecture"),
        os=text(json, "Os", "linux"),
    )


def volume_from_inspect(json: Json) -> VolumeFact:
    """Read one volume."""
    return VolumeFact(
        name=text(json, "Name"),
        driver=text(json, "Driver", "local"),
        mountpoint=text(json, "Mountpoint"),
        labels=labels_from(json.get("Labels")),
        options=labels_from(json.get("Options")),
        created=moment(json, "CreatedAt"),
    )


def network_from_inspect(json: Json) -> Network:
    """Read one network."""
    return Network(
        id=text(json, "Id"),
        name=text(json, "Name"),
        driver=text(json, "Driver", "bridge"),
        internal=flag(json, "Internal"),
        labels=labels_from(json.get("Labels")),
    )


def engine_from_info(json: Json, api_version: str) -> Engine:
    """Read what the engine is from ``GET /info``."""
    return Engine(
        id=text(json, "ID"),
        name=text(json, "Name"),
        version=text(json, "ServerVersion"),
        api_version=api_version,
        os=text(json, "OSType", "linux"),
        architecture=text(json, "Architecture"),
        storage_driver=text(json, "Driver"),
        default_runtime=text(json, "DefaultRuntime", "runc"),
        cgroup_version=text(json, "CgroupVersion", "1"),
        log_driver=text(json, "LoggingDriver", "json-file"),
        root_dir=text(json, "DockerRootDir"),
        kernel=text(json, "KernelVersion"),
        security=texts(json.get("SecurityOptions")),
    )


def change_from_diff(json: Json) -> Change:
    """Read one line of ``GET /containers/{id}/changes``."""
    return Change(path=text(json, "Path"), kind=CHANGE_KINDS[number(json, "Kind")])


def interleaved(multiplexed: bytes) -> bytes:
    """Take the frames of a log apart and join what both streams said, in their order."""
    said, at = [], 0
    while at + 8 <= len(multiplexed):
        end = at + 8 + int.from_bytes(multiplexed[at + 4 : at + 8], "big")
        said.append(multiplexed[at + 8 : end])
        at = end
    return b"".join(said)
