"""What looks secret is never in a plan, and comes back from a container that has it."""

from __future__ import annotations

import json

import pytest

from runner.donors import hide, reveal
from runner.errors import Refused
from runner.facts import Json
from runner.fitness import health_terms

BODY: Json = {
    "Env": ["DB_PASSWORD=geheim", "MODE=fast"],
    "Cmd": ["serve", "--push=https://me:geheim@example.test/x"],
    "Entrypoint": ["run"],
    "Labels": {"api.token": "geheim", "tier": "one"},
    "Healthcheck": {"Test": ["CMD-SHELL", "redis-cli -a geheim ping"], "Retries": 2},
    "HostConfig": {
        "LogConfig": {"Type": "gelf", "Config": {"gelf-address": "udp://log:geheim", "max-size": "10m"}},
        "Memory": 5,
    },
}


def test_nothing_secret_is_left_and_all_comes_back() -> None:
    hidden = hide(BODY)
    assert "geheim" not in json.dumps(hidden)
    assert "fast" not in json.dumps(hidden)
    assert hidden["Entrypoint"] == ["run"]
    assert "10m" in json.dumps(hidden)
    assert reveal(hidden, (BODY,)) == BODY


@pytest.mark.parametrize("field", ["Env", "Cmd", "Labels", "Healthcheck", "HostConfig"])
def test_a_secret_nobody_has_any_more_is_named(field: str) -> None:
    donor = {key: value for key, value in BODY.items() if key != field}
    with pytest.raises(Refused) as lost:
        reveal(hide(BODY), (donor,))
    assert lost.value.code == "secret-lost"
    assert "geheim" not in str(lost.value)


def test_of_a_health_check_only_the_command_is_taken_from_a_donor() -> None:
    hidden = hide({"Healthcheck": {"Test": ["CMD", "ask"], "Retries": 2}})
    donor: Json = {"Healthcheck": {"Test": ["CMD", "ask"], "Retries": 2, "Interval": 5}}
    assert reveal(hidden, (donor,))["Healthcheck"] == {"Test": ["CMD", "ask"], "Retries": 2}
    only_retries = hide({"Healthcheck": {"Retries": 2}})
    assert reveal(only_retries, ())["Healthcheck"] == {"Retries": 2}


def test_the_first_donor_that_has_it_gives_it() -> None:
    hidden = hide({"Env": ["A=1"]})
    assert reveal(hidden, ({"Env": ["B=0"]}, {"Env": ["A=2"]}, {"Env": ["A=3"]}))["Env"] == ["A=2"]


def test_a_plan_holds_no_word_of_a_users_health_check() -> None:
    config: Json = {"Healthcheck": {"Test": ["CMD-SHELL", "redis-cli -a geheim ping"]}}
    terms = health_terms(config, {}, None)
    assert [probe.kind for probe in terms.probes] == ["image"]
    assert "geheim" not in terms.model_dump_json()
