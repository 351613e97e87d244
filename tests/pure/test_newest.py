"""The newest release within a constraint: of what is known, as far as the vendor's rules reach at once."""

from __future__ import annotations

import pytest

from runner.constraint import constraint_from
from runner.errors import NothingToDo, Refused
from runner.newest import newest_tag
from runner.targets import find_target
from tests.pure.test_due_now import NAME, engine_with

PROMETHEUS = ("v2.42.0", "v2.45.0", "v2.53.3", "v99.0.0")


def newest(repository: str, tags: tuple[str, ...], words: str) -> str:
    engine = engine_with(repository, *tags)
    return newest_tag(engine, find_target(engine, NAME), constraint_from(words))


@pytest.mark.parametrize(("words", "tag"), [("2.x", "v2.53.3"), (">=2.43,<2.53", "v2.45.0"), ("<2.53.3", "v2.45.0")])
def test_the_newest_that_will_do_is_taken_with_the_vendors_spelling(words: str, tag: str) -> None:
    assert newest("prom/prometheus", PROMETHEUS, words) == tag


def test_a_variant_of_the_image_is_kept() -> None:
    assert newest("redis", ("7.0.15-alpine", "7.0.99-alpine"), "7.0.x") == "7.0.99-alpine"


def test_where_nothing_newer_will_do_nothing_needs_to_be_done() -> None:
    with pytest.raises(NothingToDo, match=r"runs v2.42.0; nothing newer within 1.x is known"):
        newest("prom/prometheus", PROMETHEUS, "1.x")


def test_versions_nobody_can_compare_are_refused() -> None:
    with pytest.raises(Refused) as no:
        newest("acme/thing", ("blue", "green"), "newest")
    assert no.value.code == "version-unknown"
