"""Pictures of trees: their order, their JSON, and what is printed of their names."""

from __future__ import annotations

import json

from hypothesis import given, settings
from hypothesis import strategies as st

from runner.refresh.entries import (
    Entry,
    Kind,
    Rules,
    fingerprint_of,
    paths_in_order,
    plain_tree,
    printable,
    printable_line,
    tree_from,
)

D, F = Entry(Kind.DIRECTORY, 0o755), Entry(Kind.FILE, 0o644, 1, "x")
_names = st.text(st.characters(exclude_characters="/\0", exclude_categories=()), min_size=1, max_size=5)
_entries = st.builds(Entry, st.sampled_from(Kind), st.integers(0, 0o7777), st.integers(0), _names, _names)


@settings(derandomize=True, deadline=None)
@given(st.dictionaries(_names, _entries))
def test_a_tree_survives_json_whatever_its_names(tree: dict[str, Entry]) -> None:
    assert tree_from(json.loads(json.dumps(plain_tree(tree)))) == tree


@settings(derandomize=True, deadline=None)
@given(_names)
def test_what_is_printed_of_a_name_is_one_line_and_can_be_encoded(name: str) -> None:
    assert printable(name).isprintable()
    assert len(printable_line(name).splitlines()) <= 1
    assert printable(name).encode()


def test_parents_come_before_children_and_directories_before_files() -> None:
    new = {"b": D, "b/z": F, "b/c": D, "b/c/f": F, "a": F, "d": D}
    assert paths_in_order({}, new, Rules()) == ("b", "d", "a", "b/c", "b/z", "b/c/f")


def test_what_only_the_old_defaults_have_comes_last_and_from_the_bottom() -> None:
    old = {"b": D, "b/z": F, "b/c": D, "b/c/f": F, "a": F}
    assert paths_in_order(old, {"a": F}, Rules()) == ("a", "b/c/f", "b/z", "b/c", "b")


def test_unmanaged_paths_are_left_out_with_all_below_but_not_their_namesakes() -> None:
    new = {"tmp": D, "tmp/a": F, "tmp2": F, "etc": D, "etc/tmp": F}
    assert paths_in_order({}, new, Rules(unmanaged=frozenset({"tmp"}))) == ("etc", "tmp2", "etc/tmp")


def test_another_conflict_has_another_fingerprint() -> None:
    prints = {fingerprint_of("a", 14, *facts) for facts in ((F, D, None), (F, None, D), (None, F, D), (F, F, D))}
    assert len(prints) == 4
