"""Versions: every scheme orders totally, reads what its vendor writes and refuses the rest."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.errors import Exit, UsageError
from runner.versions import Release, SchemeName, release_from, scheme_named, series_from

small = st.integers(min_value=0, max_value=40)


def joined(count: int) -> st.SearchStrategy[str]:
    return st.lists(small, min_size=count, max_size=count).map(lambda some: ".".join(map(str, some)))


def ended(head: st.SearchStrategy[str], *tails: str) -> st.SearchStrategy[str]:
    tail = st.one_of(st.just(""), st.builds(str.__add__, st.sampled_from(tails), small.map(str)))
    return st.builds(str.__add__, head, tail)


checkmk_texts = st.builds(
    str.__add__,
    ended(joined(3), "i", "b", "p", "-rc"),
    st.sampled_from(["", ".cre", ".cee", ".cme", ".community", ".pro", ".ultimatemt"]),
)
texts: dict[SchemeName, st.SearchStrategy[str]] = {
    "semver": ended(joined(3), "-rc.", "-alpha", "-beta", "-beta."),
    "two-part": joined(2),
    "three-part": joined(3),
    "four-part": joined(4),
    "calendar": st.builds("{}.{}.{}".format, st.integers(10, 99), st.integers(1, 12), small),
    "checkmk": st.one_of(
        checkmk_texts, st.dates().filter(lambda day: day.year > 1999).map(lambda day: day.strftime("%Y.%m.%d"))
    ),
    "postgresql": st.builds("{}.{}".format, st.integers(10, 30), small),
    "zabbix": ended(joined(3), "alpha", "beta", "rc"),
    "gitlab": st.builds(str.__add__, ended(joined(3), "-rc"), st.sampled_from(["", "-ce.0", "-ee.0"])),
    "opmantek": st.builds(str.__add__, joined(3), st.sampled_from(["", "G"])),
}
triples = st.sampled_from(sorted(texts)).flatmap(
    lambda name: st.tuples(st.just(name), st.tuples(texts[name], texts[name], texts[name]))
)


@given(triples)
def test_every_scheme_orders_totally(given_: tuple[SchemeName, tuple[str, str, str]]) -> None:
    name, written = given_
    one, two, three = (release_from(text, name) for text in written)
    assert (one < two) + (one == two) + (one > two) == 1
    assert not (one <= two <= three) or one <= three
    assert (one == two) == (hash(one) == hash(two)) or one != two


@given(triples)
def test_sorting_does_not_depend_on_the_order_of_arrival(given_: tuple[SchemeName, tuple[str, str, str]]) -> None:
    name, written = given_
    releases = [release_from(text, name) for text in written]
    backwards = releases[::-1]
    assert sorted(releases) == sorted(backwards)


@given(st.sampled_from(sorted(texts)), st.text(max_size=12))
def test_any_text_is_read_or_refused_but_never_crashes(name: SchemeName, text: str) -> None:
    release = scheme_named(name).parse(text)
    assert release is None or (isinstance(release, Release) and release.text == text)


ASCENDING: dict[SchemeName, str] = {
    "semver": "1.9.9 2.0.0-alpha 2.0.0-beta.2 2.0.0-beta.11 2.0.0-rc.1 2.0.0 v2.0.1 2.10.0",
    "two-part": "1.9 1.10 2.0",
    "three-part": "1.9.0 1.10.0 1.10.1",
    "four-part": "1.1.6.1 1.1.6.3 1.2.0.0 1.2.0.3 1.10.0.0",
    "calendar": "23.12.1 24.1.0 24.2.9 24.2.10 2024.11.0",
    "checkmk": (
        "1.6.0p30.cre 2.3.0i1 2.3.0b1 2.3.0b6 2.3.0-rc1 2.3.0 2.3.0p1 2.3.0p9 2.3.0p10-rc1 2.3.0p10-rc2 2.3.0p10.cre "
        "2.3.0-2024.05.01 2.3.0-2024.05.02.cee 2.4.0b1 2.5.0.community 2024.05.01.cee 2024.05.02"
    ),
    "postgresql": "8.4.22 9.5.25 9.6 9.6.24 10 13.4 13.22 17beta1 17rc1 17.0 17.2 18",
    "zabbix": "5.0.8 6.0.0 6.0.14 6.4.0 7.0.0alpha1 7.0.0beta2 7.0.0rc1 7.0.0 7.0.10",
    "gitlab": "15.11.13-ce.0 16.3.9 17.5.0-rc42 17.5.0-ce.0 17.5.2-ee.0",
    "opmantek": "8.7.1G 9.1.0 9.1.1G 9.10.0",
}


@pytest.mark.parametrize("name", sorted(ASCENDING))
def test_releases_stand_in_the_vendors_order(name: SchemeName) -> None:
    written = ASCENDING[name].split()
    assert [one.text for one in sorted(release_from(text, name) for text in reversed(written))] == written


UNREADABLE: dict[SchemeName, tuple[str, ...]] = {
    "semver": ("latest", "2.55", "2", "1.93.0-cluster", "1.2.3.4", "", " 1.2.3", "1.2.x"),
    "two-part": ("1", "1.2.3", "1.b"),
    "three-part": ("1.2", "1.2.3.4", "1.2.3-rc1"),
    "four-part": ("1.2.0", "1.2.0.0.0", "1.2.0.0a"),
    "calendar": ("24.13.1", "24", "2024.0.1", "224.1.1"),
    "checkmk": ("2.3", "2.3.0x1", "2.3.0p10.foo", "2.3.0-2024.13.01", "2024.02.30", "2.4.0-latest", "latest"),
    "postgresql": ("9", "9.6.1beta1", "17.2.1", "17.2beta1", "bookworm", "17-alpine"),
    "zabbix": ("7.0", "7.0.0p1", "7.0-latest", "trunk"),
    "gitlab": ("17.5", "17.5.2-xe.0", "latest"),
    "opmantek": ("9", "NMIS", "opFlowSP 12.0.0", "9.1.0GG", "NMIS 8 9.1.0G"),
}


@pytest.mark.parametrize(("name", "text"), [(name, text) for name in sorted(UNREADABLE) for text in UNREADABLE[name]])
def test_an_unreadable_version_is_a_clear_error(name: SchemeName, text: str) -> None:
    with pytest.raises(UsageError) as caught:
        release_from(text, name)
    assert caught.value.exit_status is Exit.USAGE
    assert repr(text) in caught.value.what
    assert "look like this" in caught.value.then


def test_both_namings_of_an_edition_mean_the_same() -> None:
    assert release_from("2.4.0p1.cre", "checkmk") == release_from("2.4.0p1.community", "checkmk")
    assert release_from("2.4.0p1.cme", "checkmk").edition == "ultimatemt"


@pytest.mark.parametrize(
    ("text", "edition", "spelled"),
    [
        ("2.4.0p1", "community", "2.4.0p1.cre"),
        ("2.4.0p1.cre", "pro", "2.4.0p1.cee"),
        ("2.5.0", "community", "2.5.0.community"),
        ("2.5.0p3.community", "ultimatemt", "2.5.0p3.ultimatemt"),
        ("2.1.0p9.cfe", "pro", "2.1.0p9.cee"),
    ],
)
def test_a_release_is_spelled_as_its_generation_writes_the_edition(text: str, edition: str, spelled: str) -> None:
    assert scheme_named("checkmk").spelled(release_from(text, "checkmk"), edition) == spelled


@pytest.mark.parametrize(
    ("text", "product", "numbers"),
    [
        ("NMIS 99.1.0G", "nmis", (9, 1, 0)),
        ("NMIS 9 9.1.0G", "nmis", (9, 1, 0)),
        ("opCharts 44.1.3", "opcharts", (4, 1, 3)),
        ("opFlow 33.0.16", "opflow", (3, 0, 16)),
        ("8.7.1G", "", (8, 7, 1)),
    ],
)
def test_a_fused_product_and_version_come_apart(text: str, product: str, numbers: tuple[int, ...]) -> None:
    release = release_from(text, "opmantek")
    assert (release.edition, release.numbers) == (product, numbers)


@pytest.mark.parametrize("text", ["2.3.0i1", "2.3.0b2", "2.3.0p10-rc1", "2.3.0-2024.05.01", "2024.05.01"])
def test_what_is_not_finished_says_so(text: str) -> None:
    assert not release_from(text, "checkmk").is_final
    assert release_from("2.3.0p10", "checkmk").is_final
    assert release_from("2.3.0", "checkmk").is_final


def test_a_series_is_its_leading_numbers() -> None:
    assert series_from("2.3") == (2, 3)
    with pytest.raises(UsageError):
        series_from("2.x")
