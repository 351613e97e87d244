"""The life of a container, the same on the memory engine and on the real one."""

from __future__ import annotations

import pytest

from runner.errors import Conflict, EngineError, NotFound
from runner.facts import Json
from tests.contract.conftest import BUSYBOX, Bench


def test_a_new_container_is_created_and_has_the_images_defaults(bench: Bench) -> None:
    name = bench.name()
    ref = bench.engine.create_container(name, {"Image": BUSYBOX, "Env": ["A=1"], "Labels": {**bench.labels}})
    seen = bench.engine.container(name)
    assert (seen.id, seen.name, seen.image_ref) == (ref, name, BUSYBOX)
    assert (seen.state.status, seen.state.ever_started, seen.state.started_at) == ("created", False, "")
    assert seen.image_id == bench.engine.image(BUSYBOX).id
    assert seen.config["Env"] == [
        "A=1", "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "BUSYBOX_IMAGE=1",
    ]  # fmt: skip
    assert seen.config["Cmd"] == ["sh"]
    assert seen.labels["org.opencontainers.image.version"] == "1"
    assert seen.config["Hostname"] == seen.short_id


def test_what_the_daemon_fills_in_is_the_same(bench: Bench) -> None:
    host = bench.engine.container(bench.create("", {"HostConfig": {}})).host_config
    assert (host["NetworkMode"], host["ShmSize"], host["Runtime"], host["IpcMode"]) == (
        "default", 67108864, "runc", "private",
    )  # fmt: skip
    assert host["MaskedPaths"]
    empty = ("CapAdd", "Dns", "Devices", "GroupAdd", "Memory", "PidMode", "Privileged", "SecurityOpt", "Ulimits")
    assert {key: host[key] or None for key in empty} == dict.fromkeys(empty)


def test_an_own_entrypoint_drops_the_images_command(bench: Bench) -> None:
    body: Json = {"Image": BUSYBOX, "Entrypoint": ["cat"], "Labels": {**bench.labels}}
    bench.engine.create_container(bench.name(), body)
    config = bench.engine.container(bench.name()).config
    assert (config["Entrypoint"], config["Cmd"]) == (["cat"], None)


def test_a_name_is_given_once(bench: Bench) -> None:
    name = bench.create()
    with pytest.raises(Conflict) as taken:
        bench.create()
    assert taken.value.code == "name-taken"
    assert bench.engine.container(name).state.status == "created"


def test_an_unknown_image_is_told_from_an_unknown_container(bench: Bench) -> None:
    with pytest.raises(NotFound) as no_image:
        bench.create("", {"Image": "refloat-lab/nothing:0"})
    with pytest.raises(NotFound) as no_container:
        bench.engine.container(bench.name())
    assert (no_image.value.code, no_container.value.code) == ("no-such-image", "not-found")


@pytest.mark.parametrize("wish", ["start", "kill", "pause", "unpause", "remove_container", "logs", "changes"])
def test_nothing_can_be_wished_of_a_container_that_is_not_there(bench: Bench, wish: str) -> None:
    with pytest.raises(NotFound):
        getattr(bench.engine, wish)(bench.name())


def test_starting_and_stopping_twice_is_no_error(bench: Bench) -> None:
    name = bench.running()
    bench.engine.start(name)
    state = bench.engine.container(name).state
    assert state.running
    assert state.ever_started
    bench.engine.stop(name, 10)
    bench.engine.stop(name, 10)
    bench.engine.kill(name)
    ended = bench.engine.container(name).state
    assert (ended.status, ended.exit_code, ended.ever_started) == ("exited", 0, True)
    assert ended.finished_at != ""


def test_a_start_after_a_stop_is_another_process(bench: Bench) -> None:
    name = bench.running()
    first = bench.engine.container(name).state.started_at
    bench.engine.stop(name, 10)
    bench.engine.start(name)
    assert bench.engine.container(name).state.started_at > first


def test_a_program_deaf_to_its_signal_ends_with_137(bench: Bench) -> None:
    name = bench.create_image("ignores-term")
    bench.engine.start(name)
    bench.engine.stop(name, 1)
    assert bench.engine.container(name).state.exit_code == 137


def test_a_program_that_crashes_leaves_its_code_and_its_words(bench: Bench) -> None:
    name = bench.create_image("crash")
    bench.engine.start(name)
    assert bench.engine.wait(name, 30) == 3
    seen = bench.until(name, lambda each: each.state.status == "exited")
    assert seen.state.exit_code == 3
    assert bench.engine.logs(name, tail=1) != ""


def test_a_crash_loop_shows_in_the_restart_count(bench: Bench) -> None:
    name = bench.create_image("crash", host={"RestartPolicy": {"Name": "always", "MaximumRetryCount": 0}})
    bench.engine.start(name)
    bench.until(name, lambda each: each.state.restart_count >= 2)
    bench.engine.set_restart_policy(name, {"Name": "no", "MaximumRetryCount": 0})
    bench.engine.stop(name, 1)
    bench.until(name, lambda each: not each.state.alive)


def test_an_entrypoint_that_cannot_run_leaves_the_container_created(bench: Bench) -> None:
    name = bench.create_image("no-entrypoint")
    with pytest.raises(EngineError) as refused:
        bench.engine.start(name)
    assert refused.value.code == "cannot-start"
    state = bench.engine.container(name).state
    assert (state.status, state.exit_code) == ("created", 127)
    assert state.error != ""


def test_a_rename_frees_the_old_name(bench: Bench) -> None:
    name = bench.create()
    bench.engine.rename(name, bench.name("kept"))
    assert bench.create() == name
    with pytest.raises(Conflict) as taken:
        bench.engine.rename(bench.name("kept"), name)
    assert taken.value.code == "name-taken"
    with pytest.raises(EngineError) as same:
        bench.engine.rename(name, name)
    assert same.value.code == "bad-request"


def test_a_running_container_is_only_removed_by_force(bench: Bench) -> None:
    name = bench.running()
    with pytest.raises(Conflict) as running:
        bench.engine.remove_container(name)
    assert running.value.code == "conflict"
    bench.engine.remove_container(name, force=True)
    with pytest.raises(NotFound):
        bench.engine.container(name)


def test_pausing_and_thawing_twice_is_no_error(bench: Bench) -> None:
    name = bench.running()
    bench.engine.pause(name)
    bench.engine.pause(name)
    assert bench.engine.container(name).state.status == "paused"
    with pytest.raises(Conflict):
        bench.engine.execute(name, ["true"])
    bench.engine.unpause(name)
    bench.engine.unpause(name)
    assert bench.engine.container(name).state.running


def test_a_stopped_container_can_not_be_paused(bench: Bench) -> None:
    with pytest.raises(Conflict) as stopped:
        bench.engine.pause(bench.create())
    assert stopped.value.code == "not-running"


def test_waiting_gives_up_at_its_deadline(bench: Bench) -> None:
    assert bench.engine.wait(bench.running(), 0.5) is None


def test_the_restart_policy_is_as_set(bench: Bench) -> None:
    name = bench.running("", {"HostConfig": {"RestartPolicy": {"Name": "always", "MaximumRetryCount": 0}}})
    bench.engine.set_restart_policy(name, {"Name": "no", "MaximumRetryCount": 0})
    host = bench.engine.container(name).host_config
    assert host["RestartPolicy"] == {"Name": "no", "MaximumRetryCount": 0}


def test_a_container_is_found_by_the_beginning_of_its_id(bench: Bench) -> None:
    name = bench.create()
    ref = bench.engine.container(name).id
    assert bench.engine.container(ref[:12]).name == name
    assert bench.engine.container(ref).name == name


def test_an_empty_name_is_no_container(bench: Bench) -> None:
    with pytest.raises(NotFound):
        bench.engine.container("")


def test_containers_are_found_by_label_with_or_without_value(bench: Bench) -> None:
    name = bench.create()
    assert [each.name for each in bench.engine.containers({"refloat.contract": bench.own})] == [name]
    assert name in [each.name for each in bench.engine.containers({"refloat.contract": ""})]
    assert bench.engine.containers({"refloat.contract": "somebody else"}) == ()


def test_health_comes_from_the_containers_own_check(bench: Bench) -> None:
    check: Json = {"Test": ["CMD", "true"], "Interval": 1_000_000_000}
    name = bench.running("", {"Healthcheck": check})
    assert bench.until(name, lambda each: bool(each.state.health and each.state.health.status == "healthy"))


def test_without_a_check_there_is_no_health(bench: Bench) -> None:
    assert bench.engine.container(bench.running()).state.health is None


def test_a_container_that_removes_itself_takes_its_anonymous_volumes_along(bench: Bench) -> None:
    name = bench.running("", {"HostConfig": {"AutoRemove": True}, "Volumes": {"/data": {}}})
    volume = bench.engine.container(name).mounts[0].name
    assert bench.engine.volume(volume).name == volume
    bench.engine.stop(name, 10)
    bench.until_gone(lambda: bench.engine.container(name))
    bench.until_gone(lambda: bench.engine.volume(volume))


def test_a_container_that_removes_itself_has_no_restart_policy(bench: Bench) -> None:
    policy: Json = {"AutoRemove": True, "RestartPolicy": {"Name": "always", "MaximumRetryCount": 0}}
    with pytest.raises(EngineError) as nonsense:
        bench.create("", {"HostConfig": policy})
    assert nonsense.value.code == "bad-request"
    name = bench.create("", {"HostConfig": {"AutoRemove": True}})
    with pytest.raises(Conflict):
        bench.engine.set_restart_policy(name, {"Name": "always", "MaximumRetryCount": 0})


def test_what_a_running_container_used_can_be_read(bench: Bench) -> None:
    name = bench.running()
    bench.until(name, lambda _: (used := bench.engine.usage(name)) is not None and used.cpu_s > 0)
    used = bench.engine.usage(name)
    assert used
    assert used.peak_bytes is None or used.peak_bytes > 0
    bench.engine.stop(name, 10)
    assert bench.engine.usage(name) is None
    with pytest.raises(NotFound):
        bench.engine.usage(bench.name("nobody"))
