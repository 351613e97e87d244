"""What a rehearsal's copy keeps and what is taken away: nothing that reaches the host, the engine or anybody else."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from runner.errors import EngineError, Refused
from runner.facts import Container, Json, Mount, MountKind, State
from runner.isolation import (
    Props,
    StandsFor,
    aliases_of,
    is_about_disk_shares,
    isolated,
    network_body,
    shown_mounts,
    without_disk_shares,
)
from runner.spec import ContainerSpec, NetworkWish
from runner.spec.data import data_mounts

REACHING: Json = {
    "Privileged": True,
    "PidMode": "host",
    "IpcMode": "host",
    "UTSMode": "host",
    "PortBindings": {"9090/tcp": [{"HostPort": "9090"}]},
    "PublishAllPorts": True,
    "Devices": [{"PathOnHost": "/dev/sda"}],
    "DeviceRequests": [{"Count": -1}],
    "CapAdd": ["SYS_ADMIN", "CAP_CHOWN"],
    "SecurityOpt": ["seccomp=unconfined", "no-new-privileges:true"],
    "LogConfig": {"Type": "syslog", "Config": {}},
    "Links": ["db:db"],
    "RestartPolicy": {"Name": "always", "MaximumRetryCount": 0},
    "Dns": ["10.0.0.53"],
    "CgroupParent": "/prod",
    "SomethingNew": True,
    "Memory": 1000,
}


def bind(source: str, destination: str, *, rw: bool = True) -> Mount:
    return Mount(kind=MountKind.BIND, source=source, destination=destination, rw=rw)


def volume(name: str, destination: str, *, rw: bool = True) -> Mount:
    return Mount(kind=MountKind.VOLUME, name=name, source=f"/v/{name}", destination=destination, rw=rw)


def container(*mounts: Mount) -> Container:
    return Container(id="1" * 64, name="prom", image_id="sha256:1", image_ref="prom:1", state=State(status="running"),
                     config={}, host_config={}, mounts=mounts)  # fmt: skip


def spec(host: Json, *networks: NetworkWish, **config: str) -> ContainerSpec:
    return ContainerSpec(name="prom", image_id="sha256:1", image_ref="prom:1", host_config=host, networks=networks,
                         config={"Labels": {"traefik.enable": "true"}, **config})  # fmt: skip


def props(*mounts: Mount, files: tuple[str, ...] = (), big: tuple[str, ...] = (), free_bytes: int = 0) -> Props:
    """Everything mounted has something that stands for it, but for what is big."""
    sources = data_mounts(container(*mounts))
    shown = shown_mounts(container(*mounts), sources)
    things = (
        StandsFor(each, f"clone-{each.key}", f"/v/clone-{each.key}/file" if each.spoken in files else "",
                  read_only=each in shown)
        for each in (*sources, *shown) if each.spoken not in big and each.volume not in big
    )  # fmt: skip
    return Props(network="alone", aliases=("prom",), things=tuple(things), free_memory_bytes=free_bytes)


def mounts_of(copy: ContainerSpec) -> Iterator[tuple[str, str, bool]]:
    mounts = copy.host_config["Mounts"]
    assert isinstance(mounts, list)
    for mount in mounts:
        assert isinstance(mount, dict)
        yield str(mount["Source"]), str(mount["Target"]), bool(mount["ReadOnly"])


def test_nothing_that_reaches_out_is_kept_and_each_is_named() -> None:
    wish = NetworkWish(network="prod", settings={"Aliases": ["metrics"], "IPAMConfig": {"IPv4Address": "10.0.0.9"}})
    copy = isolated(spec({**REACHING, "NetworkMode": "prod"}, wish), container(), props())
    host = copy.spec.host_config
    assert not set(host) & (set(REACHING) - {"CapAdd", "SecurityOpt", "Memory", "Dns"})
    assert (host["CapAdd"], host["SecurityOpt"]) == (["CAP_CHOWN"], ["no-new-privileges:true"])
    assert (host["NetworkMode"], host["Dns"], host["Memory"]) == ("alone", ["127.0.0.1"], 1000)
    assert copy.spec.networks == (NetworkWish(network="alone", settings={"Aliases": ["prom"]}),)
    assert "Labels" not in copy.spec.config
    told = " | ".join(copy.taken)
    for word in ("published ports", "privileged", "capability SYS_ADMIN", "seccomp=unconfined", "log driver", "prod",
                 "restart policy", "traefik.enable", "SomethingNew", "fixed addresses", "CgroupParent"):  # fmt: skip
        assert word in told


@pytest.mark.parametrize("mode", ["host", "container:vpn", "bridge", ""])
def test_whatever_network_it_had_it_is_alone_now(mode: str) -> None:
    assert isolated(spec({"NetworkMode": mode}), container(), props()).spec.host_config["NetworkMode"] == "alone"


def test_who_had_no_network_gets_none() -> None:
    copy = isolated(spec({"NetworkMode": "none"}), container(), props()).spec
    assert (copy.host_config["NetworkMode"], copy.networks) == ("none", ())


def test_data_becomes_clones_and_configuration_read_only_copies() -> None:
    mounts = (volume("data", "/data"), bind("/srv/prom", "/srv"), bind("/etc/prom", "/conf", rw=False),
              volume("shared", "/shared", rw=False), volume("data", "/again", rw=False))  # fmt: skip
    copy = isolated(spec({}), container(*mounts), props(*mounts)).spec
    assert set(mounts_of(copy)) == {
        ("clone-d0", "/data", False),
        ("clone-d1", "/srv", False),
        ("clone-s0", "/conf", True),
        ("clone-s1", "/shared", True),
        ("clone-d0", "/again", True),
    }


@pytest.mark.parametrize("path", ["/var/run/docker.sock", "/", "/proc", "/run", "/var/lib/docker", "/dev", "/var/log"])
def test_places_of_the_host_are_taken_away_read_only_or_not(path: str) -> None:
    for rw in (True, False):
        mount = bind(path, "/x", rw=rw)
        copy = isolated(spec({}), container(mount), props(mount))
        assert not tuple(mounts_of(copy.spec))
        assert f"{path} of the host" in copy.taken


def test_a_single_file_of_the_host_is_a_copy_and_as_writable_as_it_was() -> None:
    mounts = (bind("/srv/app.db", "/app.db"), bind("/srv/prometheus.yml", "/etc/prometheus.yml", rw=False))
    copy = isolated(spec({}), container(*mounts), props(*mounts, files=("/srv/app.db", "/srv/prometheus.yml")))
    assert set(mounts_of(copy.spec)) == {
        ("/v/clone-d0/file", "/app.db", False),
        ("/v/clone-s0/file", "/etc/prometheus.yml", True),
    }
    assert copy.taken == ("its labels: traefik.enable",)


def test_a_file_of_the_hosts_own_is_a_copy_that_cannot_be_written() -> None:
    mount = bind("/etc/localtime", "/etc/localtime")
    copy = isolated(spec({}), container(mount), props(mount, files=("/etc/localtime",)))
    assert tuple(mounts_of(copy.spec)) == (("/v/clone-s0/file", "/etc/localtime", True),)
    assert "writing to /etc/localtime" in copy.taken


def test_what_is_too_big_to_copy_is_shown_as_it_is_and_said_so() -> None:
    mounts = (bind("/srv/media", "/media", rw=False), volume("films", "/films", rw=False))
    copy = isolated(spec({}), container(*mounts), props(*mounts, big=("/srv/media", "films")))
    assert set(mounts_of(copy.spec)) == {("/srv/media", "/media", True), ("films", "/films", True)}
    assert [words for words in copy.taken if "/srv/media, which is big" in words]


@pytest.mark.parametrize(
    ("host", "free_bytes", "memory", "words"),
    [
        ({"Memory": 512_000_000}, 4 * 10**9, 512_000_000, "its own limit of 512 MB"),
        ({}, 4 * 10**9, 2 * 10**9, "2,000 MB of memory, half of what is free"),
        ({}, 10**6, 256 * 1024 * 1024, "268 MB of memory"),
        ({}, 0, None, "what is free is not known"),
    ],
)
def test_a_copy_may_take_its_own_share_of_memory_and_it_is_said(
    host: Json, free_bytes: int, memory: int | None, words: str
) -> None:
    copy = isolated(spec(host), container(), props(free_bytes=free_bytes))
    assert copy.spec.host_config.get("Memory") == memory
    assert words in copy.limits[0]
    assert len(copy.limits) == 4


def test_a_folder_mounted_beside_the_one_that_holds_it_is_refused() -> None:
    mounts = (bind("/srv/a", "/a"), bind("/srv/a/b", "/b"))
    with pytest.raises(Refused, match="holds it"):
        isolated(spec({}), container(*mounts), props(*mounts))


def test_others_names_for_it_stay_its_names() -> None:
    assert aliases_of(spec({}, NetworkWish(network="n", settings={"Aliases": ["metrics", "prom"]}))) == (
        "prom",
        "metrics",
    )


def test_its_network_leads_nowhere() -> None:
    body = network_body({"a": "b"})
    assert body["Internal"] is True
    assert body["Options"] == {"com.docker.network.bridge.inhibit_ipv4": "true"}


def test_where_the_kernel_shares_no_disk_the_copy_does_without() -> None:
    copy = isolated(spec({"BlkioWeight": 900}), container(), props())
    assert copy.spec.host_config["BlkioWeight"] == 100
    no = EngineError("cannot-start", "OCI runtime create failed: open /sys/fs/cgroup/x/io.weight: no such file")
    assert is_about_disk_shares(no)
    assert not is_about_disk_shares(EngineError("cannot-start", "exec: no such file or directory"))
    assert without_disk_shares({"Image": "a", "HostConfig": {"BlkioWeight": 100, "Memory": 1}}) == {
        "Image": "a", "HostConfig": {"Memory": 1},
    }  # fmt: skip


def test_a_copy_gets_the_variables_its_recipe_sets_beside_its_own_and_says_so() -> None:
    asked = replace(props(), variables={"DISABLE_TELEMETRY": "1"})
    copy = isolated(spec({}).model_copy(update={"config": {"Env": ["A=b"]}}), container(), asked)
    assert copy.spec.config["Env"] == ["A=b", "DISABLE_TELEMETRY=1"]
    assert "DISABLE_TELEMETRY is set, as its recipe has it" in copy.limits
