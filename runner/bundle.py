"""The bundle's file: a tar of a head, the recipe, the images as saved, and checksums last; it asks no engine."""

from __future__ import annotations

import hashlib
import tarfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

from pydantic import TypeAdapter, ValidationError

from runner.errors import Refused, UsageError
from runner.facts import Fact

FORMAT = 1
HEAD, RECIPE, IMAGES, SUMS = "refloat-bundle.json", "recipe.yaml", "images.tar", "checksums.json"
PIECE_BYTES = 1024 * 1024
_SUMS = TypeAdapter(dict[str, str])


class Packed(Fact):
    """One image in a bundle."""

    ref: str
    id: str


class BundleHead(Fact):
    """What a bundle is for and what it holds."""

    format: int = FORMAT
    made_at: str
    target: str
    path: tuple[str, ...]
    """The versions in order, the start first."""
    images: tuple[Packed, ...]
    os: str
    architecture: str
    recipe: str = ""
    own_recipe: bool = False
    """Whether the recipe is the user's, so that nobody else has it."""


def write_bundle(file: Path, head: BundleHead, recipe: str, pieces: Iterable[bytes]) -> int:
    """Write it beside its place and put it there when it is whole; its size in bytes. UsageError ``not-writable``."""
    part = file.with_name(f"{file.name}.part")
    try:
        try:
            with part.open("wb") as out:
                sums = {HEAD: _add(out, HEAD, [head.model_dump_json(indent=2).encode()])}
                sums[RECIPE] = _add(out, RECIPE, [recipe.encode()])
                sums[IMAGES] = _add(out, IMAGES, pieces)
                _add(out, SUMS, [_SUMS.dump_json(sums, indent=2)])
                out.write(bytes(2 * tarfile.BLOCKSIZE))
            part.replace(file)
        finally:
            part.unlink(missing_ok=True)
        return file.stat().st_size
    except OSError as wrong:
        what = f"{file} cannot be written: {wrong.strerror}."
        raise UsageError("not-writable", what, then="Name another file, or make room.") from None


def _add(out: BinaryIO, name: str, pieces: Iterable[bytes]) -> str:
    """Append a member of a size not known before: its header is written when the content is there. Gives its sum."""
    at, size, digest = out.tell(), 0, hashlib.sha256()
    out.write(bytes(tarfile.BLOCKSIZE))
    for piece in pieces:
        out.write(piece)
        size += len(piece)
        digest.update(piece)
    out.write(bytes(-size % tarfile.BLOCKSIZE))
    end = out.tell()
    info = tarfile.TarInfo(name)
    info.size = size
    out.seek(at)
    out.write(info.tobuf(tarfile.GNU_FORMAT))  # one block, also for more than 8 GiB
    out.seek(end)
    return digest.hexdigest()


def read_bundle(file: Path) -> tuple[BundleHead, str]:
    """Head and recipe, once all of the file is proven whole; Refused ``bundle-foreign`` and ``bundle-damaged``."""
    with _opened(file) as tar:
        try:
            head = BundleHead.model_validate_json(_content(tar, HEAD))
            _check_sums(tar, file)
            return head, _content(tar, RECIPE).decode()
        except (tarfile.TarError, ValidationError, KeyError, OSError, EOFError, UnicodeError):
            raise _damaged(file) from None


def _opened(file: Path) -> tarfile.TarFile:
    """What begins as a bundle does: whatever is wrong behind that is damage."""
    try:
        tar = tarfile.open(file, "r:")  # noqa: SIM115 -- closed by who asked for it
    except FileNotFoundError:
        raise UsageError("no-bundle", f"There is no file {file}.") from None
    except OSError as wrong:
        raise UsageError("no-bundle", f"{file} cannot be read: {wrong.strerror}.") from None
    except tarfile.TarError:
        raise _foreign(file) from None
    first = tar.next()  # read when it was opened
    if first is None or first.name != HEAD:
        tar.close()
        raise _foreign(file)
    return tar


def _check_sums(tar: tarfile.TarFile, file: Path) -> None:
    known = _SUMS.validate_json(_content(tar, SUMS))
    if tar.getnames() != [HEAD, RECIPE, IMAGES, SUMS] or set(known) != {HEAD, RECIPE, IMAGES}:
        raise _damaged(file)
    for name, expected in known.items():
        digest = hashlib.sha256()
        for piece in _pieces(tar, name):
            digest.update(piece)
        if digest.hexdigest() != expected:
            raise _damaged(file)


def images_in(file: Path) -> Iterator[bytes]:
    """The images as the engine saved them, piece by piece."""
    with tarfile.open(file, "r:") as tar:
        yield from _pieces(tar, IMAGES)


def _pieces(tar: tarfile.TarFile, name: str) -> Iterator[bytes]:
    member = tar.getmember(name)
    source, left = tar.extractfile(member), member.size
    while source is not None and left > 0:
        piece = source.read(min(PIECE_BYTES, left))
        if not piece:
            raise EOFError(name)
        left -= len(piece)
        yield piece


def _content(tar: tarfile.TarFile, name: str) -> bytes:
    return b"".join(_pieces(tar, name))


def _foreign(file: Path) -> Refused:
    return Refused("bundle-foreign", f"{file} is no bundle of refloat's.", then="Make one: refloat bundle create")


def _damaged(file: Path) -> Refused:
    return Refused("bundle-damaged", f"The bundle {file} is damaged: nothing of it was loaded.", then="Copy it again.")
