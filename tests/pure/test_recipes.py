"""Recipes: what is wrong in one is said with file, line and key; what is right says what the runner needs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import BaseModel

from runner.errors import UsageError
from runner.facts import Image
from runner.recipes.due import coupled_at, gates_between, notes_between, packages_between
from runner.recipes.loader import recipe_for_image, recipe_from_file, recipe_named, recipes, recipes_with
from runner.recipes.model import Recipe
from runner.recipes.reading import recipe_from_yaml
from runner.recipes.tags import read_tag, release_in_tag, tag_for
from runner.versions import release_from
from runner.way import side

ROOT = Path(__file__).parents[2]
GOOD = """\
name: thing
title: Thing
verified: documentation
scheme: semver
data_paths: [/data]
hops:
  - rule: any-forward
    source: https://example.org/upgrading
downgrade: never
backward:
  why: Migrated at start.
  source: https://example.org/upgrading
probes:
  - {kind: tcp, port: 80}
"""


def without_page(stated: BaseModel, path: str = "") -> Iterator[str]:
    """Where something that has to name the vendor's page does not."""
    if "source" in type(stated).model_fields and not re.match(
        r"https://[^/]+\.[a-z]+(/|$)", str(getattr(stated, "source", ""))
    ):
        yield path
    for key in type(stated).model_fields:
        value = getattr(stated, key)
        for number, one in enumerate(value if isinstance(value, tuple) else (value,)):
            if isinstance(one, BaseModel):
                yield from without_page(one, f"{path}.{key}[{number}]")


@pytest.mark.parametrize("recipe", recipes(), ids=lambda recipe: recipe.name)
def test_everything_a_shipped_recipe_rules_on_names_the_vendors_page(recipe: Recipe) -> None:
    assert list(without_page(recipe)) == []
    assert recipe.version_from
    assert recipe.images


def test_a_rule_whose_page_is_missing_or_of_another_kind_is_found() -> None:
    with pytest.raises(UsageError, match="source: this key is missing"):
        recipe_from_yaml(GOOD.replace("    source: https://example.org/upgrading\n", "", 1), "thing.yaml")
    for page in ("their-manual.txt", "http://example.org/upgrading"):
        recipe = recipe_from_yaml(GOOD.replace("https://example.org/upgrading", page, 1), "thing.yaml")
        assert list(without_page(recipe)) == [".hops[0]"]


def test_no_two_recipes_claim_one_image() -> None:
    claims = [image.repository for recipe in recipes() for image in recipe.images]
    claims += [f"last component {name}" for recipe in recipes() for name in recipe.names]
    assert sorted(claims) == sorted(set(claims))


@pytest.mark.parametrize(
    ("repository", "name"),
    [
        ("prom/prometheus", "prometheus"),
        ("quay.io/prometheus/prometheus:v3.5.3", "prometheus"),
        ("refloat-lab/prometheus", "prometheus"),
        ("docker.io/library/redis:7", "redis"),
        ("localhost:5000/mirror/postgres@sha256:" + "0" * 64, "postgres"),
        ("zabbix/zabbix-server-pgsql", "zabbix"),
        ("zabbix/zabbix-proxy-sqlite3", "zabbix-proxy"),
        ("docker.elastic.co/elasticsearch/elasticsearch", "elasticsearch"),
        ("mongo", "mongodb"),
    ],
)
def test_an_image_finds_its_recipe_whatever_the_registry(repository: str, name: str) -> None:
    recipe = recipe_for_image(repository)
    assert recipe is not None
    assert recipe.name == name


def test_a_recipe_is_found_by_everything_it_claims() -> None:
    claims = [(recipe.name, image.repository) for recipe in recipes() for image in recipe.images]
    claims += [(recipe.name, f"registry.example.org/team/{name}") for recipe in recipes() for name in recipe.names]
    found = [(each.name if (each := recipe_for_image(claim)) else "", claim) for _, claim in claims]
    assert found == claims


@pytest.mark.parametrize("repository", ["busybox", "app", "example.org/team/prometheus-config", "myprometheus"])
def test_an_unknown_image_has_no_recipe(repository: str) -> None:
    assert recipe_for_image(repository) is None


@pytest.mark.parametrize(
    ("wrong", "right", "said"),
    [
        (
            "data_pathes: [/data]",
            "data_paths: [/data]",
            "thing.yaml:5: data_pathes: there is no such key; did you mean `data_paths`?",
        ),
        ("  - rule: any-foward", "  - rule: any-forward", "thing.yaml:7: hops[0]: `any-foward` is none of"),
        (
            "{kind: tcp, prt: 80}",
            "{kind: tcp, port: 80}",
            "thing.yaml:14: probes[0].prt: there is no such key; did you mean `port`?",
        ),
        (
            "{kind: tcp, port: 80000}",
            "{kind: tcp, port: 80}",
            "thing.yaml:14: probes[0].port: Input should be less than",
        ),
        ("ready_log: ['(']\nscheme: semver", "scheme: semver", "thing.yaml:4: ready_log[0]: not a regular expression"),
        ("scheme: semvar", "scheme: semver", "thing.yaml:4: scheme: Input should be 'semver'"),
        (
            "releases: [1.0.0, 2.x]\nscheme: semver",
            "scheme: semver",
            "thing.yaml:4: releases[1]: '2.x' is not a version",
        ),
        ("title: Thing\ntitle: Other", "title: Thing", "thing.yaml:3: title: this key stands here twice"),
        ("downgrade: barriers", "downgrade: never", "thing.yaml:10: backward: `barriers` belong to"),
        ("scheme: [semver", "scheme: semver", "this is not YAML"),
    ],
)
def test_a_mistake_is_said_with_file_line_path_and_nearest_key(wrong: str, right: str, said: str) -> None:
    assert right in GOOD
    with pytest.raises(UsageError) as caught:
        recipe_from_yaml(GOOD.replace(right, wrong), "thing.yaml")
    assert caught.value.code == "recipe-invalid"
    assert said in caught.value.what


def test_all_mistakes_are_said_at_once() -> None:
    text = GOOD.replace("title:", "titel:").replace("port: 80", "port: 0")
    with pytest.raises(UsageError) as caught:
        recipe_from_yaml(text, "thing.yaml")
    assert "did you mean `title`?" in caught.value.what
    assert "probes[0].port" in caught.value.what
    assert "thing.yaml:1: title: this key is missing" in caught.value.what


@pytest.mark.parametrize("text", ["", "[]", "just words", "- 1\n- 2"])
def test_a_text_that_is_no_mapping_is_no_recipe(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        recipe_from_yaml(text, "thing.yaml")
    assert "a recipe is a mapping" in caught.value.what


def test_versions_keep_their_trailing_zero() -> None:
    recipe = recipe_from_yaml(GOOD.replace("scheme: semver", "scheme: two-part\nreleases: [2.10, 2.9]"), "thing.yaml")
    assert recipe.releases == ("2.10", "2.9")


def test_a_users_recipe_extends_a_shipped_one(tmp_path: Path) -> None:
    own = tmp_path / "ours.yaml"
    own.write_text("extends: redis\nname: our-redis\nnames: [our-redis]\nimages: []\nstop_timeout_s: 7\n")
    recipe = recipe_from_file(own)
    assert (recipe.name, recipe.stop_timeout_s) == ("our-redis", 7)
    assert recipe.danger_log == recipe_named("redis").danger_log


def test_a_users_recipe_stands_for_the_shipped_one_of_its_name(tmp_path: Path) -> None:
    (tmp_path / "redis.yaml").write_text("extends: redis\nname: redis\nstop_timeout_s: 7\n")
    known = recipes_with((tmp_path,))
    mine = recipe_for_image("redis", known)
    assert len(known) == len(recipes())
    assert mine is not None
    assert mine.stop_timeout_s == 7


@pytest.mark.parametrize("text", ["extends: radis\nname: x\n", "extends: redis\nname: x\nstop_timout_s: 3\n"])
def test_a_wrong_extension_is_an_error_that_says_what_was_meant(tmp_path: Path, text: str) -> None:
    (tmp_path / "own.yaml").write_text(text)
    with pytest.raises(UsageError) as caught:
        recipe_from_file(tmp_path / "own.yaml")
    assert "redis" in str(caught.value) or "own.yaml:3: stop_timout_s" in caught.value.what


def test_a_recipe_file_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        recipe_from_file(tmp_path / "missing.yaml")
    assert caught.value.code == "recipe-unreadable"


@pytest.mark.parametrize(
    ("name", "repository", "version", "tag"),
    [
        ("prometheus", "prom/prometheus", "3.5.3", "v3.5.3"),
        ("prometheus", "prom/prometheus", "v3.5.3", "v3.5.3"),
        ("prometheus", "refloat-lab/prometheus", "3.5.3", "3.5.3"),
        ("zabbix", "zabbix/zabbix-server-pgsql", "7.0.5", "alpine-7.0.5"),
        ("gitlab", "gitlab/gitlab-ce", "17.5.2", "17.5.2-ce.0"),
    ],
)
def test_a_version_becomes_a_tag_and_a_tag_a_version(name: str, repository: str, version: str, tag: str) -> None:
    recipe = recipe_named(name)
    assert tag_for(recipe, repository, version) == tag
    back = release_in_tag(recipe, repository, tag)
    assert back is not None
    assert back.rank == release_from(version, recipe.scheme).rank


@pytest.mark.parametrize(
    ("name", "tag", "version"),
    [
        ("postgres", "17.2-bookworm", "17.2"),
        ("redis", "7.2.4-alpine", "7.2.4"),
        ("redis", "8.0.0-rc1", "8.0.0-rc1"),
        ("redis", "latest", None),
        ("redis", "7", None),
    ],
)
def test_a_variant_is_left_out_and_a_moving_tag_names_nothing(name: str, tag: str, version: str | None) -> None:
    found = release_in_tag(recipe_named(name), name, tag)
    assert (found and found.text) == version


@pytest.mark.parametrize(
    ("name", "repository", "tag", "version", "variant"),
    [
        ("redis", "redis", "7.4-alpine", None, "alpine"),
        ("redis", "redis", "alpine", None, "alpine"),
        ("redis", "redis", "7.4.2-alpine", "7.4.2", "alpine"),
        ("mariadb", "mariadb", "lts-noble", None, "noble"),
        ("mariadb", "mariadb", "lts", None, ""),
        ("postgres", "postgres", "17.2-bookworm", "17.2", "bookworm"),
        ("zabbix", "zabbix/zabbix-server-pgsql", "ubuntu-7.0-latest", None, "ubuntu-"),
        ("zabbix", "zabbix/zabbix-server-pgsql", "ubuntu-7.0.22", "7.0.22", "ubuntu-"),
        ("zabbix", "zabbix/zabbix-server-pgsql", "alpine-7.0-latest", None, ""),
        ("zabbix", "mirror/zabbix-server-pgsql", "alpine-7.0.22", "7.0.22", "alpine-"),
        ("zabbix", "mirror/zabbix-server-pgsql", "7.0.22-alpine", "7.0.22", "alpine"),
        ("checkmk", "checkmk/check-mk-raw", "2.3.0-latest", None, ""),
        ("prometheus", "prom/prometheus", "v2.53.0", "v2.53.0", ""),
    ],
)
def test_a_variant_stands_behind_the_version_or_before_it_also_where_the_tag_moves(
    name: str, repository: str, tag: str, version: str | None, variant: str
) -> None:
    release, kind = read_tag(recipe_named(name), repository, tag)
    assert (release.text.removeprefix("v") if release else None, kind) == (
        version.removeprefix("v") if version else None,
        variant,
    )


def due_ids(name: str, leaving: str, into: str) -> tuple[list[str], list[str]]:
    recipe = recipe_named(name)
    ends = release_from(leaving, recipe.scheme), release_from(into, recipe.scheme)
    return [note.id for note in notes_between(recipe, *ends)], [gate.id for gate in gates_between(recipe, *ends)]


def test_notes_and_gates_are_those_of_the_releases_on_the_way() -> None:
    assert due_ids("prometheus", "2.53.3", "3.5.3")[0] == ["three-flags", "content-type", "le-labels"]
    assert due_ids("prometheus", "2.42.0", "2.53.3")[0] == []
    assert due_ids("checkmk", "2.3.0p43.cre", "2.4.0p1.cre")[0] == ["werks-2-4"]
    assert due_ids("omflow", "1.1.6.1", "1.1.6.3") == ([], ["terms", "backup"])
    assert due_ids("omflow", "1.1.6.3", "1.2.0.0") == (["runtime"], ["terms", "backup", "old-runtime"])


def test_the_runtime_change_brings_its_package_list() -> None:
    recipe = recipe_named("omflow")
    old, change, later = (release_from(one, "four-part") for one in ("1.1.6.3", "1.2.0.0", "1.2.0.1"))
    assert [one.minimums for one in packages_between(recipe, old, change)] == [{"django": "4.2"}]
    assert packages_between(recipe, change, later) == ()


def test_coupled_components_count_from_their_release_on() -> None:
    recipe = recipe_named("icinga2")
    early, late = release_from("2.14.6", "semver"), release_from("2.15.0", "semver")
    assert [one.component for one in coupled_at(recipe, early)] == ["icinga2-satellite"]
    assert [one.component for one in coupled_at(recipe, late)] == ["icinga2-satellite", "icingadb"]


@pytest.mark.parametrize(
    ("ref", "labels", "env", "version"),
    [
        ("mariadb:11.8.2", {"org.opencontainers.image.version": "24.04"}, [], "11.8.2"),
        (
            "mariadb:lts",
            {"org.opencontainers.image.version": "24.04"},
            ["MARIADB_VERSION=1:11.8.2+maria~ubu2404"],
            "11.8.2",
        ),
        ("localhost:5000/mirror/redis", {}, ["PATH=/bin", "REDIS_VERSION=7.2.5"], "7.2.5"),
        ("redis:stable", {"org.opencontainers.image.version": "7.0.15"}, [], "7.0.15"),
        ("postgres:latest", {}, ["PG_VERSION=17.5-1.pgdg120+1"], "17.5"),
        ("prom/prometheus:v2.53.3", {"org.opencontainers.image.version": "unknown"}, [], "v2.53.3"),
        ("busybox:1.36", {}, ["REDIS_VERSION=7.2.5"], "1.36"),
    ],
)
def test_an_images_version_is_where_its_recipe_finds_one_that_can_be_read(
    ref: str, labels: dict[str, str], env: list[str], version: str
) -> None:
    image = Image(id="sha256:1", config={"Labels": {**labels}, "Env": [*env]})
    assert side(image, ref).version == version


def test_what_a_recipe_says_it_was_checked_against_is_upgraded_in_a_test_on_the_engine() -> None:
    sources = [*(ROOT / "tests/engine").glob("*.py"), *(ROOT / "tests/refresh").glob("*.py")]
    tried = {found for file in sources for found in re.findall(r"refloat-lab/[a-z0-9-]+", file.read_text("utf-8"))}
    exercised = {recipe.name for image in tried if (recipe := recipe_for_image(image))}
    claimed = {recipe.name for recipe in recipes() if recipe.verified != "documentation"}
    assert claimed - exercised == set()
