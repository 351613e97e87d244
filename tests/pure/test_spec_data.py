"""Which mounts are data, and who else has them."""

from __future__ import annotations

import pytest

from runner.facts import Mount, MountKind
from runner.spec import data_mounts, shared_with
from runner.vault.port import Source
from tests.pure.spec_cases import bind, container, volume


def spoken(*mounts: Mount) -> list[str]:
    return [f"{source.key} {source.spoken}" for source in data_mounts(container(mounts=mounts))]


def test_volumes_and_folders_are_data_with_keys_in_the_order_of_their_destinations() -> None:
    assert spoken(volume("v", "/z"), bind("/srv/app", "/a")) == ["d0 /srv/app", "d1 volume v"]


@pytest.mark.parametrize(
    "mount",
    [
        volume("v", "/data", rw=False),
        bind("/srv", "/data", rw=False),
        bind("/var/run/docker.sock", "/var/run/docker.sock"),
        bind("/home/me/agent.sock", "/agent.sock"),
        bind("/etc/localtime", "/etc/localtime"),
        bind("/sys/fs/cgroup", "/cgroup"),
        bind("/dev", "/dev"),
        bind("/", "/host"),
        bind("/var/lib/docker/volumes", "/volumes"),
        bind("/var/lib/docker/containers", "/containers"),
        bind("/var/log", "/logs"),
        bind("/srv/secret", "/run/secrets/key"),
        Mount(kind=MountKind.TMPFS, destination="/tmp"),
        Mount(kind=MountKind.OTHER, destination="/pipe", source="x"),
    ],
    ids=lambda mount: f"{mount.source or mount.kind}-{mount.rw}",
)
def test_what_is_not_data(mount: Mount) -> None:
    assert spoken(mount) == []


def test_a_file_that_is_mounted_writable_is_data() -> None:
    assert spoken(bind("/srv/app.db", "/app.db"), bind("/srv/app.yml", "/app.yml", rw=False)) == ["d0 /srv/app.db"]


def test_a_volume_mounted_by_its_path_is_data() -> None:
    path = "/var/lib/docker/volumes/app/_data"
    assert spoken(bind(path, "/data")) == [f"d0 {path}"]


def test_nothing_is_copied_twice() -> None:
    assert spoken(volume("v", "/a"), volume("v", "/b")) == ["d0 volume v"]
    assert spoken(bind("/srv", "/a"), bind("/srv", "/b")) == ["d0 /srv"]
    assert spoken(bind("/srv/sub", "/a"), bind("/srv", "/b")) == ["d0 /srv"]
    assert spoken(bind("/srv/one", "/a"), bind("/srv/one-more", "/b")) == ["d0 /srv/one", "d1 /srv/one-more"]


def test_a_volume_inside_another_mount_is_a_source_of_its_own() -> None:
    assert spoken(volume("v", "/data"), volume("w", "/data/wal")) == ["d0 volume v", "d1 volume w"]


@pytest.mark.parametrize(
    ("mount", "shares"),
    [
        (volume("v", "/elsewhere"), True),
        (volume("w", "/data"), False),
        (volume("v", "/data", rw=False), False),
        (bind("/srv/app", "/x"), True),
        (bind("/srv/app/inside", "/x"), True),
        (bind("/srv", "/x"), True),
        (bind("/srv/apple", "/x"), False),
        (bind("/srv", "/x", rw=False), False),
        (bind("/", "/host"), False),
    ],
    ids=lambda value: value.source if isinstance(value, Mount) else str(value),
)
def test_who_may_write_to_the_same_data_is_found(mount: Mount, shares: bool) -> None:
    sources = (Source(key="d0", volume="v", destination="/data"), Source(key="d1", path="/srv/app", destination="/app"))
    other = container(mounts=(mount,), name="other")
    found = shared_with(sources, (other,))
    assert [each.name for each, _ in found] == (["other"] if shares else [])
