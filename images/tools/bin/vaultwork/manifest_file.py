"""How a manifest is kept in a file, whole or in parts; it knows nothing of the tree it is of, nor seals.

A file of NUL-ended fields: a JSON header, then seven fields an entry in the order of ``Known`` after the path. It
is written when the warm copy is made (holding only what is known to be copied well). What the cold copy finds changed
is appended, for somebody waits meanwhile: a header with a digest, the entries that are new or other, and the paths
that are gone. A part that was cut off while it was appended counts as not there: the tree may be newer than the
manifest then, which a crash could always leave, and the next pass compares them.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
from collections.abc import Callable, Iterable, Iterator
from itertools import repeat
from typing import IO, NamedTuple, TypedDict

from vaultwork.manifest import Known, Manifest, Totals, totals_of

FORMAT = 1
_FIELDS = 7
_HEADER_BYTES = 1000
_known_of: Callable[[type[Known], Iterable[bytes]], Known] = tuple.__new__  # as listing._entry_of


class _Header(TypedDict, total=False):
    format: int
    settled_s: int
    totals: tuple[int, int]
    bytes: int
    """How long what follows is."""
    digest: str
    """The SHA-256 of that; only of what was appended."""
    gone: int
    """So many of the last fields are paths that are gone."""


def load(path: bytes) -> Manifest | None:
    """Read a manifest; None where there is none."""
    try:
        with open(path, "rb") as file:
            return manifest_from(file.read())
    except FileNotFoundError:
        return None


def manifest_from(content: bytes) -> Manifest:
    """A manifest from the content of its file."""
    settled_s, known = 0, dict[bytes, Known]()
    for header, start, end in _parts(io.BytesIO(content)):
        fields = content[start:end].split(b"\0")
        entries = len(fields) - 1 - header.get("gone", 0)
        for path in fields[entries:-1]:
            del known[path]
        columns = (fields[i:entries:_FIELDS] for i in range(1, _FIELDS))
        records = map(_known_of, repeat(Known), zip(*columns, strict=True))
        known.update(zip(fields[0:entries:_FIELDS], records, strict=True))
        settled_s = header["settled_s"]
    return Manifest(settled_s, known)


class _Part(NamedTuple):
    header: _Header
    start: int
    end: int


def _parts(file: IO[bytes]) -> Iterator[_Part]:
    """Where in a manifest's file is what was written whole; a first part is, or is not there."""
    at_byte, size_bytes = 0, file.seek(0, os.SEEK_END)
    while at_byte < size_bytes:
        file.seek(at_byte)
        text, ended, _ = file.read(_HEADER_BYTES).partition(b"\0")
        start = at_byte + len(text) + len(ended)
        if at_byte and not (ended and _is_header(text)):
            return
        header: _Header = json.loads(text)
        end = start + header.get("bytes", size_bytes - start)
        if at_byte and header["digest"] != _digest_of(_between(file, start, end)):
            return
        yield _Part(header, start, end)
        at_byte = end


def _is_header(text: bytes) -> bool:
    try:
        return "digest" in json.loads(text)
    except (ValueError, TypeError):
        return False


def _between(file: IO[bytes], start: int, end: int) -> bytes:
    file.seek(start)
    return file.read(end - start)


def _digest_of(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()


def load_totals(path: bytes) -> Totals:
    """Read no more than how much a source is."""
    with open(path, "rb") as file:
        *_, last = _parts(file)
    return Totals(*last.header["totals"])


def save(path: bytes, manifest: Manifest) -> None:
    """Write a manifest, whole or not at all."""
    body = _body(manifest.known, sorted(manifest.known))
    write_whole(path, _header(manifest.settled_s, manifest.totals(), body) + body)


def save_changes(path: bytes, before: Manifest, manifest: Manifest, among: Iterable[bytes]) -> None:
    """Append what is other than ``before``, which must be what the file says; only these paths may be."""
    changed = sorted(name for name in among if before.known.get(name) != manifest.known.get(name))
    new, old = ({name: each.known[name] for name in changed if name in each.known} for each in (manifest, before))
    gone = [name for name in changed if name not in new]
    body = _body(new, new) + b"".join(name + b"\0" for name in gone)
    with open(path, "r+b") as file:
        *_, last = _parts(file)
        totals = _sum(Totals(*last.header["totals"]), totals_of(new), totals_of(old))
        file.seek(last.end)
        file.truncate()
        file.write(_header(manifest.settled_s, totals, body, gone=len(gone), digest=_digest_of(body)) + body)
        file.flush()
        os.fsync(file.fileno())


def _sum(there: Totals, more: Totals, less: Totals) -> Totals:
    return Totals(there.entries + more.entries - less.entries, there.size_bytes + more.size_bytes - less.size_bytes)


def _header(settled_s: int, totals: Totals, body: bytes, **more: object) -> bytes:
    said = {"format": FORMAT, "settled_s": settled_s, "totals": totals, "bytes": len(body), **more}
    return json.dumps(said).encode() + b"\0"


def _body(known: dict[bytes, Known], names: Iterable[bytes]) -> bytes:
    return b"".join([b"%s\0%s\0" % (name, b"\0".join(known[name])) for name in names])


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
