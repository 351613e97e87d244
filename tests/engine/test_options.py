"""Every run option survives the move to another image, and nothing of the old image comes along.

The judge is the engine: the same options typed on the new image must give the same container as our request does.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from runner.engine.parse import texts
from runner.facts import Container, Json
from runner.spec import create_body, differences, restart_policy, spec_from, spec_lines
from tests.engine.option_lab import Lab, open_lab, told

TABLE = Path(__file__).with_name("options.txt").read_text(encoding="utf-8")
OPTIONS = [line.split(" | ", 2) for line in TABLE.splitlines() if line and not line.startswith("#")]


@pytest.fixture(scope="module")
def lab(lab_images: str) -> Iterator[Lab]:
    with open_lab(lab_images) as lab:
        yield lab


@pytest.mark.parametrize("row", OPTIONS, ids=lambda row: row[0].replace(" ", "-"))
def test_the_successor_is_what_the_same_options_give_on_the_new_image(lab: Lab, row: list[str]) -> None:
    old, wanted = lab.create("old", *row[1:]), lab.create("new", *row[1:])
    spec = lab.spec(old, "old")
    successor = lab.recreate(spec, "new")
    assert told(lab.engine.container(successor)) == told(lab.engine.container(wanted))
    assert differences(spec, lab.spec(successor, "new")) == ()
    lab.remove(old, wanted, successor)


def test_several_networks_are_joined_with_their_aliases_and_addresses(lab: Lab) -> None:
    old = lab.create("old", "--network {back} --network-alias first")
    front, address = lab.names["front"], lab.names["address"]
    lab.docker("network", "connect", "--alias", "db", "--alias", "dbx", "--ip", address, front, old)
    lab.docker("network", "connect", "--link", f"{lab.names['other']}:friend", "bridge", old)
    spec = lab.spec(old, "old")
    seen = lab.engine.container(lab.recreate(spec, "new"))
    assert differences(spec, lab.spec(seen.id, "new")) == ()
    settings = {each.network: each.settings for each in seen.endpoints}
    assert settings.keys() == {lab.names["back"], front, "bridge"}
    assert settings[front]["IPAMConfig"] == {"IPv4Address": address}
    assert {*texts(settings[front]["Aliases"])} - {seen.short_id} == {"db", "dbx"}
    assert seen.host_config["NetworkMode"] == lab.names["back"]
    lab.remove(old, seen.id)


def test_a_network_left_since_is_not_joined_again(lab: Lab) -> None:
    old = lab.create("old", "--network {front}")
    lab.docker("network", "connect", lab.names["back"], old)
    lab.docker("network", "disconnect", lab.names["front"], old)
    seen = lab.engine.container(lab.recreate(lab.spec(old, "old"), "new"))
    assert [each.network for each in seen.endpoints] == [lab.names["back"]]
    lab.remove(old, seen.id)


def test_a_network_given_by_id_is_joined_by_name(lab: Lab) -> None:
    old = lab.create("old", "--network {front_id}", "sleep 60")
    lab.docker("network", "connect", lab.names["back"], old)
    lab.engine.start(old)
    spec = lab.spec(old, "old")
    assert spec.host_config["NetworkMode"] == lab.names["front"]
    assert {each.network for each in spec.networks} == {lab.names["front"], lab.names["back"]}
    lab.remove(old)


def volumes_of(container: Container) -> dict[str, str]:
    return {each.destination: each.name for each in container.mounts}


def test_anonymous_volumes_follow_whoever_asked_for_them(lab: Lab) -> None:
    old = lab.create("old-volumes", "--volume /asked --mount type=volume,target=/mounted")
    before = lab.engine.container(old)
    spec = lab.spec(old, "old-volumes")
    plain, declaring = lab.recreate(spec, "new"), lab.recreate(spec, "new-volumes")
    assert volumes_of(before).keys() == {"/asked", "/mounted", "/declared"}
    assert volumes_of(lab.engine.container(plain)) == volumes_of(before)
    assert volumes_of(lab.engine.container(declaring)) == volumes_of(before)
    assert differences(spec, lab.spec(declaring, "new-volumes")) == ()
    lab.remove(plain, declaring, old)


def test_an_anonymous_volume_outlives_a_container_that_removes_itself(lab: Lab) -> None:
    old = lab.create("old-volumes", "--rm --volume /asked")
    spec = lab.spec(old, "old-volumes")
    seen = lab.engine.container(lab.recreate(spec, "new"))
    lab.engine.remove_container(old, force=True, volumes=True)
    assert spec.auto_remove
    assert seen.host_config["AutoRemove"] is False
    assert all(lab.engine.volume(name) for name in volumes_of(seen).values())
    lab.remove(seen.id)
    for name in volumes_of(seen).values():
        lab.engine.remove_volume(name)


def test_a_volume_the_new_image_declares_is_made_and_a_tmpfs_over_one_stays(lab: Lab) -> None:
    old = lab.create("old", "--volume {volume}:/data")
    memory = lab.create("old-volumes", "--tmpfs /declared")
    added = lab.engine.container(lab.recreate(lab.spec(old, "old"), "new-volumes"))
    kept = lab.engine.container(lab.recreate(lab.spec(memory, "old-volumes"), "new-volumes"))
    assert volumes_of(added).keys() == {"/data", "/declared"}
    assert kept.mounts == ()
    assert kept.host_config["Tmpfs"] == {"/declared": ""}
    lab.remove(old, memory, added.id, kept.id)


@pytest.mark.parametrize("mode", ["", ":ro"])
def test_volumes_from_another_container_become_mounts_of_its_own(lab: Lab, mode: str) -> None:
    donor = lab.create("old-volumes", "--volume {volume}:/data --volume /srv:/bound")
    old = lab.create("old", f"--volumes-from {donor}{mode} --volume {{volume}}:/own")
    spec = lab.spec(old, "old")
    seen = lab.engine.container(lab.recreate(spec, "new"))
    before = {(each.destination, each.source, each.rw) for each in lab.engine.container(old).mounts}
    assert {(each.destination, each.source, each.rw) for each in seen.mounts} == before
    assert {each[0] for each in before} == {"/data", "/bound", "/declared", "/own"}
    assert seen.host_config["VolumesFrom"] is None
    lab.remove(seen.id, old, donor)


def test_a_kept_variable_is_set_although_it_equals_the_old_images(lab: Lab) -> None:
    old = lab.engine.container(lab.create("old", "--env SHARED=old --env FOO=1"))
    spec = spec_from(old, lab.image("old"), lab.seen, keep_env=("SHARED",))
    assert set(texts(spec.config["Env"])) == {"SHARED=old", "FOO=1"}
    lab.remove(old.id)


API_ONLY: dict[str, Json] = {
    "mac address": {"MacAddress": "02:42:c0:00:02:63"},
    "shell": {"Shell": ["/bin/ash", "-c"]},
    "entrypoint of nothing keeps the command": {"Entrypoint": []},
    "no init though the daemon may have one": {"HostConfig": {"Init": False}},
    "bind of a destination alone": {"HostConfig": {"Binds": ["/alone"]}},
    "gpu by driver": {"HostConfig": {"DeviceRequests": [{"Driver": "nvidia", "Count": 1, "Capabilities": [["gpu"]]}]}},
}


@pytest.mark.parametrize("body", API_ONLY.values(), ids=API_ONLY.keys())
def test_what_only_the_api_can_set_survives_too(lab: Lab, body: Json) -> None:
    label: Json = {"Labels": {"refloat.test": lab.mark}, "Image": lab.image("old").id}
    old = lab.engine.create_container(f"{lab.mark}-api-{uuid.uuid4().hex[:8]}", body | label)
    spec = lab.spec(old, "old")
    seen = lab.engine.container(lab.recreate(spec, "new"))
    again = lab.spec(seen.id, "new")
    assert differences(spec, again) == ()
    assert {key: again.config[key] for key in body if key in again.config and key != "HostConfig"} == {
        key: value for key, value in body.items() if key != "HostConfig"
    }
    lab.remove(old, seen.id)


def test_until_the_verdict_a_successor_does_not_restart_and_carries_our_labels(lab: Lab) -> None:
    old = lab.create("old", "--restart always")
    spec = lab.spec(old, "old")
    made = create_body(spec, lab.image("new"), labels={"refloat.run": "r1"}, restart=False)
    seen = lab.engine.container(lab.engine.create_container(f"{lab.mark}-successor", made.body))
    assert seen.host_config["RestartPolicy"] == {"Name": "no", "MaximumRetryCount": 0}
    assert seen.labels["refloat.run"] == "r1"
    assert restart_policy(spec) == {"Name": "always", "MaximumRetryCount": 0}
    assert "Labels refloat.run" not in "".join(spec_lines(lab.spec(seen.id, "new")))
    lab.remove(old, seen.id)


def test_a_spec_is_the_same_whatever_the_container_went_through(lab: Lab) -> None:
    typed = (
        "--hostname web --network {front} --network-alias db --ip {address} --publish 9090 --volume /asked --memory 64m"
    )
    old = lab.create("old", typed, "sleep 60")
    lab.docker("network", "connect", "--alias", "store", lab.names["back"], old)
    created = lab.spec(old, "old")
    lab.engine.start(old)
    running = lab.spec(old, "old")
    lab.engine.stop(old, 0)
    lab.engine.rename(old, f"{lab.mark}-kept")
    assert differences(created, running) == ()
    assert differences(created, lab.spec(old, "old")) == ()
    lab.remove(old)
