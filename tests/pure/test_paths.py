"""Paths: whatever the recipe and whatever exists, a path keeps every rule and a refusal tells the truth."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.hop_verdicts import Hop, why_not
from runner.hops import AnyForward, HopRule, LtsTracks, OneMajorAtATime, RequiredStops, ThroughLastMinor
from runner.paths import NoPath, Path, catalogue_of, find_path
from runner.recipes.loader import recipe_named, recipes
from runner.recipes.model import Recipe
from runner.versions import Release, release_from

SOURCE = "https://example.org/upgrading"
LIKE_SEMVER = [one for one in recipes() if one.scheme in ("semver", "zabbix", "gitlab")]

three = st.tuples(st.integers(1, 20), st.integers(0, 20), st.integers(0, 3)).map("{0[0]}.{0[1]}.{0[2]}".format)


def found_path(recipe: Recipe, start: str, goal: str, *releases: str, force: bool = False) -> Path | NoPath:
    ends = release_from(start, recipe.scheme), release_from(goal, recipe.scheme)
    return find_path(recipe, *ends, catalogue_of(recipe, releases or None), force=force)


def texts(found: Path | NoPath) -> list[str]:
    assert isinstance(found, Path), found
    return [hop.text for hop in found.hops]


@given(st.sampled_from(LIKE_SEMVER), three, three, st.lists(three, max_size=25))
def test_every_hop_of_a_path_keeps_every_firm_rule(recipe: Recipe, start: str, goal: str, others: list[str]) -> None:
    found = found_path(recipe, start, goal, goal, *others)
    first = release_from(start, recipe.scheme)
    if isinstance(found, NoPath) or not found.hops or found.hops[-1].rank < first.rank:
        return
    among = catalogue_of(recipe, [goal, *others])
    assert found.hops[-1].text == goal
    for leaving, into in pairwise((first, *found.hops)):
        assert leaving.rank < into.rank
        assert [rule for rule in recipe.hops if not rule.advised and why_not(rule, Hop(leaving, into), among)] == []


@given(st.sampled_from(LIKE_SEMVER), three, three, st.lists(three, max_size=15))
def test_what_a_refusal_calls_reachable_can_be_reached(
    recipe: Recipe, start: str, goal: str, others: list[str]
) -> None:
    found = found_path(recipe, start, goal, goal, *others)
    if isinstance(found, Path):
        return
    for near in found.reachable:
        assert isinstance(found_path(recipe, start, near.text, goal, *others), Path)


@given(three, three)
def test_there_is_nothing_to_do_when_one_is_there(start: str, other: str) -> None:
    assert texts(found_path(recipe_named("prometheus"), start, start, start, other)) == []


def test_a_goal_that_does_not_exist_is_refused_with_what_does() -> None:
    found = found_path(recipe_named("alertmanager"), "0.21.0", "0.99.0", "0.25.0", "0.28.1")
    assert isinstance(found, NoPath)
    assert found.rule == "not-released"
    assert [one.text for one in found.reachable] == ["0.28.1", "0.25.0"]


def test_a_refusal_names_what_stops_the_one_who_has_come_nearest() -> None:
    found = found_path(recipe_named("elasticsearch"), "6.8.23", "9.1.0", "7.17.29", "8.18.4", "9.1.0")
    assert isinstance(found, NoPath)
    assert found.rule == "through-last-minor"
    assert "8.19" in found.why
    assert [one.text for one in found.reachable] == ["8.18.4", "7.17.29"]


def test_without_a_list_only_the_recipe_knows_releases_and_the_goal_is_believed() -> None:
    assert texts(found_path(recipe_named("mongodb"), "6.0.1", "7.0.99")) == ["7.0.99"]


def test_a_long_registry_is_searched_through() -> None:
    releases = [f"{major}.{minor}.{patch}" for major in range(12, 19) for minor in range(13) for patch in range(12)]
    hops = texts(found_path(recipe_named("gitlab"), "12.0.1", "18.11.5", *releases))
    stops = "12.1 12.10 13.0 13.1 13.8 14.0 14.3 14.9 14.10 15.0 15.4 15.11 16.3 16.7 16.11 17.1 17.3 17.5 17.8 17.11"
    assert set(stops.split()) <= {hop.rpartition(".")[0] for hop in hops}
    assert all(hop.endswith(".11") for hop in hops[:-1])


def test_dates_decide_where_they_are_known() -> None:
    facts = recipe_named("elasticsearch").model_dump()
    dated = [{"version": "9.0.5", "date": "2025-08-06"}, {"version": "9.1.1", "date": "2025-08-05"}]
    recipe = Recipe.model_validate({**facts, "releases": dated})
    found = found_path(recipe, "9.0.5", "9.1.1")
    assert isinstance(found, NoPath)
    assert "released on 2025-08-05, before 9.0.5" in found.why


def hop(leaving: str, into: str) -> Hop:
    return Hop(release_from(leaving, "semver"), release_from(into, "semver"))


ONE_HOP: list[tuple[HopRule, str, str, str]] = [
    (AnyForward(rule="any-forward", source=SOURCE, since="2.0.0"), "1.9.9", "3.0.0", "1.9.9 is older than 2.0.0"),
    (OneMajorAtATime(rule="one-major-at-a-time", source=SOURCE), "1.0.0", "3.0.0", "2 may not be skipped"),
    (OneMajorAtATime(rule="one-major-at-a-time", source=SOURCE), "1.0.0", "2.9.0", ""),
    (
        OneMajorAtATime(rule="one-major-at-a-time", source=SOURCE, parts=2, majors=("1.6", "2.0", "2.2")),
        "1.6.0",
        "2.2.0",
        "2.0 may not be skipped",
    ),
    (
        OneMajorAtATime(rule="one-major-at-a-time", source=SOURCE, parts=2, majors=("1.6", "2.0", "2.2")),
        "2.0.0",
        "2.2.0",
        "",
    ),
    (ThroughLastMinor(rule="through-last-minor", source=SOURCE, last={"7": "7.17"}), "7.16.0", "8.0.0", "from 7.17"),
    (ThroughLastMinor(rule="through-last-minor", source=SOURCE, last={"7": "7.17"}), "7.17.1", "8.0.0", ""),
    (RequiredStops(rule="required-stops", source=SOURCE, stops=("2.5",)), "2.4.0", "2.6.0", "2.5 may not be jumped"),
    (RequiredStops(rule="required-stops", source=SOURCE, stops=("2.5",)), "2.5.1", "2.6.0", ""),
    (RequiredStops(rule="required-stops", source=SOURCE, stops=("2.5",)), "2.4.0", "2.5.9", ""),
    (LtsTracks(rule="lts-tracks", source=SOURCE, lts=("8.4",)), "8.0.1", "9.0.0", "8.4 may not be jumped"),
]


@pytest.mark.parametrize(("rule", "leaving", "into", "why"), ONE_HOP)
def test_a_rule_answers_about_one_hop(rule: HopRule, leaving: str, into: str, why: str) -> None:
    answer = why_not(rule, hop(leaving, into), catalogue_of(recipe_named("prometheus"), []))
    assert why in answer
    assert bool(answer) == bool(why)


def test_ties_rest_at_the_highest_release() -> None:
    found = found_path(recipe_named("nextcloud"), "28.0.1", "30.0.1", "29.0.1", "29.0.9", "29.0.5", "30.0.1")
    assert texts(found) == ["29.0.9", "30.0.1"]


def test_forcing_changes_nothing_where_the_vendor_does_not_allow_it() -> None:
    found = found_path(recipe_named("nextcloud"), "28.0.1", "30.0.1", "30.0.1", force=True)
    assert isinstance(found, NoPath)


def test_the_release_listed_keeps_its_spelling() -> None:
    found = found_path(recipe_named("nextcloud"), "28.0.1", "30.0.1", "v29.0.9", "30.0.1")
    assert isinstance(found, Path)
    assert isinstance(found.hops[0], Release)
    assert texts(found) == ["v29.0.9", "30.0.1"]


def test_who_asks_for_version_and_edition_at_once_is_told_which_releases_are_missing_for_one_at_a_time() -> None:
    recipe = recipe_named("checkmk")
    ends = release_from("2.0.0p1.cre", "checkmk"), release_from("2.0.0p3.cee", "checkmk")
    found = find_path(recipe, *ends, catalogue_of(recipe, ["2.0.0p3.cee"]))
    assert isinstance(found, NoPath)
    assert "one after the other, and neither 2.0.0p3.cre nor 2.0.0p1.cee is among" in found.why
