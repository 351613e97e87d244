"""What holds for any three trees: nothing lost, nothing left over, and a second run that finds nothing to do."""

from __future__ import annotations

import tempfile
from functools import partial
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from runner.refresh.choices import Conflict, answer_by_policy
from runner.refresh.run import Trees, preview, refresh
from tests.refresh.refresh_trees import Thing, grow, picture

INSTALL = partial(answer_by_policy, Conflict.INSTALL)
KEEPOLD = partial(answer_by_policy, Conflict.KEEPOLD)

_TEXTS = ("1\n2\n3\n4\n", "one\n2\n3\n4\n", "1\n2\n3\nfour\n", "", "1\n2\n", "\0")
_files = st.tuples(st.sampled_from(_TEXTS), st.sampled_from((0o600, 0o640, 0o644)))
_directories = st.tuples(st.just(""), st.sampled_from((0o700, 0o755)))
_links = st.tuples(st.sampled_from(("a", "../b", "/etc", "nowhere")), st.none())


@st.composite
def _trees(draw: st.DrawFn) -> dict[str, Thing]:
    tree: dict[str, Thing] = {}
    for name in ("a", "b", "c"):
        match draw(st.sampled_from(("none", "file", "link", "dir"))):
            case "file":
                tree[name] = draw(_files)
            case "link":
                tree[f"{name}@"] = str(draw(_links)[0])
            case "dir":
                tree[f"{name}/"] = draw(_directories)
                for inner in draw(st.sets(st.sampled_from(("f", "g")))):
                    tree[f"{name}/{inner}"] = draw(_files)
    return tree


def _grown(folder: Path, old: dict[str, Thing], user: dict[str, Thing], new: dict[str, Thing]) -> Trees:
    return Trees(grow(folder / "old", old), grow(folder / "new", new), grow(folder / "tree", user))


@settings(max_examples=80, deadline=None, derandomize=True)
@given(_trees(), _trees(), _trees())
def test_a_second_run_finds_nothing_to_do(old: dict[str, Thing], user: dict[str, Thing], new: dict[str, Thing]) -> None:
    for asks in (INSTALL, KEEPOLD):
        with tempfile.TemporaryDirectory() as folder:
            trees = _grown(Path(folder), old, user, new)
            said = preview(trees, asks)
            first = refresh(trees, asks)
            assert first.settlement == said.settlement
            after = picture(trees.user)
            assert refresh(trees, asks).settlement.changes == ()
            assert picture(trees.user) == after


@settings(max_examples=50, deadline=None, derandomize=True)
@given(_trees(), _trees())
def test_an_unchanged_tree_becomes_the_new_defaults(old: dict[str, Thing], new: dict[str, Thing]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        trees = _grown(Path(folder), old, old, new)
        refresh(trees, INSTALL)
        assert picture(trees.user) == picture(trees.new)


@settings(max_examples=50, deadline=None, derandomize=True)
@given(_trees(), _trees())
def test_unchanged_defaults_change_nothing(same: dict[str, Thing], user: dict[str, Thing]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        trees = _grown(Path(folder), same, user, same)
        assert refresh(trees, INSTALL).settlement.changes == ()
