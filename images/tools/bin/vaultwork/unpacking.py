"""Makes a sealed room of an archive: unpacked, checked entry by entry, then sealed as a snapshot of this target's data.

It never touches the target's data itself.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from contextlib import AbstractContextManager

from vaultwork.listing import at, nanoseconds, parent_of
from vaultwork.manifest import Manifest
from vaultwork.manifest_file import save, write_whole
from vaultwork.packing import Flow, Head, read_head, unpack
from vaultwork.places import wipe
from vaultwork.rooms import Room, ensure_room
from vaultwork.sealing import Seal, SourceTold, seal_written
from vaultwork.trouble import Trouble
from vaultwork.verifying import complaints_about

_SPARE = 1.05
_SPARE_BYTES = 16 << 20


Opener = Callable[[], AbstractContextManager[Flow]]


def head_of(opened: Opener) -> Head:
    """What an archive says of itself."""
    with opened() as flow:
        return read_head(flow.stream)


def bring_in(room: Room, opened: Opener, sources: list[SourceTold]) -> Seal:
    """Unpack an archive into a room of its own and seal that, for sources that the target mounts in the same places."""
    head = head_of(opened)
    pairs = _paired(head.seal, sources)
    _insist_on_space(room, head)
    ensure_room(room)
    incoming = room.folder / "incoming"
    wipe(bytes(incoming))
    incoming.mkdir(mode=0o700)
    with opened() as flow:
        unpack(flow.stream, bytes(incoming))
        flow.finish()
    for theirs, mine in pairs:
        _take_over(room, head, theirs, mine)
    write_whole(bytes(room.folder / "taken-from.json"), head.taken_from)
    shutil.rmtree(incoming)
    subprocess.run(["sync", "-f", str(room.folder)], check=False, capture_output=True)
    return seal_written(room, sources)


def _paired(seal: Seal, sources: list[SourceTold]) -> list[tuple[SourceTold, SourceTold]]:
    """Each source of an archive with the target's of the same place; Trouble ``foreign`` names what has no partner."""
    theirs = {told["destination"]: told for told in seal["sources"]}
    mine = {told["destination"]: told for told in sources}
    if theirs.keys() != mine.keys():
        only = ", ".join(sorted(theirs.keys() - mine.keys())) or "nothing else"
        lacks = ", ".join(sorted(mine.keys() - theirs.keys())) or "nothing"
        what = f"It is of {seal['target']} and does not fit: it holds {only}, and lacks {lacks}."
        raise Trouble("foreign", what)
    return [(theirs[place], mine[place]) for place in sorted(mine)]


def _insist_on_space(room: Room, head: Head) -> None:
    space = os.statvfs(room.vault)
    need = int(head.seal["size_bytes"] * _SPARE) + _SPARE_BYTES
    free = space.f_bavail * space.f_frsize
    if free < need:
        raise Trouble("no-space", f"Unpacking it in the vault needs {need:,} bytes, and {free:,} are free.")


def _take_over(room: Room, head: Head, theirs: SourceTold, mine: SourceTold) -> None:
    """Move one tree to its place and check it; its ctimes are another place's and prove nothing, so none is trusted."""
    tree, known = room.tree(mine["key"]), head.manifest(theirs["key"]).known
    unpacked = bytes(room.folder / "incoming" / "data" / theirs["key"])
    if not os.path.lexists(unpacked):
        raise Trouble("damaged", f"It is damaged: it holds nothing of {theirs['key']}.")
    wipe(tree)
    os.rename(unpacked, tree)
    manifest = Manifest(0, known)
    _make_sockets(tree, manifest)
    wrong = complaints_about(tree, manifest, theirs["key"])
    if wrong:
        raise Trouble("damaged", f"It is damaged: {wrong[0]}{f'; and {len(wrong) - 1} more' if wrong[1:] else ''}.")
    save(room.manifest(mine["key"]), manifest)


def _make_sockets(tree: bytes, manifest: Manifest) -> None:
    """Make what tar knows no word for, and give the folders around back their times."""
    made = [path for path, known in manifest.known.items() if known.meta[:1] == b"s"]
    for path in made:
        _, mode, owner, group, _, when = manifest.known[path].meta.split(b" ")
        os.mknod(at(tree, path), 0o140000 | int(mode, 8))
        os.chown(at(tree, path), int(owner), int(group))
        os.chmod(at(tree, path), int(mode, 8))
        _set_time(at(tree, path), when)
    for folder in {parent_of(path) for path in made if path}:
        _set_time(at(tree, folder), manifest.known[folder].meta.split(b" ")[5])


def _set_time(path: bytes, when: bytes) -> None:
    exact = nanoseconds(when)
    os.utime(path, ns=(exact, exact), follow_symlinks=False)
