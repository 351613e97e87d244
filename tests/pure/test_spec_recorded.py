"""Specs of containers as real engines told them, against the lines a person checked; a wrong line shows as a diff."""

from __future__ import annotations

import pytest

from runner.facts import Json
from runner.spec import create_body, data_mounts, differences, spec_from, spec_lines
from tests.pure.spec_cases import NAMES, RECORDED, recorded, recorded_spec


@pytest.mark.parametrize("name", NAMES)
def test_a_recorded_container_has_the_spec_that_was_checked(name: str) -> None:
    wanted = (RECORDED / f"{name}.txt").read_text(encoding="utf-8")
    assert "\n".join(spec_lines(recorded_spec(name))) + "\n" == wanted


@pytest.mark.parametrize("name", NAMES)
def test_the_request_made_of_a_recorded_container_pins_nothing_of_its_image(name: str) -> None:
    container, image, engine, names = recorded(name)
    other = image.model_copy(update={"id": "sha256:" + "9" * 64, "config": {}})
    body = create_body(spec_from(container, image, engine, names=names), other, labels={}, restart=True).body
    assert body["Image"] == other.id
    assert "DATA=/data" not in str(body)
    assert "STOPSIGNAL" not in str(body)
    assert not {"WorkingDir", "StopSignal", "Shell"} & body.keys()


def test_a_second_network_is_connected_after_creation() -> None:
    made = create_body(
        recorded_spec("20.10-rich"), recorded("20.10-rich")[1], labels={"refloat.run": "r"}, restart=False
    )
    network: Json = {"rec-front": {"Aliases": ["mon"], "IPAMConfig": {"IPv4Address": "10.214.7.20"}}}
    assert made.body["NetworkingConfig"] == {"EndpointsConfig": network}
    assert made.connects == (("rec-back", {"Aliases": ["store"]}),)
    assert made.body["Labels"] == {"owner": "ops", "refloat.run": "r"}
    assert made.body["ExposedPorts"] == {"9090/tcp": {}, "9091/udp": {}}


def test_composes_note_of_the_image_follows_the_image() -> None:
    _, image, _, _ = recorded("20.10-composed")
    body = create_body(recorded_spec("20.10-composed"), image, labels={}, restart=True, ref="shop/db:2").body
    assert body["Image"] == "shop/db:2"
    assert isinstance(body["Labels"], dict)
    assert body["Labels"]["com.docker.compose.image"] == image.id


def test_a_container_by_id_stays_by_id_where_nobody_knows_its_name() -> None:
    container, image, engine, names = recorded("20.10-sidecar")
    (id_,) = names
    spec = spec_from(container, image, engine)
    assert spec.host_config["NetworkMode"] == f"container:{id_}"
    assert "Hostname" not in spec.config


def test_data_is_what_can_be_written_and_neither_read_only_nor_the_hosts() -> None:
    assert [source.destination for source in data_mounts(recorded("20.10-rich")[0])] == ["/backup", "/data"]
    assert data_mounts(recorded("20.10-sidecar")[0]) == ()
    assert [source.key for source in data_mounts(recorded("20.10-exporter")[0])] == ["d0"]


@pytest.mark.parametrize("name", ["rich", "plain", "exporter"])
def test_the_same_options_give_the_same_spec_on_an_older_and_a_newer_engine(name: str) -> None:
    said = differences(recorded_spec(f"20.10-{name}"), recorded_spec(f"28-{name}"))
    assert [line for line in said if not line.startswith("Binds") or ":/data" not in line] == []


def test_two_recorded_containers_differ_in_words_without_their_secrets() -> None:
    said = "\n".join(differences(recorded_spec("20.10-rich"), recorded_spec("20.10-composed")))
    assert "Env DB_PASSWORD *** is gone" in said
    assert "NetworkMode was rec-front, is rec-back" in said
    assert "s3cret" not in said
    assert "abc123" not in said
