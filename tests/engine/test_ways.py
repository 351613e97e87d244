"""The shapes a container can have and the ways through an upgrade: each comes out as it went in, on another version."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from runner.errors import NotFound
from runner.facts import Json
from tests.engine.upgrade_lab import BUSYBOX, MISBEHAVE, Bench, bench_on
from tests.lab.engines import until


@pytest.fixture
def bench(lab_images: str, tmp_path: Path) -> Iterator[Bench]:
    with bench_on(lab_images, tmp_path / "home") as bench:
        yield bench


@pytest.fixture
def host_folder(bench: Bench) -> Iterator[str]:
    """A folder of the engine's host, whoever that is; made and removed through a container."""
    within = ("run", "--rm", "--volume", "/var/tmp:/host", BUSYBOX)
    bench.docker(*within, "mkdir", f"/host/{bench.name}")
    yield f"/var/tmp/{bench.name}"
    bench.docker(*within, "rm", "-r", f"/host/{bench.name}")


NEVER = {"Name": "no", "MaximumRetryCount": 0}
HOST = ("Binds", "Mounts", "RestartPolicy", "AutoRemove", "PortBindings", "VolumesFrom")
HOST_UNSET: dict[str, object] = dict.fromkeys(HOST)


def shape(bench: Bench) -> dict[str, object]:
    """What the user set and must find again."""
    target = bench.target
    return {
        "host": {key: target.host_config.get(key) or None for key in HOST},
        "mounts": {(mount.destination, mount.name, mount.kind, mount.rw) for mount in target.mounts},
        "networks": {end.network: settings(end.settings, target.short_id) for end in target.endpoints},
    }


def settings(endpoint: Json, short_id: str) -> tuple[object, ...]:
    aliases = endpoint.get("Aliases")
    named = sorted(str(one) for one in aliases if one != short_id) if isinstance(aliases, list) else []
    return endpoint.get("IPAMConfig") or None, named


def test_two_volumes_and_a_bind_mount_come_back_as_they_were(bench: Bench, host_folder: str) -> None:
    second = f"{bench.name}-second"
    mounts = ("--volume", f"{second}:/second", "--volume", f"{host_folder}:/bound")
    bench.target_with_data(f"{MISBEHAVE}:1.0", *mounts)
    bench.exec("sh", "-c", "echo two >/second/f; echo three >/bound/f")
    places = (bench.data, second, host_folder)
    before, seen = [bench.tree(place) for place in places], shape(bench)
    bench.upgraded("--to", "2.0")
    assert [bench.tree(place) for place in places] == before
    assert shape(bench) == seen
    bench.exec("sh", "-c", "echo later >/data/a; echo later >/second/f; echo later >/bound/f; touch /bound/new")
    ran = bench.refloat("rollback", bench.name, "--yes")
    assert ran.status == 0, ran.out + ran.err
    assert [bench.tree(place) for place in places] == before
    assert shape(bench) == seen


def test_an_anonymous_volume_is_the_same_volume_afterwards(bench: Bench) -> None:
    bench.run(f"{MISBEHAVE}:1.0", "--volume", "/data")
    bench.exec("sh", "-c", "echo mine >/data/a")
    (volume,) = {mount.name for mount in bench.target.mounts}
    bench.wait_healthy()
    bench.upgraded("--to", "2.0")
    assert {mount.name for mount in bench.target.mounts} == {volume}
    assert bench.exec("cat", "/data/a") == "mine"


def test_networks_aliases_and_fixed_addresses_are_kept(bench: Bench) -> None:
    front, back = f"{bench.name}-front", f"{bench.name}-back"
    bench.docker("network", "create", front)
    subnet = free_subnet(bench, back)
    fixed = ("--network", back, "--ip", f"{subnet}.77", "--network-alias", "db")
    bench.target_with_data(f"{MISBEHAVE}:1.0", *fixed)
    bench.docker("network", "connect", "--alias", "web", front, bench.name)
    seen = shape(bench)
    bench.upgraded("--to", "2.0")
    assert shape(bench) == seen
    assert {end.network: end.address for end in bench.target.endpoints}[back] == f"{subnet}.77"
    for network, alias in ((back, "db"), (front, "web"), (front, bench.name)):
        ask = ("wget", "-q", "-O", "-", f"http://{alias}:8000/version")
        assert bench.docker("run", "--rm", "--network", network, BUSYBOX, *ask) == "2.0"
    assert bench.apply("--to", "crash").status == 5
    assert shape(bench) == seen


def free_subnet(bench: Bench, name: str) -> str:
    """Make the network on the first subnet that nobody has; gives its first three numbers."""
    for third in range(1, 250):
        line = ("network", "create", "--subnet", f"10.213.{third}.0/24", name)
        if bench.docker(*line, check=False):
            return f"10.213.{third}"
    pytest.fail("no subnet is free")


def test_a_container_that_vanishes_when_it_stops_is_replaced_and_vanishes_later(bench: Bench) -> None:
    bench.target_with_data(f"{MISBEHAVE}:1.0", "--rm")
    before = bench.tree()
    bench.upgraded("--to", "2.0")
    assert bench.tree() == before
    assert bench.target.image_ref == f"{MISBEHAVE}:2.0"


def test_a_container_that_vanishes_is_made_again_where_the_new_version_fails(bench: Bench) -> None:
    bench.target_with_data(f"{MISBEHAVE}:1.0", "--rm", "--env", "TOKEN=17")
    before, seen = bench.tree(), shape(bench)
    ran = bench.apply("--to", "migrates-then-crashes")
    assert ran.status == 5, ran.out + ran.err
    assert (bench.target.image_ref, bench.target.state.running) == (f"{MISBEHAVE}:1.0", True)
    assert bench.tree() == before
    # Nothing is made to vanish by itself: while a verdict is open, it is the way back.
    assert shape(bench) == {**seen, "host": {**HOST_UNSET, "Binds": [f"{bench.data}:/data"], "RestartPolicy": NEVER}}
    assert bench.exec("sh", "-c", "echo $TOKEN") == "17"


@pytest.mark.parametrize("network", ["none", "host"])
def test_a_container_without_a_network_of_its_own_is_upgraded(bench: Bench, network: str) -> None:
    # One port for all on the host's network: the service's own check only sees that somebody serves it.
    bench.target_with_data(f"{MISBEHAVE}:1.0", "--network", network)
    bench.upgraded("--to", "2.0")
    assert bench.target.host_config["NetworkMode"] == network
    assert bench.exec("cat", "/data/a") == "mine"


@pytest.mark.parametrize("policy", ["no", "unless-stopped", "on-failure:5"])
def test_the_restart_policy_is_the_same_afterwards(bench: Bench, policy: str) -> None:
    bench.target_with_data(f"{MISBEHAVE}:1.0", "--restart", policy)
    before = bench.target.host_config["RestartPolicy"]
    bench.upgraded("--to", "2.0")
    assert bench.target.host_config["RestartPolicy"] == before


def test_a_held_upgrade_is_rolled_back_onto_the_very_container(bench: Bench) -> None:
    old = bench.target_with_data(f"{MISBEHAVE}:1.0", "--restart", "always").id
    before = bench.tree()
    assert bench.upgraded("--to", "migrates", "--hold")
    assert bench.tree() != before
    ran = bench.refloat("rollback", bench.name, "--yes")
    assert ran.status == 0, ran.out + ran.err
    assert (bench.target.id, bench.tree()) == (old, before)
    assert bench.left_of_runs() == []


def test_a_committed_upgrade_is_rolled_back_through_its_snapshot(bench: Bench) -> None:
    bench.target_with_data()
    before, seen = bench.tree(), shape(bench)
    bench.upgraded("--to", "migrates", "--hold")
    assert bench.refloat("commit", bench.name).status == 0
    ran = bench.refloat("rollback", bench.name, "--yes")
    assert ran.status == 0, ran.out + ran.err
    assert bench.target.image_ref == f"{MISBEHAVE}:1.0"
    assert (bench.tree(), shape(bench)) == (before, seen)
    again = bench.refloat("commit", bench.name, "--json")
    assert (again.status, again.error) == (3, "nothing-open")


def test_snapshots_can_be_kept_in_a_folder_of_the_host(bench: Bench, host_folder: str) -> None:
    bench.target_with_data()
    before = bench.tree()
    ran = bench.refloat("apply", bench.name, "--to", "migrates", "--vault", host_folder, "--dwell", "1")
    assert ran.status == 0, ran.out + ran.err
    listed = json.loads(bench.refloat("ls", "--snapshots", "--vault", host_folder, "--json").out)
    assert [seen["room"]["target"] for seen in listed] == [bench.name]
    ran = bench.refloat("rollback", bench.name, "--yes")
    assert ran.status == 0, ran.out + ran.err
    assert bench.tree() == before


def test_a_container_without_data_needs_no_snapshot(bench: Bench) -> None:
    bench.run(f"{MISBEHAVE}:1.0")
    bench.wait_healthy()
    bench.upgraded("--to", "2.0")
    assert bench.snapshots(sealed=True) == []
    ran = bench.refloat("rollback", bench.name, "--yes")
    assert ran.status == 0, ran.out + ran.err
    assert bench.target.image_ref == f"{MISBEHAVE}:1.0"


def test_a_commit_leaves_as_many_snapshots_as_were_asked_for_and_prune_the_rest(bench: Bench) -> None:
    bench.target_with_data()
    for version in ("2.0", "1.0"):
        bench.upgraded("--to", version, "--keep", "1")
    assert len(bench.snapshots()) == 1
    assert bench.apply("--to", "crash").status == 5
    assert len(bench.snapshots()) == 1
    assert bench.refloat("rollback", bench.name, "--yes").status == 0
    assert bench.refloat("prune", "--vault", bench.vault, "--yes").status == 0
    told = json.loads(bench.refloat("prune", "--vault", bench.vault, "--yes", "--json").out)
    assert told in ([], {"removed": []}), told
    tags = [left for left in bench.left_of_runs() if not left.startswith("refloat/held:")]
    assert tags == []


def test_a_target_is_found_by_its_id_and_by_its_compose_service(bench: Bench) -> None:
    labels = ("--label", f"com.docker.compose.project={bench.name}", "--label", "com.docker.compose.service=web")
    old = bench.target_with_data(f"{MISBEHAVE}:1.0", *labels)
    line = ("--vault", bench.vault, "--dwell", "1")
    ran = bench.refloat("apply", old.short_id, "--to", "2.0", *line)
    assert ran.status == 0, ran.out + ran.err
    ran = bench.refloat("apply", f"{bench.name}/web", "--to", "1.0", *line)
    assert ran.status == 0, ran.out + ran.err
    assert bench.target.image_ref == f"{MISBEHAVE}:1.0"
    assert bench.target.labels["com.docker.compose.service"] == "web"
    until(lambda: gone(bench, old.id), "the first container removed")


def gone(bench: Bench, container_id: str) -> bool:
    try:
        bench.engine.container(container_id)
    except NotFound:
        return True
    return False


OWN_RECIPE = """
name: ours
title: Our thing
verified: documentation
names: [misbehave]
images: []
scheme: semver
version_from: [{kind: tag}]
data_paths: [/data]
hops: [{rule: any-forward, source: https://example.org/upgrading}]
downgrade: works
backward: {why: Nothing is migrated., source: https://example.org/upgrading}
stop_timeout_s: 77
"""


def test_a_recipe_of_ones_own_counts_on_the_command_line_and_in_the_configuration(bench: Bench, tmp_path: Path) -> None:
    bench.target_with_data()
    (tmp_path / "own").mkdir()
    (tmp_path / "own/ours.yaml").write_text(OWN_RECIPE)
    (tmp_path / "refloat.yaml").write_text("recipes: [own]\n")
    ways = (("--recipe", f"{tmp_path}/own/ours.yaml"), ("--config", f"{tmp_path}/refloat.yaml"))
    for more in ways:
        planned = bench.plan("--to", "2.0", *more)
        assert planned.status == 0, planned.told
        assert "recipe ours" in planned.out
        assert "77 s" in planned.out
    missing = bench.plan("--to", "2.0", "--recipe", f"{tmp_path}/none.yaml", "--json")
    assert (missing.status, missing.error) == (2, "recipe-unreadable")


def test_a_saved_plan_goes_to_the_image_it_was_made_for_though_its_tag_moved_and_only_once(bench: Bench) -> None:
    bench.target_with_data()
    moving = f"{bench.name}/service:next"
    bench.docker("tag", f"{MISBEHAVE}:2.0", moving)
    file = str(bench.home.parent / "plan.json")
    assert bench.plan("--image", moving, "--dwell", "1", "--out", file).status == 0
    bench.docker("tag", f"{MISBEHAVE}:crash", moving)
    ran = bench.refloat("apply", file)
    assert ran.status == 0, ran.out + ran.err
    assert bench.target.image_id == bench.engine.image(f"{MISBEHAVE}:2.0").id
    again = bench.refloat("apply", file, "--json")
    assert (again.status, again.error) == (3, "stale-plan")
