"""Whether a tar stream holds exactly what its manifests say, told while it is read; it unpacks and keeps nothing."""

from __future__ import annotations

import hashlib
import tarfile
from typing import IO

from vaultwork.copying import FOREIGN_ATTRIBUTES, digest_of_attributes
from vaultwork.listing import nanoseconds
from vaultwork.manifest import Known
from vaultwork.packing import Head
from vaultwork.trouble import Trouble, spoken

_CHUNK_BYTES = 1 << 20
_KINDS = {tarfile.DIRTYPE: b"d", tarfile.SYMTYPE: b"l", tarfile.FIFOTYPE: b"p", tarfile.CHRTYPE: b"c",
          tarfile.BLKTYPE: b"b"}  # fmt: skip
_XATTR = "SCHILY.xattr."


def check_stream(stream: IO[bytes], head: Head) -> None:
    """Read a stream from its beginning to its end; Trouble ``damaged`` names the first entry that is not as sealed."""
    trees = {told["key"]: head.manifest(told["key"]).known for told in head.seal["sources"]}
    left = {key: {path for path, known in tree.items() if known.meta[:1] != b"s"} for key, tree in trees.items()}
    try:
        with tarfile.open(fileobj=stream, mode="r|", encoding="utf-8", errors="surrogateescape") as tar:
            for member in tar:
                vars(tar)["members"].clear()  # it remembers each one, and there may be millions
                top, _, rest = _name(member).partition("/")
                if top == "data":
                    key, _, name = rest.partition("/")
                    path = _bytes(name)
                    if path not in left.get(key, ()) or not _agrees(tar, member, path, trees[key]):
                        raise _damaged(path, key)
                    left[key].discard(path)
    except (tarfile.TarError, EOFError):
        raise Trouble("damaged", "It is only the beginning of an archive.") from None
    for key, paths in left.items():
        if paths:
            raise _damaged(min(paths), key)


def _damaged(path: bytes, key: str) -> Trouble:
    return Trouble("damaged", f"It is damaged: {spoken(path)} of {key} is not what was sealed.")


def _name(member: tarfile.TarInfo) -> str:
    """A file with holes and a long name has two: the one with its number in it is for programs that know no holes."""
    return member.pax_headers.get("GNU.sparse.name", member.name).rstrip("/")


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def _agrees(tar: tarfile.TarFile, member: tarfile.TarInfo, path: bytes, tree: dict[bytes, Known]) -> bool:
    known = tree[path]
    if member.islnk():
        linked = tree.get(_bytes(member.linkname.split("/", 2)[2]) if member.linkname.count("/") > 1 else b"")
        return linked is not None and linked.leader == known.leader != b""
    if _meta(member) != _plain(known.meta) or _attributes_digest(member) != known.attributes:
        return False
    if member.issym():
        return _bytes(member.linkname) == known.extra
    if member.isdev() and not member.isfifo():
        return b"%d:%d" % (member.devmajor, member.devminor) == known.extra
    return not member.isreg() or _content_digest(tar, member) == known.content


def _meta(member: tarfile.TarInfo) -> tuple[bytes, ...]:
    """Type, mode, owner, group, size and mtime in nanoseconds, as the manifest has them."""
    kind = _KINDS.get(member.type, b"f")
    size = member.size if kind == b"f" else 0
    at = member.pax_headers.get("mtime", str(int(member.mtime)))
    fields = (member.mode & 0o7777, member.uid, member.gid, size)
    return (kind, b"%o" % fields[0], *(b"%d" % each for each in fields[1:]), b"%d" % nanoseconds_in_tar(at))


def _plain(meta: bytes) -> tuple[bytes, ...]:
    kind, mode, owner, group, size, at = meta.split(b" ")
    return kind, mode, owner, group, size if kind == b"f" else b"0", b"%d" % nanoseconds(at)


def nanoseconds_in_tar(at: str) -> int:
    """A time in seconds with a fraction, exactly; before 1970 all of it is negative (find writes it otherwise)."""
    whole, _, fraction = at.partition(".")
    part = int(fraction[:9].ljust(9, "0"))
    return int(whole) * 10**9 + (-part if whole.startswith("-") else part)


def _attributes_digest(member: tarfile.TarInfo) -> bytes:
    found = {
        name.removeprefix(_XATTR).replace("%3D", "=").replace("%25", "%"): _bytes(value)
        for name, value in member.pax_headers.items()
        if name.startswith(_XATTR)
    }
    return digest_of_attributes({name: value for name, value in found.items() if name not in FOREIGN_ATTRIBUTES})


def _content_digest(tar: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
    whole, file = hashlib.sha256(), tar.extractfile(member)
    while file and (chunk := file.read(_CHUNK_BYTES)):
        whole.update(chunk)
    return whole.hexdigest().encode()
