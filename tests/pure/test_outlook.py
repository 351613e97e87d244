"""The outlook of a release: newest, newest within reach, and the reason for the difference."""

from __future__ import annotations

from runner.outlook import Outlook, outlook
from runner.paths import catalogue_of
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
