"""What looks secret is never in a plan, and comes back from a container that has it."""

from __future__ import annotations

import json

import pytest

from runner.donors import hide, reveal
from runner.errors import Refused
from runner.facts import Json

BODY: Json = {
    "Env": ["DB_PASSWORD=geheim", "MODE=fast"],
    "Cmd": ["serve", "--push=https://me:geheim@example.test/x"],
    "Entrypoint": ["run"],
    "Labels": {"api.token": "geheim", "tier": "one"},
    "HostConfig": {"LogConfig": {"Type": "splunk", "Config": {"splunk-token": "geheim"}}, "Memory": 5},
}


def test_nothing_secret_is_left_and_all_comes_back() -> None:
    hidden = hide(BODY)
    assert "geheim" not in json.dumps(hidden)
    assert "fast" not in json.dumps(hidden)
    assert hidden["Entrypoint"] == ["run"]
    assert reveal(hidden, (BODY,)) == BODY


@pytest.mark.parametrize("field", ["Env", "Cmd", "Labels", "HostConfig"])
def test_a_secret_nobody_has_any_more_is_named(field: str) -> None:
    donor = {key: value for key, value in BODY.items() if key != field}
    with pytest.raises(Refused) as lost:
        reveal(hide(BODY), (donor,))
    assert lost.value.code == "secret-lost"
    assert "geheim" not in str(lost.value)


def test_the_first_donor_that_has_it_gives_it() -> None:
    hidden = hide({"Env": ["A=1"]})
    assert reveal(hidden, ({"Env": ["B=0"]}, {"Env": ["A=2"]}, {"Env": ["A=3"]}))["Env"] == ["A=2"]
