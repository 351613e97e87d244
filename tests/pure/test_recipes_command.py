"""`refloat recipes`: what it prints, and the exit status that scripts depend on."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from runner.cli.recipes import recipes_app
from runner.errors import UsageError


def run(*words: str) -> Result:
    return CliRunner().invoke(recipes_app, list(words))


def test_a_path_is_printed_as_json_with_the_start_left_out() -> None:
    result = run("path", "omflow", "1.1.6.1", "1.2.0.3", "--releases", "1.2.0.0,1.2.0.3", "--json")
    assert result.exit_code == 0
    assert json.loads(result.stdout) == {"hops": ["1.2.0.0", "1.2.0.3"]}


def test_a_refusal_exits_with_three_and_says_rule_reason_source_and_what_is_near() -> None:
    result = run("path", "postgres", "15.2", "17.1", "--releases", "15.14,17.1", "--json")
    assert result.exit_code == 3
    refused = json.loads(result.stdout)["refused"]
    assert refused["rule"] == "same-major-only"
    assert "pg_upgrade" in refused["why"]
    assert refused["source"].startswith("https://")
    assert refused["reachable"] == ["15.14"]


def test_a_refusal_reads_well_without_json() -> None:
    result = run("path", "postgres", "15.2", "17.1")
    assert result.exit_code == 3
    assert "There is no path from 15.2 to 17.1." in result.stdout
    assert "Nearest reachable: none" in result.stdout


def test_warnings_do_not_disturb_the_answer() -> None:
    result = run("path", "prometheus", "2.53.3", "3.5.3")
    assert result.stdout.strip() == "2.53.3 → 3.5.3"
    assert "advice" in result.stderr


@pytest.mark.parametrize(
    "text", ["1.2.0.0\n# a comment\n1.2.0.3  # bug fix\n", '["1.2.0.0", "1.2.0.3"]', "\ufeff1.2.0.0\r\n1.2.0.3\r\n"]
)
def test_releases_may_stand_in_a_file(tmp_path: Path, text: str) -> None:
    (tmp_path / "releases").write_text(text)
    result = run("path", "omflow", "1.1.6.1", "1.2.0.3", "--releases", str(tmp_path / "releases"))
    assert result.stdout.strip() == "1.1.6.1 → 1.2.0.0 → 1.2.0.3"


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("path", "omflow", "1.2", "1.2.0.3"), "version-unparsable"),
        (("path", "omflow", "1.2.0.0", "latest"), "version-unparsable"),
        (("path", "omflow", "1.2.0.0", "1.2.0.3", "--releases", "1.2.0.0,nonsense"), "version-unparsable"),
        (("path", "omflo", "1.2.0.0", "1.2.0.3"), "recipe-unknown"),
        (("path", "omflow", "1.2.0.0", "1.2.0.3", "--releases", "missing.txt"), "releases-unreadable"),
        (("path", "omflow", "1.2.0.0", "1.2.0.3", "--releases", "/"), "releases-unreadable"),
        (("new", "our-thing", "-o", "/no/such/folder/our.yaml"), "not-writable"),
        (("show", "nothing.yaml"), "recipe-unreadable"),
        (("check", "nothing.yaml"), "recipe-unreadable"),
        (("explain", "stop_timeout"), "recipe-key-unknown"),
        (("new", "Not A Name"), "recipe-name"),
    ],
)
def test_what_cannot_be_understood_is_a_usage_error(words: tuple[str, ...], code: str) -> None:
    result = run(*words)
    assert isinstance(result.exception, UsageError)
    assert result.exception.code == code
    assert result.exception.then or result.exception.stands


def test_a_damaged_list_of_releases_is_a_usage_error(tmp_path: Path) -> None:
    (tmp_path / "releases").write_text("[1.2")
    result = run("path", "omflow", "1.1.6.1", "1.2.0.3", "--releases", str(tmp_path / "releases"))
    assert isinstance(result.exception, UsageError)


def test_the_list_names_every_product_in_both_forms() -> None:
    rows = json.loads(run("list", "--json").stdout)
    assert {"name": "checkmk", "title": "Checkmk"}.items() <= next(
        row for row in rows if row["name"] == "checkmk"
    ).items()
    shown = run("list").stdout
    assert all(row["name"] in shown for row in rows)


def test_show_prints_the_facts_and_their_sources() -> None:
    assert "source: https://" in run("show", "redis").stdout
    assert json.loads(run("show", "redis", "--json").stdout)["requires_clean_stop"] is True


def test_the_schema_is_a_json_schema() -> None:
    schema = json.loads(run("schema").stdout)
    assert schema["title"] == "Recipe"
    assert "hops" in schema["required"]


@pytest.mark.parametrize(
    ("key", "said"),
    [
        ("releases", "never complete"),
        ("hops", "required-stops"),
        ("hops.required-stops", "may not be jumped over"),
        ("notes.kind", "notes.kind (incompatible or mandatory or optional; needed)"),
        ("probes.http.status", "probes.http.status (a whole number)"),
        ("ready_log", "ready_log (a list of text)"),
        ("stop_timeout_s", "(a whole number)"),
    ],
)
def test_a_key_is_explained(key: str, said: str) -> None:
    assert said in run("explain", key).stdout


def test_a_new_recipe_reads_without_mistakes_and_is_never_written_over(tmp_path: Path) -> None:
    file = tmp_path / "our-thing.yaml"
    assert run("new", "our-thing", "-o", str(file)).exit_code == 0
    assert "nothing wrong" in run("check", str(file)).stdout
    assert run("path", str(file), "1.0.0", "2.0.0").stdout.strip() == "1.0.0 → 2.0.0"
    assert isinstance(run("new", "our-thing", "-o", str(file)).exception, UsageError)
    assert "our-thing" in run("list", "--json", "--recipe", str(tmp_path)).stdout
