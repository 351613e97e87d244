"""A spec in words never tells a secret, and says every difference."""

from __future__ import annotations

import pytest

from runner.facts import Json
from runner.spec import ContainerSpec, NetworkWish, differences, image_differences, masked, spec_lines
from runner.spec.secrets import masked_text
from tests.pure.spec_cases import image

SECRET = "hunter2"


def spec(config: Json | None = None, host: Json | None = None, networks: tuple[NetworkWish, ...] = ()) -> ContainerSpec:
    return ContainerSpec(
        name="app", image_id="i", image_ref="r", config=config or {}, host_config=host or {}, networks=networks
    )


@pytest.mark.parametrize(
    "config",
    [
        {"Env": [f"ANYTHING={SECRET}", f"DB_PASSWORD={SECRET}"]},
        {"Cmd": ["--requirepass", SECRET, "--port", "1"]},
        {"Cmd": [f"--db.password={SECRET}"]},
        {"Cmd": ["sh", "-c", f"run --token {SECRET} --x"]},
        {"Cmd": ["sh", "-c", f"API_KEY='{SECRET}' run"]},
        {"Entrypoint": ["run", f"postgres://user:{SECRET}@db/x"]},
        {"Cmd": ["curl", "-H", f"Authorization: Bearer {SECRET}"]},
        {"Labels": {"backup.restic-password": SECRET}},
        {"Labels": {"traefik.basicauth.users": SECRET}},
        {"Labels": {"url": f"https://u:{SECRET}@host/"}},
        {"Healthcheck": {"Test": ["CMD", "ping", "--auth-token", SECRET]}},
        {"Healthcheck": {"Test": ["CMD-SHELL", f"mysqladmin --password={SECRET} ping"]}},
    ],
)
def test_secrets_of_the_configuration_are_hidden(config: Json) -> None:
    assert SECRET not in "".join(spec_lines(spec(config)))
    assert SECRET not in masked(spec(config)).model_dump_json()
    assert SECRET not in "".join(differences(spec(config), spec()))


@pytest.mark.parametrize(
    "host",
    [
        {"LogConfig": {"Type": "splunk", "Config": {"splunk-token": SECRET}}},
        {
            "Mounts": [
                {"Target": "/d", "VolumeOptions": {"DriverConfig": {"Options": {"o": f"user=a,password={SECRET}"}}}}
            ]
        },
        {"Annotations": {"org.example.secret": SECRET}},
    ],
)
def test_secrets_of_the_host_part_are_hidden(host: Json) -> None:
    assert SECRET not in "".join(spec_lines(spec(host=host)))


@pytest.mark.parametrize("piece", ["a", "key", "-", "a-"])
def test_a_line_of_many_thousand_characters_without_a_blank_is_gone_through_once(piece: str) -> None:
    line = piece * 30_000  # going through it again from every character took many minutes
    assert masked_text(f"{line} --token {SECRET}") == f"{line} --token ***"


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        (f"re-key {SECRET}", "re-key ***"),
        (f"x.api-key={SECRET},y=1", "x.api-key=***,y=1"),
        (f"---token '{SECRET} 1' rest", "---token *** rest"),
        (f"A_KEY='{SECRET}'B_KEY={SECRET}", "A_KEY=***B_KEY=***"),
        (f"postgres://app:{SECRET}@{SECRET}@db:5432/x", "postgres://app:***@db:5432/x"),
        (f"https://{SECRET}@git.example/x a@b", "https://***@git.example/x a@b"),
        (f"author={SECRET} authors: {SECRET}", f"author={SECRET} authors: {SECRET}"),
    ],
)
def test_what_follows_a_telling_name_is_hidden_and_the_name_is_not(line: str, shown: str) -> None:
    assert masked_text(line) == shown


def test_what_is_no_secret_stays_readable() -> None:
    text = "run --config.file=/etc/app.yml --web.listen-address=:9090 http://db:5432/x"
    assert masked_text(text) == text
    host: Json = {"Binds": ["/srv/secret:/run/secrets/x:ro"], "CapAdd": ["CAP_NET_RAW"]}
    assert spec_lines(spec(host=host)) == ("Binds /srv/secret:/run/secrets/x:ro", "CapAdd CAP_NET_RAW")


def test_a_secret_that_changed_is_said_to_differ_without_being_said() -> None:
    said = differences(spec({"Env": ["TOKEN=one"]}), spec({"Env": ["TOKEN=two"]}))
    assert said == ("Env TOKEN has another value, not shown here",)


def test_every_difference_has_its_words() -> None:
    front = NetworkWish(network="front", settings={"Aliases": ["db"]})
    before = spec({"User": "0", "Labels": {"a": "1"}}, {"Binds": ["v:/data"], "Memory": 5}, (front,))
    after = spec({"User": "1", "Labels": {"b": "2"}}, {"Binds": ["w:/data"], "Memory": 5})
    assert differences(before, after) == (
        "Labels a 1 is gone",
        "User was 0, is 1",
        "Binds v:/data is gone",
        "Network front is gone",
        'Network front Aliases ["db"] is gone',
        "Labels b 2 is new",
        "Binds w:/data is new",
    )


def test_order_makes_no_difference_where_it_means_nothing() -> None:
    one = spec({"Env": ["A=1", "B=2"]}, {"CapAdd": ["X", "Y"]})
    two = spec({"Env": ["B=2", "A=1"]}, {"CapAdd": ["Y", "X"]})
    assert differences(one, two) == ()


def test_names_and_images_are_not_compared() -> None:
    assert differences(spec(), spec().model_copy(update={"name": "other", "image_id": "x", "image_ref": "y"})) == ()


def test_what_two_images_declare_differently_has_its_words() -> None:
    old: Json = {"User": "nobody", "Cmd": ["run"], "Volumes": {"/data": {}}, "Env": ["PASSWORD=a"], "Labels": {}}
    new: Json = {"Cmd": ["run", "--fast"], "Volumes": {"/db": {}}, "Env": ["PASSWORD=b"], "Labels": {"v": "2"}}
    said = image_differences(image(old), image(new))
    assert "User nobody is gone" in said
    assert any(line.startswith("Cmd was") and "--fast" in line for line in said)
    assert {"Volumes /data is gone", "Volumes /db is new"} <= set(said)
    assert "Env PASSWORD has another value, not shown here" in said
    assert len(said) == 5
