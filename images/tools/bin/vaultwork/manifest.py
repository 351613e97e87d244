"""The manifest of one source: every entry as it was in the source, and the digests of its copy; it never seals.

A file of NUL-ended fields: a JSON header, then seven fields an entry in the order of ``Known`` after the path. It
is written when the warm copy is made (holding only what is known to be copied well), and whole after the cold copy.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from itertools import repeat
from typing import NamedTuple, TypeVar

from vaultwork.copying import attributes_digest, content_digest
from vaultwork.listing import Entry, Listing, at, ctime_s

FORMAT = 1
_FIELDS = 7
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


_known_of: Callable[[type[Known], Iterable[bytes]], Known] = tuple.__new__  # as listing._entry_of


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
        files = [meta for path, (meta, _, _, leader, _, _) in self.known.items()
                 if meta[0] == _FILE and (not leader or leader == path)]  # fmt: skip
        return Totals(len(self.known), sum([int(meta.split(b" ", 5)[4]) for meta in files]))

    def listing(self) -> Listing:
        """The entries as a listing."""
        return {path: _entry(known) for path, known in self.known.items()}


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


def load(path: bytes) -> Manifest | None:
    """Read a manifest; None where there is none."""
    try:
        with open(path, "rb") as file:
            return manifest_from(file.read())
    except FileNotFoundError:
        return None


def manifest_from(content: bytes) -> Manifest:
    """A manifest from the content of its file."""
    fields = content.split(b"\0")
    header = json.loads(fields[0])
    entries = fields[1:-1]
    columns = (entries[i::_FIELDS] for i in range(1, _FIELDS))
    known = dict(zip(entries[0::_FIELDS], map(_known_of, repeat(Known), zip(*columns, strict=True)), strict=True))
    return Manifest(int(header["settled_s"]), known)


def load_totals(path: bytes) -> Totals:
    """Read no more than how much a source is."""
    with open(path, "rb") as file:
        header, _, _ = file.read(1000).partition(b"\0")
    return Totals(*json.loads(header)["totals"])


def save(path: bytes, manifest: Manifest) -> None:
    """Write a manifest, whole or not at all."""
    header = {"format": FORMAT, "settled_s": manifest.settled_s, "totals": manifest.totals()}
    entries = [b"\0".join((name, *manifest.known[name])) for name in sorted(manifest.known)]
    write_whole(path, b"\0".join((json.dumps(header).encode(), *entries, b"")))


def write_whole(path: bytes, content: bytes) -> None:
    """Write a file so that after any crash it has its old content or the new one."""
    part = path + b".part"
    with open(part, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    os.rename(part, path)
    sync_folder(os.path.dirname(path))


def sync_folder(path: bytes) -> None:
    """Make the names in a folder durable."""
    number = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(number)
    finally:
        os.close(number)


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
