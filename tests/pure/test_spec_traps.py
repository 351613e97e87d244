"""The traps of inspect, one test each: what looks like a choice and is none, and the other way round."""

from __future__ import annotations

import pytest

from runner.facts import Endpoint, Engine, Json, Mount
from runner.spec import ContainerSpec, NetworkWish, create_body, restart_policy, spec_from
from tests.pure.spec_cases import ENGINE, ID, bind, container, image, volume

V2 = ENGINE.model_copy(update={"cgroup_version": "2"})
NEWER = ENGINE.model_copy(update={"api_version": "1.47"})
NEWEST = ENGINE.model_copy(update={"api_version": "1.51"})
OTHER = "f" * 64


def spec(config: Json | None = None, host: Json | None = None, default: Json | None = None,
         engine: Engine = ENGINE) -> ContainerSpec:  # fmt: skip
    return spec_from(container(config, host), image(default), engine)


def host_part(host: Json, engine: Engine = ENGINE) -> Json:
    return {key: value for key, value in spec(host=host, engine=engine).host_config.items() if key != "NetworkMode"}


@pytest.mark.parametrize(
    ("config", "default", "wanted"),
    [
        ({"Entrypoint": ["a"], "Cmd": ["b"]}, {"Entrypoint": ["a"], "Cmd": ["b"]}, {}),
        ({"Entrypoint": ["a"], "Cmd": ["c"]}, {"Entrypoint": ["a"], "Cmd": ["b"]}, {"Cmd": ["c"]}),
        ({"Entrypoint": ["x"], "Cmd": ["b"]}, {"Entrypoint": ["a"], "Cmd": ["b"]}, {"Entrypoint": ["x"], "Cmd": ["b"]}),
        ({"Entrypoint": ["x"], "Cmd": None}, {"Entrypoint": ["a"], "Cmd": ["b"]}, {"Entrypoint": ["x"]}),
        ({"Entrypoint": ["a"], "Cmd": None}, {"Entrypoint": ["a"], "Cmd": ["b"]}, {"Entrypoint": ["a"]}),
        ({"Entrypoint": None, "Cmd": ["b"]}, {"Entrypoint": ["a"], "Cmd": ["b"]}, {"Entrypoint": [""], "Cmd": ["b"]}),
        ({"Entrypoint": [], "Cmd": ["b"]}, {"Entrypoint": ["a"], "Cmd": ["b"]}, {"Entrypoint": []}),
        ({"Cmd": ["b"], "ArgsEscaped": True}, {"Cmd": ["a"]}, {"Cmd": ["b"], "ArgsEscaped": True}),
    ],
)
def test_entrypoint_and_command_are_decided_as_a_pair(config: Json, default: Json, wanted: Json) -> None:
    assert spec(config, default=default).config == wanted


def test_a_variable_without_a_value_is_kept() -> None:
    assert spec({"Env": ["GONE", "A=1"]}, default={"Env": ["A=1", "GONE=2"]}).config == {"Env": ["GONE"]}


def test_a_disabled_health_check_stays_disabled() -> None:
    default: Json = {"Healthcheck": {"Test": ["CMD", "ok"], "Interval": 5}}
    seen = spec({"Healthcheck": {"Test": ["NONE"], "Interval": 5}}, default=default)
    assert seen.config == {"Healthcheck": {"Test": ["NONE"]}}


@pytest.mark.parametrize("hostname", [ID[:12], ID])
def test_a_generated_host_name_is_not_pinned(hostname: str) -> None:
    assert spec({"Hostname": hostname}).config == {}


def test_a_short_host_name_that_the_id_begins_with_is_the_users() -> None:
    assert spec({"Hostname": ID[:2]}).config == {"Hostname": ID[:2]}


def test_on_the_hosts_network_the_hosts_name_is_not_pinned() -> None:
    assert spec({"Hostname": "machine"}, {"NetworkMode": "host"}).config == {}
    assert spec({"Hostname": "chosen"}, {"NetworkMode": "host"}).config == {"Hostname": "chosen"}


def test_next_to_another_container_nothing_of_the_network_is_asked_for() -> None:
    config: Json = {
        "Hostname": "web",
        "Domainname": "d",
        "MacAddress": "02:42:00:00:00:01",
        "ExposedPorts": {"80/tcp": {}},
    }
    host: Json = {"NetworkMode": f"container:{OTHER}", "Dns": ["192.0.2.1"], "PortBindings": {"80/tcp": []}}
    host |= {"ExtraHosts": ["a:b"], "Links": ["/x:/y/z"], "PidMode": f"container:{OTHER}"}
    seen = spec_from(container(config, host), image(), ENGINE, names={OTHER: "gateway"})
    assert seen.config == {}
    assert seen.host_config == {"NetworkMode": "container:gateway", "PidMode": "container:gateway"}
    assert create_body(seen, image(), labels={}, restart=True).connects == ()


def test_what_the_engine_fills_in_is_left_to_it() -> None:
    filled: Json = {"ShmSize": 67108864, "Runtime": "runc", "IpcMode": "private", "CgroupnsMode": "host"}
    filled |= {"LogConfig": {"Type": "json-file", "Config": {}}, "ConsoleSize": [24, 80], "Isolation": "default"}
    filled |= {"Init": None, "RestartPolicy": {"Name": "", "MaximumRetryCount": 0}, "MemorySwappiness": -1}
    filled |= {"ReadonlyPaths": ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"]}
    assert host_part(filled) == {}


def test_what_differs_from_the_engines_own_is_kept() -> None:
    chosen: Json = {"ShmSize": 1, "Runtime": "runsc", "IpcMode": "shareable", "CgroupnsMode": "private", "Init": False}
    chosen |= {"MaskedPaths": [], "ReadonlyPaths": [], "LogConfig": {"Type": "local", "Config": {}}, "Tomorrow": "x"}
    chosen |= {"MemorySwappiness": 0, "PidsLimit": 5}
    assert host_part(chosen) == chosen


def test_the_cgroup_namespace_default_follows_the_cgroup_version() -> None:
    assert host_part({"CgroupnsMode": "private"}, V2) == {}
    assert host_part({"CgroupnsMode": "host"}, V2) == {"CgroupnsMode": "host"}
    assert host_part({"CgroupnsMode": "host", "Privileged": True}, V2) == {"Privileged": True}
    assert host_part({"MemorySwappiness": 0}, V2) == {}


def test_masked_paths_of_a_newer_engine_are_its_own_and_a_list_of_ones_own_is_kept() -> None:
    own = ["/proc/acpi", "/proc/kcore", "/proc/keys", "/proc/timer_list", "/proc/interrupts"]
    newer = [*own, "/sys/devices/virtual/powercap", "/sys/devices/system/cpu/cpu1/thermal_throttle"]
    assert host_part({"MaskedPaths": [*newer]}) == {}
    assert host_part({"MaskedPaths": [*own, "/proc/mine"]}) != {}
    assert host_part({"MaskedPaths": ["/proc/kcore"]}) != {}


def test_swap_that_the_engine_derived_is_left_to_it() -> None:
    assert host_part({"Memory": 5, "MemorySwap": 10}) == {"Memory": 5}
    assert host_part({"Memory": 5, "MemorySwap": 7}) == {"Memory": 5, "MemorySwap": 7}


def test_cpus_exclude_what_podman_derives_from_them() -> None:
    assert host_part({"NanoCpus": 5, "CpuQuota": 1, "CpuPeriod": 2}) == {"NanoCpus": 5}


def test_labels_turned_off_by_another_option_are_not_asked_for() -> None:
    assert host_part({"SecurityOpt": ["label=disable"], "Privileged": True}) == {"Privileged": True}
    assert host_part({"SecurityOpt": ["label=disable"]}) == {"SecurityOpt": ["label=disable"]}


def test_devices_get_their_permissions_spelled_out() -> None:
    asked: Json = {"PathOnHost": "/dev/a", "PathInContainer": "/dev/a", "CgroupPermissions": ""}
    assert host_part({"Devices": [asked]}) == {"Devices": [asked | {"CgroupPermissions": "rwm"}]}


def test_links_are_asked_for_in_their_own_form() -> None:
    assert host_part({"Links": ["/db:/app/store", "plain:x"]}) == {"Links": ["db:store", "plain:x"]}


def test_the_short_id_is_no_alias_but_a_name_that_looks_like_one_is() -> None:
    joined = Endpoint(network="n", network_id="1" * 64, settings={"Aliases": ["a1", ID[:12], "db"], "IPAddress": "x"})
    seen = container({}, {"NetworkMode": "n"}).model_copy(update={"endpoints": (joined,)})
    assert spec_from(seen, image(), ENGINE).networks == (NetworkWish(network="n", settings={"Aliases": ["a1", "db"]}),)


@pytest.mark.parametrize(
    ("engine", "config", "mac", "kept"),
    [
        (ENGINE, {}, "00:11:22:33:44:55", False),
        (NEWER, {}, "02:42:ac:11:00:02", False),
        (NEWER, {}, "72:42:ac:11:00:02", True),
        (NEWER, {"MacAddress": "02:42:AC:11:00:02"}, "02:42:ac:11:00:02", True),
        (NEWEST, {}, "72:42:ac:11:00:02", False),
        (NEWEST, {}, "00:11:22:33:44:55", True),
        (NEWEST, {}, "", False),
    ],
)
def test_a_mac_address_is_kept_where_the_engine_cannot_have_made_it_up(
    engine: Engine, config: Json, mac: str, kept: bool
) -> None:
    joined = Endpoint(network="bridge", network_id="1" * 64, settings={"MacAddress": mac})
    seen = container(config).model_copy(update={"endpoints": (joined,)})
    settings = spec_from(seen, image(), engine).networks[0].settings
    assert settings == ({"MacAddress": mac} if kept else {})


def test_every_kind_of_mount_without_a_name_gets_one() -> None:
    host: Json = {"Binds": ["/single", "v:/named"], "VolumesFrom": ["other"]}
    host |= {"Mounts": [{"Type": "volume", "Target": "/asked/"}, {"Type": "tmpfs", "Target": "/t"}]}
    mounts: tuple[Mount, ...] = (
        volume("a", "/single"),
        volume("v", "/named"),
        volume("b", "/asked"),
        volume("c", "/declared"),
    )
    mounts += (bind("/srv", "/from", rw=False), bind("/x", "/y").model_copy(update={"propagation": "rshared"}))
    seen = spec_from(container({"Volumes": {"/declared": {}}}, host, mounts), image(), ENGINE)
    assert seen.host_config["Binds"] == ["v:/named", "a:/single", "c:/declared", "/srv:/from:ro", "/x:/y:rshared"]
    assert seen.host_config["Mounts"] == [
        {"Type": "volume", "Target": "/asked/", "Source": "b"},
        {"Type": "tmpfs", "Target": "/t"},
    ]
    assert "VolumesFrom" not in seen.host_config
    assert "Volumes" not in seen.config


def test_a_container_that_removes_itself_is_made_to_stay() -> None:
    seen = spec(host={"AutoRemove": True})
    host = create_body(seen, image(), labels={}, restart=True).body["HostConfig"]
    assert seen.auto_remove
    assert host == {
        "AutoRemove": False,
        "NetworkMode": "bridge",
        "RestartPolicy": {"Name": "no", "MaximumRetryCount": 0},
    }


def test_the_restart_policy_waits_for_the_verdict() -> None:
    policy: Json = {"Name": "on-failure", "MaximumRetryCount": 3}
    seen = spec(host={"RestartPolicy": policy})
    body = create_body(seen, image(), labels={}, restart=False).body
    assert restart_policy(seen) == policy
    assert isinstance(body["HostConfig"], dict)
    assert body["HostConfig"]["RestartPolicy"] == {"Name": "no", "MaximumRetryCount": 0}


def test_a_spec_goes_through_json_unchanged() -> None:
    seen = spec({"Env": ["A=1"], "StopTimeout": 0}, {"Memory": 5})
    assert ContainerSpec.model_validate_json(seen.model_dump_json()) == seen
