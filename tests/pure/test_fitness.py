"""Which terms follow from image, recipe and the user's wishes, and what a written probe means."""

from __future__ import annotations

import pytest
from pydantic import JsonValue

from runner.errors import UsageError
from runner.facts import Json
from runner.fitness import declared_health, health_terms, probe_from, readings_from
from runner.recipes.loader import recipe_named, recipes
from runner.spec.healthcheck import check_argv
from runner.steps.nouns import CommandProbe, HttpProbe, ImageHealth, LogProbe, Probe, TcpProbe

SECOND = 1_000_000_000


def _image(**health: JsonValue) -> Json:
    return {"Healthcheck": {"Test": ["CMD-SHELL", "curl -f localhost"], **health}}


def test_a_bare_image_only_has_to_stay_up() -> None:
    terms = health_terms({}, {}, None)
    assert (terms.probes, terms.deadline_s, terms.dwell_s) == ((), 120, 5)


def test_a_shell_health_check_is_run_by_the_shell_the_engine_would_take() -> None:
    shelly: Json = {"Healthcheck": {"Test": ["CMD-SHELL", "a && b"]}}
    assert check_argv(shelly) == ("/bin/sh", "-c", "a && b")
    assert check_argv({**shelly, "Shell": ["/bin/bash", "-ec"]}) == ("/bin/bash", "-ec", "a && b")


def test_a_users_health_check_wins_field_by_field() -> None:
    declared = declared_health({"Timeout": 2 * SECOND}, {"Test": ["CMD", "ask"], "Timeout": 9 * SECOND})
    assert declared is not None
    assert declared.probe == ImageHealth(timeout_s=2)


@pytest.mark.parametrize("health", [{"Test": ["NONE"]}, {"Test": []}, {"Test": ["CMD"]}, {}, None])
def test_a_disabled_health_check_is_no_probe(health: JsonValue) -> None:
    assert declared_health(health, None) is None
    assert declared_health(None, health) is None


def test_a_user_who_disabled_the_health_check_is_not_asked_for_it() -> None:
    assert health_terms({"Healthcheck": {"Test": ["NONE"]}}, _image(), None).probes == ()


def test_the_deadline_is_never_shorter_than_what_the_image_asks_for_itself() -> None:
    terms = health_terms({}, _image(StartPeriod=300 * SECOND, Interval=10 * SECOND, Retries=4, Timeout=SECOND), None)
    assert terms.deadline_s == 300 + 4 * 11


def test_what_the_user_wishes_wins() -> None:
    mine = TcpProbe(port=9)
    terms = health_terms({}, _image(StartPeriod=300 * SECOND), recipe_named("prometheus"),
                         probes=(mine,), deadline_s=3, dwell_s=0)  # fmt: skip
    assert (terms.deadline_s, terms.dwell_s, terms.probes[0]) == (3, 0, mine)
    assert terms.unhealthy_s < 3


def test_the_probes_of_a_recipe_are_asked_only_where_the_old_version_answers_them() -> None:
    probes = health_terms({}, {}, recipe_named("prometheus")).probes
    assert probes
    assert all(probe.kind != "image" and probe.if_before for probe in probes)


def test_a_recipes_lines_of_danger_and_migration_are_watched_for() -> None:
    terms = health_terms({}, {}, recipe_named("zabbix"))
    assert any("does not match" in line for line in terms.danger)
    assert terms.migrating
    assert terms.migrated
    assert terms.standstill_s == 3600


def test_every_shipped_recipe_becomes_terms_and_readings() -> None:
    for recipe in recipes():
        assert health_terms({}, {}, recipe).deadline_s > 0
        assert len(readings_from(recipe)) == len(recipe.evidence)


@pytest.mark.parametrize(
    ("text", "probe"),
    [
        ("http:9090/-/ready", HttpProbe(port=9090, path="/-/ready")),
        ("http:80", HttpProbe(port=80, path="/")),
        ("https:443/a?b=c:d", HttpProbe(scheme="https", port=443, path="/a?b=c:d")),
        ("tcp:5432", TcpProbe(port=5432)),
        ("cmd:pg_isready -U 'a b'", CommandProbe(argv=("pg_isready", "-U", "a b"))),
        ("log:ready: .*", LogProbe(pattern="ready: .*")),
    ],
)
def test_a_probe_is_written_in_one_word(text: str, probe: Probe) -> None:
    assert probe_from(text) == probe


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "is not a probe"),
        ("tcp", "is not a probe"),
        ("tcp:", "is not a probe"),
        ("udp:53", "is not a probe"),
        ("cmd: ", "is not a probe"),
        ("tcp:99999", "is not a port"),
        ("tcp:web", "is not a port"),
        ("http:/ready", "is not a port"),
        ("cmd:it's", "No closing quotation"),
        ("log:(", "not a regular expression"),
    ],
)
def test_a_probe_that_cannot_be_understood_says_why_and_what_to_write(text: str, says: str) -> None:
    with pytest.raises(UsageError, match="--probe") as refusal:
        probe_from(text)
    assert refusal.value.code == "bad-probe"
    assert says in refusal.value.what
    assert "tcp:PORT" in refusal.value.then
