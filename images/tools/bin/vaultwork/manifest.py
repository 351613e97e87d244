"""The manifest of one source: every entry as it was in the source, and the digests of its copy; it never seals."""

from __future__ import annotations

import os
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple, TypeVar

from vaultwork.copying import attributes_digest, content_digest
from vaultwork.listing import Entry, Listing, at, ctime_s

T = TypeVar("T")
_FILE = ord("f")
_WORTH_A_THREAD_BYTES = 1 << 20


class Known(NamedTuple):
    """One entry; the first three are find's record of the source, as in listing.Entry."""

    meta: bytes
    extra: bytes
    ident: bytes
    leader: bytes
    """The first path that is hard linked with this one; empty where there is none."""
    attributes: bytes
    content: bytes

    def describes(self, entry: Entry) -> bool:
        """Whether the source's entry is untouched since."""
        return self.ident == entry.ident and self.meta == entry.meta and self.extra == entry.extra


class Totals(NamedTuple):
    """How much a source is: entries of every kind, and bytes of content with hard links counted once."""

    entries: int
    size_bytes: int


class Manifest(NamedTuple):
    """All that is known of one source; a ctime before ``settled_s`` proves that an entry is unchanged."""

    settled_s: int
    known: dict[bytes, Known]

    def settled(self) -> dict[bytes, Known]:
        """The entries whose ctime is old enough to prove something."""
        young = [path for path, known in self.known.items() if ctime_s(known.ident) >= self.settled_s]
        return without(self.known, young)

    def leaders(self) -> dict[bytes, bytes]:
        """As listing.leaders has it."""
        return {path: known.leader for path, known in self.known.items() if known.leader}

    def totals(self) -> Totals:
        """How much this is."""
        return totals_of(self.known)

    def listing(self) -> Listing:
        """The entries as a listing."""
        return {path: _entry(known) for path, known in self.known.items()}


def totals_of(known: dict[bytes, Known]) -> Totals:
    """How much these entries are."""
    files = [meta for path, (meta, _, _, leader, _, _) in known.items()
             if meta[0] == _FILE and (not leader or leader == path)]  # fmt: skip
    return Totals(len(known), sum([int(meta.split(b" ", 5)[4]) for meta in files]))


def without(known: dict[bytes, T], paths: Iterable[bytes]) -> dict[bytes, T]:
    """These entries less some."""
    rest = dict(known)
    for path in paths:
        rest.pop(path, None)
    return rest


def _entry(known: Known) -> Entry:
    return Entry(known.meta, known.extra, known.ident, b"")


def unchanged(entry: Entry, known: Known | None, leader: bytes | None) -> bool:
    """Whether a source's entry is what is known of it."""
    return known is not None and known.describes(entry) and known.leader == (leader or b"")


def known_from(entry: Entry, leader: bytes, copy: bytes) -> Known:
    """What is known of an entry whose copy was just made; its content is hashed later, all in one go."""
    return Known(entry.meta, entry.extra, entry.ident, leader, attributes_digest(copy), b"")


def with_content(tree: bytes, known: dict[bytes, Known]) -> dict[bytes, Known]:
    """Hash the copies that have no digest yet; big ones side by side."""
    todo = [path for path, each in known.items() if each.meta[:1] == b"f" and not each.content]
    leaders = dict.fromkeys(known[path].leader or path for path in todo)
    digests = dict(digests_of(tree, leaders, known))
    hashed = {path: known[path]._replace(content=digests[known[path].leader or path]) for path in todo}
    return {**known, **hashed}


def digests_of(tree: bytes, paths: Iterable[bytes], known: dict[bytes, Known]) -> Iterable[tuple[bytes, bytes]]:
    """The digest of each of these files."""
    big: list[bytes] = []
    for path in paths:
        if _entry(known[path]).size_bytes >= _WORTH_A_THREAD_BYTES:
            big.append(path)
        else:
            yield path, content_digest(at(tree, path))
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        yield from zip(big, pool.map(lambda path: content_digest(at(tree, path)), big), strict=True)
