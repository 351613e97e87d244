"""A snapshot of a clone takes from the snapshot below what nobody wrote to, and is as whole as any other."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from runner.engine.docker import connect_engine
from runner.vault.port import Room, Source
from tests.engine.vault_bench import Bench, laid_out

SOME_FILES = """
mkdir -p many/deep gone moved; for i in $(seq 300); do echo text $i >many/$i; done
echo a >many/deep/a; ln many/deep/a many/deep/b; ln -s a many/deep/link; mkfifo pipe; head -c 3M /dev/urandom >big
echo 1 >gone/one; echo 1 >moved/one; echo old >same-length; setfattr -n user.note -v text many/1
echo one >linked; ln linked many/linked
"""
CHANGES = """
echo other >many/7; chmod 600 many/8; rm many/9; rm -r gone; mkdir gone; echo 2 >gone/two; echo new >added
mv moved elsewhere; echo more >>many/deep/a; setfattr -n user.note -v changed many/1; echo new >same-length
touch -r linked /tmp/when; echo two >linked; touch -r /tmp/when linked
"""


@pytest.fixture
def bench(engine_host: str, leftovers: str) -> Iterator[Bench]:
    with laid_out(connect_engine(engine_host), leftovers) as laid:
        yield laid


@pytest.fixture
def clone(bench: Bench) -> Iterator[tuple[Source, ...]]:
    """A clone of a sealed snapshot, written to since."""
    bench.shell(bench.data, SOME_FILES)
    base = bench.snapshot("base")
    name = f"{bench.mark}-clone"
    assert bench.vault.clone(base, {"d0": name}, {}) == "overlay"
    bench.shell(name, CHANGES)
    yield (Source(key="d0", volume=name, destination="/data"),)
    bench.engine.remove_container(bench.hands(name), force=True)  # whoever still holds it goes first
    for run in ("play", "base"):
        bench.vault.close(f"{bench.mark}-{run}")
    bench.vault.drop_clone(base, {"d0": name})
    bench.vault.verify(base)


def shown_copy(bench: Bench, room: Room) -> object:
    return bench.portrait(bench.place.volume, f"/t/{room.run}/data/d0")


def test_what_a_clone_was_not_written_to_is_linked_and_not_copied(bench: Bench, clone: tuple[Source, ...]) -> None:
    room = bench.room("play")
    (measured,), _ = bench.vault.measure(bench.place, clone)
    assert measured.new_bytes < 1_000_000 < 3_000_000 < measured.size_bytes
    warm = bench.vault.warm_copy(room, clone)
    assert warm.how == "links"
    assert warm.copied_bytes < 1000
    assert 0 < warm.copied_entries < 20
    assert bench.vault.cold_copy(room, clone).copied_bytes < 1000
    bench.vault.seal(room, clone, {})
    assert shown_copy(bench, room) == bench.portrait(clone[0].volume)
    bench.vault.verify(room)


def test_what_is_written_after_the_warm_copy_of_a_clone_is_found(bench: Bench, clone: tuple[Source, ...]) -> None:
    room = bench.room("play")
    bench.vault.warm_copy(room, clone)
    bench.shell(clone[0].volume, "echo later >many/100; rm big; mv many/deep deeper; echo x >deeper/b")
    bench.vault.cold_copy(room, clone)
    bench.vault.seal(room, clone, {})
    assert shown_copy(bench, room) == bench.portrait(clone[0].volume)
    bench.vault.verify(room)


def test_a_clone_is_restored_by_what_differs_alone(bench: Bench, clone: tuple[Source, ...]) -> None:
    room = bench.snapshot("play", clone)
    before = bench.portrait(clone[0].volume)
    bench.shell(clone[0].volume, "rm -r many/deep; echo 9 >big; echo 1 >many/200; rm many/201; chmod 700 many/202")
    restored = bench.vault.restore(room, clone)
    assert restored.copied_entries < 20
    assert bench.portrait(clone[0].volume) == before
    (altered,) = bench.vault.changes(room, clone)
    assert (altered.added, altered.changed, altered.deleted) == (0, 0, 0)
