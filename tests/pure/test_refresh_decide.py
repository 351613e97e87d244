"""The decision tables of a config refresh, row by row; no disk."""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runner.refresh.decide import Act, Ask, ModeVerdict, Verdict, decide, decide_mode
from runner.refresh.entries import Entry, Kind, differs


def file(content: str, mode: int = 0o644) -> Entry:
    return Entry(Kind.FILE, mode, len(content), content)


def link(target: str) -> Entry:
    return Entry(Kind.LINK, 0o777, target=target)


D = Entry(Kind.DIRECTORY, 0o755)
FIFO = Entry(Kind.SPECIAL, 0o644)
THREE_OF_A_KIND = {
    "files": (file("one"), file("two"), file("three")),
    "links": (link("one"), link("two"), link("three")),
    "mixed": (file("one"), link("one"), D),
    "dirs first": (D, file("one"), link("two")),
}
KINDS = pytest.mark.parametrize(("a", "b", "c"), THREE_OF_A_KIND.values(), ids=THREE_OF_A_KIND.keys())


@KINDS
def test_a_new_default_is_installed_where_nothing_is(a: Entry, b: Entry, c: Entry) -> None:
    assert [decide(None, None, new) for new in (a, b, c)] == [Verdict(1, Act.INSTALL)] * 3


@KINDS
def test_a_new_default_the_user_has_already_is_left_alone(a: Entry, b: Entry, c: Entry) -> None:
    assert [decide(None, same, same) for same in (a, b, c)] == [Verdict(2, Act.NOTHING)] * 3


@KINDS
def test_a_new_default_in_the_place_of_something_else_of_the_users_is_a_question(a: Entry, b: Entry, c: Entry) -> None:
    assert decide(None, a, b) == Verdict(3, Act.INSTALL, Ask.REPLACE)
    assert decide(None, b, c) == Verdict(3, Act.INSTALL, Ask.REPLACE)
    assert decide(None, FIFO, c) == Verdict(3, Act.INSTALL, Ask.REPLACE)


@KINDS
def test_a_default_gone_here_and_there_is_obsolete(a: Entry, b: Entry, c: Entry) -> None:
    assert [decide(old, None, None) for old in (a, b, c)] == [Verdict(4, Act.NOTHING)] * 3


@pytest.mark.parametrize(("old", "user"), [(o, u) for o, u in product((file("x"), link("x"), D), repeat=2) if o != u])
def test_a_dropped_default_of_another_type_at_the_users_is_a_question(old: Entry, user: Entry) -> None:
    assert decide(old, user, None) == Verdict(5, Act.REMOVE, Ask.REMOVE)


@pytest.mark.parametrize(("old", "user"), [(file("x"), file("y")), (link("x"), link("y"))])
def test_a_dropped_default_the_user_changed_is_a_question(old: Entry, user: Entry) -> None:
    assert decide(old, user, None) == Verdict(6, Act.REMOVE, Ask.REMOVE)


def test_a_dropped_directory_that_still_holds_something_is_a_question() -> None:
    assert decide(D, D, None, names=1) == Verdict(7, Act.REMOVE, Ask.REMOVE)


@pytest.mark.parametrize("same", [file("x"), link("x"), D])
def test_a_dropped_default_nobody_changed_vanishes(same: Entry) -> None:
    assert decide(same, same, None) == Verdict(8, Act.REMOVE)


@pytest.mark.parametrize("same", [file("x"), link("x"), D])
def test_what_the_user_deleted_stays_deleted_while_the_default_is_the_same(same: Entry) -> None:
    assert decide(same, None, same) == Verdict(9, Act.NOTHING)


@KINDS
def test_what_the_user_deleted_is_not_made_again_even_when_the_default_changed(a: Entry, b: Entry, c: Entry) -> None:
    assert decide(a, None, b) == Verdict(10, Act.NOTHING)
    assert decide(b, None, c) == Verdict(10, Act.NOTHING)


@KINDS
def test_nothing_happens_while_the_default_is_the_same(a: Entry, b: Entry, c: Entry) -> None:
    assert [decide(a, user, a, names=3) for user in (a, b, c, FIFO)] == [Verdict(11, Act.NOTHING)] * 4


@pytest.mark.parametrize(("old", "new"), [(o, n) for o, n in product((file("x"), link("x"), D), repeat=2) if o != n])
def test_a_default_of_another_type_replaces_what_nobody_changed(old: Entry, new: Entry) -> None:
    assert decide(old, old, new) == Verdict(12, Act.INSTALL)


@pytest.mark.parametrize("new", [file("x"), link("x")])
def test_a_directory_that_holds_something_is_never_replaced_unasked(new: Entry) -> None:
    assert decide(D, D, new, names=1) == Verdict(16, Act.INSTALL, Ask.REPLACE)


@KINDS
def test_what_the_user_changed_to_the_new_default_is_identical(a: Entry, b: Entry, c: Entry) -> None:
    assert decide(a, b, b) == Verdict(13, Act.NOTHING)
    assert decide(b, c, c, names=2) == Verdict(13, Act.NOTHING)


def test_three_different_files_are_merged() -> None:
    assert decide(file("a"), file("b"), file("c")) == Verdict(14, Act.MERGE)


def test_three_different_links_are_a_question() -> None:
    assert decide(link("a"), link("b"), link("c")) == Verdict(15, Act.INSTALL, Ask.REPLACE)


@pytest.mark.parametrize(
    ("old", "user", "new"),
    [(file("a"), file("b"), D), (file("a"), link("b"), D), (D, link("a"), file("b")), (link("a"), FIFO, file("b"))],
)
def test_a_default_of_another_type_on_what_the_user_changed_is_a_question(old: Entry, user: Entry, new: Entry) -> None:
    assert decide(old, user, new) == Verdict(16, Act.INSTALL, Ask.REPLACE)


@pytest.mark.parametrize(
    ("old", "user", "new"),
    [
        (file("a"), D, file("b")),
        (file("a"), link("a"), file("b")),
        (link("a"), D, link("b")),
        (file("a"), FIFO, file("b")),
    ],
)
def test_another_type_at_the_users_and_a_changed_default_is_a_question(old: Entry, user: Entry, new: Entry) -> None:
    assert decide(old, user, new, names=1) == Verdict(17, Act.INSTALL, Ask.REPLACE)


_entries = st.one_of(
    st.none(),
    st.builds(file, st.sampled_from("ab"), st.sampled_from((0o600, 0o640, 0o644))),
    st.builds(link, st.sampled_from("ab")),
    st.builds(Entry, st.just(Kind.DIRECTORY), st.sampled_from((0o700, 0o755))),
    st.just(FIFO),
)


@settings(derandomize=True, deadline=None)
@given(_entries, _entries, _entries, st.integers(0, 2))
def test_what_the_user_changed_is_never_taken_away_unasked(
    old: Entry | None, user: Entry | None, new: Entry | None, names: int
) -> None:
    verdict = decide(old, user, new, names)
    touched = user is not None and (differs(old, user) or (user.kind is Kind.DIRECTORY and names > 0))
    if verdict.act in (Act.INSTALL, Act.REMOVE) and touched and differs(user, new):
        assert verdict.ask


@settings(derandomize=True, deadline=None)
@given(_entries, _entries, _entries, st.integers(0, 2))
def test_a_row_that_replaces_brings_the_tree_to_the_new_default(
    old: Entry | None, user: Entry | None, new: Entry | None, names: int
) -> None:
    verdict = decide(old, user, new, names)
    if verdict.act is Act.INSTALL and new:
        assert decide(old, new, new, names).act is Act.NOTHING


OLD, YOURS, NEW = 0o644, 0o600, 0o640


@pytest.mark.parametrize(
    ("old", "user", "new", "expected"),
    [
        (link("x"), link("x"), link("x"), ModeVerdict(1)),
        (file("x", OLD), None, file("x", NEW), ModeVerdict(1)),
        (file("x", OLD), D, file("x", NEW), ModeVerdict(1)),
        (file("x", OLD), file("x", YOURS), None, ModeVerdict(1)),
        (file("x", OLD), file("y", NEW), file("x", NEW), ModeVerdict(2)),
        (None, file("y", YOURS), file("x", NEW), ModeVerdict(3, sets=True)),
        (file("x", OLD), file("y", YOURS), file("x", NEW), ModeVerdict(5, True, Ask.DEFAULT, "Permission conflict")),
        (file("x", OLD), file("y", OLD), file("x", NEW), ModeVerdict(6, sets=True)),
        (D, file("y", 0o755), file("x", NEW), ModeVerdict(7, sets=True)),
        (D, file("y", YOURS), file("x", NEW), ModeVerdict(7, True, Ask.DEFAULT, "Wrong permission")),
        (file("x", NEW), file("y", YOURS), file("x", NEW), ModeVerdict(8)),
        (link("x"), file("y", YOURS), file("x", 0o777), ModeVerdict(8)),
    ],
)
def test_permissions_follow_the_first_rule_that_matches(
    old: Entry | None, user: Entry | None, new: Entry | None, expected: ModeVerdict
) -> None:
    assert decide_mode(old, user, new) == expected


def test_on_the_paths_a_product_names_a_changed_default_mode_wins_unasked() -> None:
    changed, same = (
        (file("x", OLD), file("y", YOURS), file("x", NEW)),
        (file("x", NEW), file("y", YOURS), file("x", NEW)),
    )
    assert decide_mode(*changed, new_wins=True) == ModeVerdict(4, sets=True)
    assert decide_mode(*same, new_wins=True) == ModeVerdict(8)


@settings(derandomize=True, deadline=None)
@given(_entries, _entries, _entries)
def test_permissions_are_set_only_on_files_and_directories(
    old: Entry | None, user: Entry | None, new: Entry | None
) -> None:
    if decide_mode(old, user, new).sets:
        assert user
        assert user.kind in (Kind.FILE, Kind.DIRECTORY)
