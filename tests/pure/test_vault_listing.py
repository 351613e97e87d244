"""What find said is read again only where it differs: the outcome is that of reading all of it."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from vaultwork.listing import listing_from, listing_since, read_tree

from tests.pure.vault_trees import damage, grow

NAMES = st.binary(min_size=1, max_size=3).filter(lambda name: b"\0" not in name and b"/" not in name)
METAS = st.sampled_from([b"f 644 0 0 1 1.0", b"f 644 0 0 2 1.0", b"l 777 0 0 1 1.0"])
RECORDS = st.dictionaries(NAMES, st.tuples(METAS, st.sampled_from([b"", b"to"]), st.sampled_from([b"7 1 1.0"])))


def said(records: dict[bytes, tuple[bytes, bytes, bytes]]) -> bytes:
    """As find prints it, the root first."""
    root = b"\0d 755 0 0 0 1.0\0\x001 0 1.0\x0042\0\0\0"
    return root + b"".join(b"%s\0%s\0%s\0%s\x0042\0\0\0" % (name, *fields) for name, fields in records.items())


@given(before=RECORDS, now=RECORDS)
def test_a_listing_brought_up_to_date_is_the_one_read_as_a_whole(
    before: dict[bytes, tuple[bytes, bytes, bytes]], now: dict[bytes, tuple[bytes, bytes, bytes]]
) -> None:
    since = listing_since(b"/", listing_from(b"/", said(before)), said(before), said(now))
    assert since.listing == listing_from(b"/", said(now))
    assert since.moved == {path for path in before.keys() | now.keys() if before.get(path) != now.get(path)}


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 1 << 32))
def test_the_same_of_a_real_tree_that_is_damaged(tmp_path_factory: pytest.TempPathFactory, seed: int) -> None:
    root, dice = bytes(tmp_path_factory.mktemp("tree") / "root"), random.Random(seed)
    Path(root.decode()).mkdir()
    grow(root, dice, 20)
    before = read_tree(root)
    listing = listing_from(root, before)
    damage(root, dice, 5)
    now = read_tree(root)
    since = listing_since(root, listing, before, now)
    whole = listing_from(root, now)
    assert since.listing == whole
    assert since.moved == {path for path, _ in listing.items() ^ whole.items()}
