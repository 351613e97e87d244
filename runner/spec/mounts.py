"""Making every mount of a container explicit, so that the data follows it to another image; it looks at no file."""

from __future__ import annotations

from pydantic import JsonValue

from runner.facts import Json, Mount, MountKind
from runner.spec.inspected import listed, mapping, objects, text, texts
from runner.spec.model import Seen

DEFAULT_PROPAGATION = ("", "rprivate")


def plain_path(path: str) -> str:
    """A path in a container without a slash at its end."""
    return path.rstrip("/") or "/"


def bind_destination(bind: str) -> str:
    """Where an entry of ``Binds`` is mounted: ``source:destination[:options]``, or a destination alone."""
    parts = bind.split(":")
    return plain_path(parts[1] if len(parts) > 1 else parts[0])


def is_anonymous(bind: str) -> bool:
    """Whether an entry of ``Binds`` is a destination alone: the engine made an anonymous volume for it."""
    return ":" not in bind


def covered(host: Json) -> set[str]:
    """The destinations that HostConfig itself names."""
    binds = {bind_destination(each) for each in texts(host.get("Binds"))}
    mounts = {plain_path(text(each.get("Target"))) for each in objects(host.get("Mounts"))}
    return binds | mounts | {plain_path(each) for each in mapping(host.get("Tmpfs"))}


def with_explicit_mounts(host: Json, seen: Seen) -> Json:
    """HostConfig with the anonymous volumes, and what came by ``VolumesFrom``, named in ``Binds``.

    Both are only known from the top-level ``Mounts``. ``VolumesFrom`` goes: it is stored as the name given then, which
    after a rename means another container.
    """
    named: Json = {key: value for key, value in host.items() if key not in ("Binds", "Mounts", "VolumesFrom")}
    kept = [each for each in texts(host.get("Binds")) if not is_anonymous(each)]
    mounts: JsonValue = [with_source(each, seen) for each in objects(host.get("Mounts"))]
    known = covered(named | {"Binds": listed(kept), "Mounts": mounts})
    binds = kept + [bind_of(each) for each in seen.container.mounts if is_missing(each, known)]
    return named | ({"Binds": listed(binds)} if binds else {}) | ({"Mounts": mounts} if mounts else {})


def is_missing(mount: Mount, known: set[str]) -> bool:
    """Whether a mount with data is named nowhere yet."""
    return mount.kind in (MountKind.VOLUME, MountKind.BIND) and plain_path(mount.destination) not in known


def bind_of(mount: Mount) -> str:
    """A mount as an entry of ``Binds``."""
    propagation = "" if mount.propagation in DEFAULT_PROPAGATION else mount.propagation
    options = ",".join(each for each in ("" if mount.rw else "ro", propagation) if each)
    source = mount.name if mount.kind is MountKind.VOLUME else mount.source
    return ":".join(each for each in (source, mount.destination, options) if each)


def with_source(asked: Json, seen: Seen) -> Json:
    """An entry of ``HostConfig.Mounts`` with its volume's name, where it asked for an anonymous one."""
    if asked.get("Type") != "volume" or asked.get("Source"):
        return asked
    target = plain_path(text(asked.get("Target")))
    name = next((each.name for each in seen.container.mounts if plain_path(each.destination) == target), "")
    return asked | ({"Source": name} if name else {})
