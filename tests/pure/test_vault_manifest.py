"""What is appended to a manifest counts as if it had been written whole, and not at all where it was cut off."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from vaultwork.manifest import Known, Manifest
from vaultwork.manifest_file import load, load_totals, save, save_changes

PATHS = st.binary(min_size=1, max_size=3).filter(lambda name: b"\0" not in name and b"/" not in name)
ENTRIES = st.builds(
    Known,
    meta=st.sampled_from([b"f 644 0 0 1 1.0", b"f 644 0 0 20 1.0", b"d 755 0 0 0 1.0", b"l 777 0 0 1 1.0"]),
    extra=st.sampled_from([b"", b"to", b'{"bytes": 1}']),
    ident=st.sampled_from([b"7 1 1.0", b"8 1 2.0"]),
    leader=st.just(b""),
    attributes=st.sampled_from([b"", b"ab"]),
    content=st.sampled_from([b"", b"cd" * 32]),
)
MANIFESTS = st.builds(Manifest, settled_s=st.integers(0, 9), known=st.dictionaries(PATHS, ENTRIES))


@settings(deadline=None)
@given(first=MANIFESTS, then=st.lists(MANIFESTS, max_size=3), cut=st.integers(1, 2000))
def test_a_manifest_with_what_was_appended_is_the_one_written_whole(
    tmp_path_factory: pytest.TempPathFactory, first: Manifest, then: list[Manifest], cut: int
) -> None:
    path = tmp_path_factory.mktemp("m") / "manifest"
    save(bytes(path), first)
    before = first
    for now in then:
        whole = path.read_bytes()
        save_changes(bytes(path), before, now, before.known.keys() | now.known.keys())
        added = path.read_bytes()
        path.write_bytes(added[: max(len(whole), len(added) - cut)])  # the engine's host died meanwhile
        assert load(bytes(path)) == before
        save_changes(bytes(path), before, now, before.known.keys() | now.known.keys())
        assert path.read_bytes() == added
        assert load(bytes(path)) == now
        assert load_totals(bytes(path)) == now.totals()
        before = now


def test_a_part_of_which_only_the_length_reached_the_disk_is_none(tmp_path: Path) -> None:
    path, old = tmp_path / "manifest", Known(b"f 644 0 0 1 1.0", b"", b"7 1 1.0", b"", b"", b"cd" * 32)
    first, then = Manifest(1, {b"a": old}), Manifest(1, {b"b": old})
    save(bytes(path), first)
    whole = path.read_bytes()
    save_changes(bytes(path), first, then, {b"a", b"b"})
    added = path.read_bytes()
    for torn in (bytes(len(added) - len(whole)), added[len(whole) : -40] + bytes(40)):
        path.write_bytes(whole + torn)
        assert load(bytes(path)) == first
