"""Volumes, networks, ports, images and commands, the same on the memory engine and on the real one."""

from __future__ import annotations

import io
import tarfile
import uuid
from collections.abc import Callable

import pytest

from runner.engine.port import EnginePort
from runner.errors import Conflict, EngineError, NotFound
from runner.facts import Json, MountKind
from tests.contract.conftest import BUSYBOX, Bench


def own_address() -> str:
    """A loopback address of the engine's host that no other test publishes on."""
    value = uuid.uuid4().int
    return f"127.{value % 200 + 20}.{value // 1000 % 250}.{value // 10**6 % 250 + 1}"


def published(address: str, *, exposed: bool = True) -> Json:
    """A create body that publishes one port."""
    host: Json = {"PortBindings": {"80/tcp": [{"HostIp": address, "HostPort": "18080"}]}}
    return {"HostConfig": host, "ExposedPorts": {"80/tcp": {}} if exposed else {}}


def test_a_port_is_published_once_and_free_after_the_stop(bench: Bench) -> None:
    body = published(own_address())
    first, second = bench.running("first", body), bench.create("second", body)
    with pytest.raises(Conflict) as taken:
        bench.engine.start(second)
    assert taken.value.code == "port-taken"
    assert bench.engine.container(second).state.status == "created"
    bench.engine.stop(first, 10)
    bench.engine.start(second)
    assert bench.engine.container(second).state.running


def test_a_port_that_is_not_exposed_is_not_published(bench: Bench) -> None:
    body = published(own_address(), exposed=False)
    bench.running("first", body)
    bench.running("second", body)


def test_a_static_address_is_given_once(bench: Bench) -> None:
    value = uuid.uuid4().int
    prefix, at = f"10.{value % 100 + 100}.{value // 1000 % 250}", value // 10**6 % 15 * 16
    ipam: Json = {"Driver": "default", "Config": [{"Subnet": f"{prefix}.{at}/28"}]}
    bench.engine.create_network(bench.name("net"), {"IPAM": ipam, "Labels": {**bench.labels}})
    endpoint: Json = {bench.name("net"): {"IPAMConfig": {"IPv4Address": f"{prefix}.{at + 5}"}}}
    body: Json = {
        "HostConfig": {"NetworkMode": bench.name("net")},
        "NetworkingConfig": {"EndpointsConfig": endpoint},
    }
    first, second = bench.running("first", body), bench.create("second", body)
    assert bench.engine.container(first).endpoints[0].address == f"{prefix}.{at + 5}"
    with pytest.raises(Conflict) as taken:
        bench.engine.start(second)
    assert taken.value.code == "address-taken"
    bench.engine.stop(first, 10)
    bench.engine.start(second)


def test_a_network_name_is_given_once_and_a_network_in_use_stays(bench: Bench) -> None:
    network = bench.name("net")
    ref = bench.engine.create_network(network, {"Labels": {**bench.labels}})
    with pytest.raises(Conflict) as taken:
        bench.engine.create_network(network, {})
    assert taken.value.code == "name-taken"
    name = bench.running()
    bench.engine.connect(network, name, {"Aliases": ["other"]})
    bench.engine.connect(network, name, {"Aliases": ["other"]})
    joined = {each.network: each for each in bench.engine.container(name).endpoints}
    assert set(joined) == {"bridge", network}
    assert joined[network].network_id == ref
    with pytest.raises(Conflict) as in_use:
        bench.engine.remove_network(network)
    assert in_use.value.code == "network-in-use"
    assert bench.engine.network(ref).name == network
    assert [each.name for each in bench.engine.networks(bench.labels)] == [network]


def test_a_running_container_has_addresses_and_its_id_as_an_alias(bench: Bench) -> None:
    network = bench.name("net")
    bench.engine.create_network(network, {"Labels": {**bench.labels}})
    given: Json = {"EndpointsConfig": {network: {"Aliases": ["db"]}}}
    name = bench.create("", {"HostConfig": {"NetworkMode": network}, "NetworkingConfig": given})
    before = bench.engine.container(name)
    assert (before.endpoints[0].address, before.endpoints[0].settings["Aliases"]) == ("", ["db"])
    bench.engine.start(name)
    running = bench.engine.container(name).endpoints[0]
    assert running.settings["Aliases"] == ["db", before.short_id]
    assert running.address != ""
    assert running.settings["MacAddress"] != ""
    bench.engine.stop(name, 10)
    ended = bench.engine.container(name).endpoints[0]
    assert (ended.address, ended.settings["MacAddress"]) == ("", "")
    assert ended.settings["Aliases"] == ["db", before.short_id]


def test_a_missing_network_shows_at_the_start(bench: Bench) -> None:
    name = bench.create("", {"HostConfig": {"NetworkMode": bench.name("nowhere")}})
    with pytest.raises(NotFound):
        bench.engine.start(name)
    assert bench.engine.container(name).state.error != ""


def test_the_network_of_a_container_that_does_not_run_cannot_be_shared(bench: Bench) -> None:
    other = bench.create("other")
    name = bench.create("", {"HostConfig": {"NetworkMode": f"container:{other}"}})
    with pytest.raises(Conflict) as refused:
        bench.engine.start(name)
    assert refused.value.code == "not-running"


def test_a_volume_is_made_once_and_stays_while_anybody_refers_to_it(bench: Bench) -> None:
    volume = bench.name("data")
    bench.engine.create_volume(volume, labels=bench.labels)
    bench.engine.create_volume(volume, labels={})
    assert bench.engine.volume(volume).labels == bench.labels
    name = bench.create("", {"HostConfig": {"Binds": [f"{volume}:/data:ro"]}})
    mount = bench.engine.container(name).mounts[0]
    assert (mount.kind, mount.name, mount.destination, mount.rw) == (MountKind.VOLUME, volume, "/data", False)
    assert [each.name for each in bench.engine.containers(volume=volume)] == [name]
    with pytest.raises(Conflict) as in_use:
        bench.engine.remove_volume(volume)
    assert in_use.value.code == "volume-in-use"
    bench.engine.remove_container(name, volumes=True)
    bench.engine.remove_volume(volume)
    with pytest.raises(NotFound):
        bench.engine.remove_volume(volume)


def test_a_path_a_volume_is_mounted_on_does_not_pass_for_its_name(bench: Bench) -> None:
    bench.create("", {"Volumes": {"/data": {}}})
    assert bench.engine.containers(bench.labels, volume="/data") == ()


def test_removal_takes_anonymous_volumes_only_when_asked_to(bench: Bench) -> None:
    first, second = bench.create("first", {"Volumes": {"/a": {}}}), bench.create("second", {"Volumes": {"/a": {}}})
    left, gone = (bench.engine.container(each).mounts[0].name for each in (first, second))
    bench.engine.remove_container(first)
    bench.engine.remove_container(second, volumes=True)
    assert bench.engine.volume(left).name == left
    bench.engine.remove_volume(left)
    with pytest.raises(NotFound):
        bench.engine.volume(gone)


def test_mounts_of_another_container_can_be_taken_over(bench: Bench) -> None:
    first = bench.create("first", {"Volumes": {"/a": {}}})
    second = bench.create("second", {"HostConfig": {"VolumesFrom": [first]}})
    assert bench.engine.container(second).mounts[0].name == bench.engine.container(first).mounts[0].name


def test_mounts_in_the_long_form_are_volumes_too(bench: Bench) -> None:
    volume = bench.name("data")
    bench.engine.create_volume(volume, labels=bench.labels)
    mounts: Json = {"Mounts": [{"Type": "volume", "Source": volume, "Target": "/x", "ReadOnly": True}]}
    mount = bench.engine.container(bench.create("", {"HostConfig": mounts})).mounts[0]
    assert (mount.kind, mount.name, mount.destination, mount.rw) == (MountKind.VOLUME, volume, "/x", False)


LOOKUPS: dict[str, Callable[[EnginePort, str], object]] = {
    "image": lambda engine, name: engine.image(f"{name}:1"),
    "volume": lambda engine, name: engine.volume(name),
    "network": lambda engine, name: engine.network(name),
    "remove a volume": lambda engine, name: engine.remove_volume(name),
    "remove a network": lambda engine, name: engine.remove_network(name),
}


@pytest.mark.parametrize("lookup", LOOKUPS)
def test_what_is_not_there_is_not_found(bench: Bench, lookup: str) -> None:
    with pytest.raises(NotFound):
        LOOKUPS[lookup](bench.engine, bench.name("nothing"))


def test_an_image_has_many_names_and_taking_one_away_twice_is_no_error(bench: Bench) -> None:
    image = bench.engine.image(BUSYBOX)
    bench.engine.tag(image.id, "refloat/held", bench.own)
    held = f"refloat/held:{bench.own}"
    assert bench.engine.image(held).id == image.id
    assert held in [tag for each in bench.engine.images() for tag in each.tags]
    bench.engine.untag(held)
    bench.engine.untag(held)
    assert bench.engine.image(BUSYBOX).id == image.id
    with pytest.raises(NotFound):
        bench.engine.image(held)


def test_a_tag_that_moves_leaves_its_old_image(bench: Bench) -> None:
    held = f"refloat/held:{bench.own}"
    bench.engine.tag(bench.engine.image(BUSYBOX).id, "refloat/held", bench.own)
    other = bench.engine.image("refloat-lab/misbehave:crash")
    bench.engine.tag(other.id, "refloat/held", bench.own)
    assert bench.engine.image(held).id == other.id
    assert held not in bench.engine.image(BUSYBOX).tags
    bench.engine.untag(held)


def test_a_root_becomes_an_image_of_its_own_with_labels(bench: Bench) -> None:
    name = f"refloat-lab/imported:{bench.own}"
    whole = io.BytesIO()
    with tarfile.open(fileobj=whole, mode="w") as tar:
        tar.addfile(tarfile.TarInfo("hello"))
    bench.engine.import_root(iter((whole.getvalue(),)), name, labels={"said": 'a "word" or two', "empty": ""})
    assert bench.engine.image(name).labels == {"said": 'a "word" or two', "empty": ""}
    bench.engine.untag(name)


def test_a_command_tells_its_code_and_output(bench: Bench) -> None:
    volume = bench.name("data")
    bench.engine.create_volume(volume, labels=bench.labels)
    name = bench.running("", {"HostConfig": {"Binds": [f"{volume}:/data"]}})
    bench.engine.write_archive(name, "/data", tar_of("greeting", "hello\n"))
    heard: list[str] = []
    said = bench.engine.execute(name, ["cat", "/data/greeting"], on_line=heard.append)
    assert (said.exit_code, said.text, heard) == (0, "hello\n", ["hello"])
    missing = bench.engine.execute(name, ["cat", "/data/nothing"])
    assert missing.exit_code == 1
    assert "No such file" in missing.complaint
    assert bench.engine.execute(name, ["no-such-program"]).exit_code in (126, 127)
    assert names_in(bench.engine.read_archive(name, "/data")) >= {"data/greeting"}
    with pytest.raises(NotFound):
        bench.engine.read_archive(name, "/nowhere")
    with pytest.raises(EngineError) as large:
        bench.engine.read_archive(name, "/data", at_most_bytes=100)
    assert large.value.code == "too-large"


def test_no_command_runs_in_a_stopped_container(bench: Bench) -> None:
    with pytest.raises(Conflict) as stopped:
        bench.engine.execute(bench.create(), ["true"])
    assert stopped.value.code == "not-running"


def test_nobody_converses_with_a_stopped_container(bench: Bench) -> None:
    with pytest.raises(Conflict) as stopped:
        bench.engine.converse(bench.create(), ["cat"])
    assert stopped.value.code == "not-running"


def test_nonsense_is_refused_as_such(bench: Bench) -> None:
    with pytest.raises(EngineError):
        bench.create("", {"HostConfig": {"VolumesFrom": [bench.name("nobody")]}})


def tar_of(name: str, content: str) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        member = tarfile.TarInfo(name)
        member.size = len(content)
        tar.addfile(member, io.BytesIO(content.encode()))
    return packed.getvalue()


def names_in(packed: bytes) -> set[str]:
    with tarfile.open(fileobj=io.BytesIO(packed)) as tar:
        return set(tar.getnames())
