"""A sealed snapshot as one tar stream, and back; it compresses nothing and knows no place where archives are kept.

The stream: seal.json, taken-from.json, one manifest a source, then the trees. What a manifest says of every entry is
what the stream is checked by, so an archive needs nothing beside it to be proven whole.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import subprocess
import tarfile
import tempfile
from collections.abc import Callable, Iterator
from typing import IO, NamedTuple, cast

from vaultwork.copying import FOREIGN_ATTRIBUTES
from vaultwork.manifest import Manifest
from vaultwork.manifest_file import manifest_from
from vaultwork.rooms import Room
from vaultwork.sealing import Seal, digest_of
from vaultwork.trouble import Trouble, complaint

_ATTRIBUTES = (b"--xattrs", b"--xattrs-include=*", *(b"--xattrs-exclude=" + os.fsencode(n) for n in FOREIGN_ATTRIBUTES))
_HARMLESS = (b"socket ignored", b"file changed as we read it")
"""A socket is made anew from the manifest; a link that another snapshot takes of a sealed file moves its ctime."""
_ENV = {"LC_ALL": "C", "PATH": os.environ.get("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")}


class Flow(NamedTuple):
    """A tar stream that is being read."""

    stream: IO[bytes]
    finish: Callable[[], None]
    """See that it came whole; Trouble ``damaged``, or ``export-failed`` of one that is being made."""


class Head(NamedTuple):
    """What an archive says of itself before the data comes."""

    seal: Seal
    taken_from: bytes
    manifests: dict[str, bytes]

    def manifest(self, key: str) -> Manifest:
        """Everything that must be in the tree of one source."""
        return manifest_from(self.manifests[key])


@contextlib.contextmanager
def packed(room: Room, content: Seal) -> Iterator[Flow]:
    """The room as a tar stream; finishing it raises Trouble ``export-failed`` where not all of it could be read."""
    keys = [told["key"].encode() for told in content["sources"]]
    names = [
        b"seal.json",
        b"taken-from.json",
        *(b"manifests/" + key for key in keys),
        *(b"data/" + key for key in keys),
    ]
    argv = [b"tar", b"--create", b"--format=posix", b"--pax-option=delete=atime,delete=ctime", b"--numeric-owner",
            b"--sparse", *_ATTRIBUTES, b"-C", bytes(room.folder), *names]  # fmt: skip
    with (
        tempfile.TemporaryFile() as said,
        subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=said, env=_ENV) as tar,
    ):
        try:
            yield Flow(cast("IO[bytes]", tar.stdout), lambda: _insist_on_end(tar, said))
        finally:
            tar.kill()


def _insist_on_end(tar: subprocess.Popen[bytes], said: IO[bytes]) -> None:
    status = tar.wait()
    said.seek(0)
    bad = [line for line in said.read().splitlines() if not line.endswith(_HARMLESS)]
    if status > 1 or status < 0 or bad:
        raise Trouble("export-failed", f"The snapshot could not be read: {complaint(bad[-1] if bad else b'tar ended')}")


def read_head(stream: IO[bytes]) -> Head:
    """Read as far as the data; Trouble ``damaged`` where it is no archive of ours, or not what was sealed."""
    papers: dict[str, bytes] = {}
    try:
        with tarfile.open(fileobj=stream, mode="r|", encoding="utf-8", errors="surrogateescape") as tar:
            for member in tar:
                if member.name.startswith("data/") or not member.isreg():
                    break
                file = tar.extractfile(member)
                papers[member.name] = file.read() if file else b""
    except (tarfile.TarError, EOFError):
        raise Trouble("damaged", "It is no archive, or only the beginning of one.") from None
    return head_from(papers)


def head_from(papers: dict[str, bytes]) -> Head:
    """What the first members say, checked against the digest in the seal."""
    try:
        seal = cast("Seal", json.loads(papers["seal.json"]))
        manifests = {told["key"]: papers[f"manifests/{told['key']}"] for told in seal["sources"]}
        digests = [hashlib.sha256(paper).digest() for paper in (papers["taken-from.json"], *manifests.values())]
        whole = digest_of(seal["target"], seal["run"], seal["sources"], digests)
        said = seal["digest"]
    except (KeyError, TypeError, ValueError):
        raise Trouble("damaged", "It is no archive of refloat's, or its beginning is damaged.") from None
    if said != whole:
        raise Trouble("damaged", "It is not what was sealed: its manifests have another digest.")
    return Head(seal, papers["taken-from.json"], manifests)


def unpack(stream: IO[bytes], folder: bytes) -> None:
    """Unpack a stream into an empty folder, with owners, modes, times, attributes, holes and links."""
    argv = [b"tar", b"--extract", b"--numeric-owner", b"--same-owner", b"--preserve-permissions",
            b"--delay-directory-restore", *_ATTRIBUTES, b"-C", folder]  # fmt: skip
    done = subprocess.run(argv, stdin=stream, stderr=subprocess.PIPE, env=_ENV, check=False)
    if b"No space left on device" in done.stderr or b"Disk quota exceeded" in done.stderr:
        raise Trouble("no-space", "There is no space left where the vault is.")
    if done.returncode:
        raise Trouble("damaged", f"It could not be unpacked: {complaint(done.stderr)}")
