"""Hashes a whole snapshot again and names every entry that is not what was sealed, and how; it changes none."""

from __future__ import annotations

from vaultwork.copying import attributes_digest
from vaultwork.listing import at, differences, list_tree
from vaultwork.manifest import Known, Manifest, digests_of
from vaultwork.manifest_file import load
from vaultwork.rooms import Room
from vaultwork.sealing import Seal, sealed
from vaultwork.trouble import Trouble, spoken

_NAMED = 5
"""So many are named; the rest is counted."""


def verify(room: Room) -> Seal:
    """Compare every entry with the manifests and hash every file again."""
    content = sealed(room)
    found = [words for told in content["sources"] for words in _complaints(room, told["key"])]
    if found:
        more = f"; and {len(found) - _NAMED} more" if len(found) > _NAMED else ""
        listed = "; ".join(found[:_NAMED]) + more
        raise Trouble("damaged", f"The snapshot of run {room.run} is damaged: {listed}.")
    return content


def _complaints(room: Room, key: str) -> list[str]:
    manifest = load(room.manifest(key))
    if manifest is None:
        return [f"the manifest of {key} is missing"]
    return complaints_about(room.tree(key), manifest, key)


def complaints_about(tree: bytes, manifest: Manifest, key: str) -> list[str]:
    """Each path of a tree that is not as the manifest says, with what is wrong with it."""
    wrong = wrong_in(tree, manifest)
    return [f"{spoken(path)} of {key} {wrong[path]}" for path in _in_order(wrong, manifest.known)]


def wrong_in(tree: bytes, manifest: Manifest) -> dict[bytes, str]:
    """What is wrong with each path of a tree that is not as the manifest says."""
    there = list_tree(tree)
    other, surplus = differences(manifest.listing(), there, manifest.leaders())
    wrong = dict.fromkeys(surplus, "was added")
    wrong |= {path: "has another mode, owner, size or time" if path in there else "is missing" for path in other}
    equal = manifest.known.keys() - wrong.keys()
    wrong |= {path: "has other attributes" for path in equal if _other_attributes(tree, path, manifest.known[path])}
    files = sorted(path for path in manifest.known.keys() - other if _hashed_alone(path, manifest.known[path]))
    hashed = digests_of(tree, files, manifest.known)
    wrong |= {path: "has other content" for path, digest in hashed if digest != manifest.known[path].content}
    return wrong


def _in_order(wrong: dict[bytes, str], known: dict[bytes, Known]) -> list[bytes]:
    """Folders come last: what is wrong in one moves its time as well."""
    return sorted(wrong, key=lambda path: (path in known and known[path].meta[:1] == b"d", path))


def _hashed_alone(path: bytes, known: Known) -> bool:
    return known.meta[:1] == b"f" and known.leader in (b"", path)


def _other_attributes(tree: bytes, path: bytes, known: Known) -> bool:
    return attributes_digest(at(tree, path)) != known.attributes
