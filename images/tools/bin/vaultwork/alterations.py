"""What became of a source since it was sealed: the files added, changed and deleted; it only reads.

A file's record is what counts, as in a cold copy; where only its ctime moved (an overlay copies a file up as soon as
it is opened for writing), its content decides. Folders are not counted.
"""

from __future__ import annotations

import os
from typing import NamedTuple, TypedDict

from vaultwork.copying import content_digest
from vaultwork.listing import Entry, Listing, at
from vaultwork.manifest import Known, Manifest
from vaultwork.manifest_file import load
from vaultwork.places import Place, list_source
from vaultwork.trouble import Trouble

_SHOWN = 50


class FileTold(TypedDict):
    """One file: added, changed or deleted, and its length before and after."""

    kind: str
    path: str
    before_bytes: int
    after_bytes: int


class AlteredTold(TypedDict):
    """One source: how many files of each kind, their bytes (after; of the deleted before), and the biggest of them."""

    key: str
    added: int
    changed: int
    deleted: int
    added_bytes: int
    changed_bytes: int
    deleted_bytes: int
    biggest: list[FileTold]


class _File(NamedTuple):
    kind: str
    path: bytes
    before_bytes: int
    after_bytes: int

    @property
    def size_bytes(self) -> int:
        """What it counts for."""
        return self.before_bytes if self.kind == "deleted" else self.after_bytes


def altered(place: Place, key: str) -> AlteredTold:
    """Compare a source, which may be in use, with the manifest of its sealed copy."""
    manifest = load(place.manifest)
    if manifest is None:
        raise Trouble("damaged", f"The snapshot is damaged: the manifest of {key} is missing.")
    files = _files(place.source, manifest, list_source(place, in_use=True))
    kinds = {kind: [each.size_bytes for each in files if each.kind == kind] for kind in ("added", "changed", "deleted")}
    biggest = sorted(files, key=lambda each: (-max(each.before_bytes, each.after_bytes), each.path))[:_SHOWN]
    return {
        "key": key,
        "added": len(kinds["added"]),
        "changed": len(kinds["changed"]),
        "deleted": len(kinds["deleted"]),
        "added_bytes": sum(kinds["added"]),
        "changed_bytes": sum(kinds["changed"]),
        "deleted_bytes": sum(kinds["deleted"]),
        "biggest": [_told(each) for each in biggest],
    }


def _files(root: bytes, manifest: Manifest, listing: Listing) -> list[_File]:
    known, before, now = manifest.known, _without_folders(manifest.listing()), _without_folders(listing)
    both = before.keys() & now.keys()
    moved = (path for path in both if not known[path].describes(now[path]))
    changed = (path for path in moved if _is_other(at(root, path), now[path], known[path]))
    return [
        *(_File("added", path, 0, now[path].size_bytes) for path in now.keys() - both),
        *(_File("changed", path, before[path].size_bytes, now[path].size_bytes) for path in changed),
        *(_File("deleted", path, before[path].size_bytes, 0) for path in before.keys() - both),
    ]


def _without_folders(listing: Listing) -> Listing:
    return {path: entry for path, entry in listing.items() if entry.kind != b"d"}


def _is_other(path: bytes, entry: Entry, known: Known) -> bool:
    if entry.meta != known.meta or entry.extra != known.extra:
        return True
    if entry.kind != b"f" or not known.content:
        return False
    try:
        return content_digest(path) != known.content
    except FileNotFoundError:
        return True  # it is in use, and gone since it was listed


def _told(file: _File) -> FileTold:
    path = os.fsdecode(file.path).encode("utf-8", "replace").decode()
    return {"kind": file.kind, "path": path, "before_bytes": file.before_bytes, "after_bytes": file.after_bytes}
