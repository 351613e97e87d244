"""Files of a copy are hashed while it is made, and a digest counts only for the file that was read."""

from __future__ import annotations

import hashlib
import os
import random
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from vaultwork.hashing import BIG_BYTES, Hashed, hashed_meanwhile
from vaultwork.listing import list_tree

from tests.pure.vault_trees import await_next_stamp, rewrite_secretly


@contextmanager
def hashed(tree: Path, names: set[bytes]) -> Iterator[dict[bytes, Hashed]]:
    """Hash a copy that is there already, until these are ready; the source is listed as if it were the copy."""
    with hashed_meanwhile(bytes(tree), list_tree(bytes(tree))) as ready:
        while not names <= ready.keys():
            time.sleep(0.001)
        yield ready


def fill(path: Path) -> bytes:
    content = random.Random(path.name).randbytes(BIG_BYTES + 1)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    os.utime(path, ns=(0, 1_000_000_000_123_456_789))
    return content


def test_what_is_finished_is_hashed_and_its_digest_is_of_that_very_file(tmp_path: Path) -> None:
    contents = {f"f{number % 3}/{number}".encode(): b"" for number in range(200)}
    contents = {name: fill(tmp_path / os.fsdecode(name)) for name in contents}
    with hashed(tmp_path, set(contents)) as ready:
        pass
    there = list_tree(bytes(tmp_path))
    assert {name: each.digest.decode() for name, each in ready.items()} == {
        name: hashlib.sha256(content).hexdigest() for name, content in contents.items()
    }
    assert all(each.is_of(there[name]) for name, each in ready.items())


def test_a_digest_of_a_file_that_was_written_to_later_counts_no_more(tmp_path: Path) -> None:
    for name in ("changed", "replaced", "untouched"):
        fill(tmp_path / name)
    with hashed(tmp_path, {b"changed", b"replaced", b"untouched"}) as ready:
        await_next_stamp(bytes(tmp_path.parent))
        rewrite_secretly(bytes(tmp_path / "changed"), random.Random(1))
        (tmp_path / "replaced").unlink()
        fill(tmp_path / "replaced")
    there = list_tree(bytes(tmp_path))
    assert {name for name, each in ready.items() if each.is_of(there[name])} == {b"untouched"}


def test_what_is_small_unfinished_or_has_several_names_is_left_for_later(tmp_path: Path) -> None:
    fill(tmp_path / "done")
    fill(tmp_path / "one")
    os.link(tmp_path / "one", tmp_path / "other")
    (tmp_path / "small").write_text("text")
    fill(tmp_path / "half")
    fill(tmp_path / "later")
    listing = list_tree(bytes(tmp_path))
    os.truncate(tmp_path / "half", BIG_BYTES)
    os.utime(tmp_path / "later")
    with hashed_meanwhile(bytes(tmp_path), listing) as ready:
        while not ready:
            time.sleep(0.001)
    assert ready.keys() == {b"done"}
