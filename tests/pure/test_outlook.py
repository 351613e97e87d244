"""The outlook of a release: newest, newest within reach, and the reason for the difference."""

from __future__ import annotations

from runner.outlook import Outlook, outlook, refusal_of_hop
from runner.paths import NoPath, catalogue_of
from runner.recipes.loader import recipe_named
from runner.versions import release_from


def outlook_of(name: str, current: str, releases: str) -> Outlook:
    recipe = recipe_named(name)
    return outlook(recipe, release_from(current, recipe.scheme), catalogue_of(recipe, releases.split()))


def test_the_newest_within_reach_may_be_the_newest() -> None:
    found = outlook_of("mongodb", "6.0.1", "6.0.26 7.0.24 8.0.13 8.2.0-rc1")
    assert (str(found.newest), str(found.reachable), found.refusal) == ("8.0.13", "8.0.13", None)
    assert [one.text for one in found.path] == ["7.0.24", "8.0.13"]


def test_what_is_out_of_reach_has_its_reason() -> None:
    found = outlook_of("postgres", "15.2", "15.3 15.14 16.1 17.2")
    assert (str(found.newest), str(found.reachable)) == ("17.2", "15.14")
    assert found.refusal is not None
    assert found.refusal.rule == "same-major-only"


def test_the_newest_release_has_nothing_ahead() -> None:
    assert outlook_of("postgres", "17.2", "15.3 17.2").newest is None


def test_another_edition_is_not_ahead() -> None:
    found = outlook_of("checkmk", "2.3.0p43.cre", "2.4.0p1.cee 2.3.0p44.cre")
    assert str(found.newest) == "2.3.0p44.cre"


def hop_refusal(name: str, start: str, goal: str, releases: str = "") -> NoPath | None:
    recipe = recipe_named(name)
    ends = release_from(start, recipe.scheme), release_from(goal, recipe.scheme)
    return refusal_of_hop(recipe, *ends, catalogue_of(recipe, releases.split() or None))


def test_one_upgrade_may_go_straight_where_no_firm_rule_forbids_it() -> None:
    assert hop_refusal("redis", "6.0.16", "8.0.6") is None
    assert hop_refusal("prometheus", "2.53.3", "3.5.3", "2.55.1 3.5.3") is None
    assert hop_refusal("redis", "8.0.6", "8.0.6") is None


def test_one_upgrade_that_needs_stops_names_them() -> None:
    found = hop_refusal("mongodb", "6.0.1", "8.0.13")
    assert found is not None
    assert found.rule == "one-major-at-a-time"
    assert [one.text for one in found.reachable] == ["7.0.24"]


def test_version_and_edition_are_two_upgrades() -> None:
    found = hop_refusal("checkmk", "2.3.0p43.cre", "2.4.0p23.cee")
    assert found is not None
    assert (found.rule, [one.text for one in found.reachable]) == ("edition-conversion", ["2.4.0p23.cre"])


def test_one_upgrade_no_path_allows_is_refused_as_the_path_is() -> None:
    found = hop_refusal("postgres", "15.2", "17.2")
    assert found is not None
    assert found.rule == "same-major-only"
