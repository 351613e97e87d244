"""The image that copies data: what it is made of, and making it where the engine has none; it runs no container.

Its Dockerfile and program come with refloat; where it cannot be built, the same program goes with this machine's own
Python. Nothing else copies: the engine's own archives keep no fractions of a second, no ACLs, hardly any attributes and
no sockets, so what they put back would not be equal to what was there.
"""

from __future__ import annotations

import hashlib
import io
import os
import tarfile
from collections.abc import Callable, Iterable
from pathlib import Path

from runner.engine.port import EnginePort
from runner.errors import NOTHING_TOUCHED, EngineError, EngineUnreachable, NotFound, OutcomeUnknown
from runner.facts import Image
from runner.vault.own_programs import OPTIONAL, missing, packed_programs, why_not
from runner.vault.port import VaultError

MADE_OF = "refloat.tools.content"
"""The label that says what an image was made of; one made by hand has none, and is taken as it is."""
WITHOUT = "refloat.tools.without"
"""The label of an image that was made of a machine's own programs: that, and which of them were not there."""
OWN = "own-programs"
BASE = "REFLOAT_TOOLS_BASE"
"""The variable that names another base image than the Dockerfile's, such as a mirror's."""
HERE = Path(__file__).parent


def folder() -> Path:
    """Where the Dockerfile is: in the installed package, or in the source tree."""
    packaged = HERE / "image"
    return packaged if packaged.is_dir() else HERE.parents[1] / "images/tools"


def build_command(image: str) -> str:
    """How to make the image by hand."""
    return f"docker build --tag {image} {folder()}"


def ensure_tools_image(engine: EnginePort, name: str, tell: Callable[[str], None]) -> None:
    """See that the image is there and of this version of refloat, or make it. VaultError ``no-tools``."""
    files = _files()
    key = _key(files)
    found = _found(engine, name)
    if found and found.labels.get(MADE_OF, key) == key:
        return
    tell(f"building {name}, which copies the data (once)")
    arguments = {"BASE": os.environ[BASE]} if os.environ.get(BASE) else {}
    try:
        engine.build(_packed(files), name, arguments=arguments, labels={MADE_OF: key, WITHOUT: ""})
    except (EngineUnreachable, OutcomeUnknown):
        raise
    except EngineError as no:
        _make_of_own_programs(engine, name, key, files, no, tell)


def _make_of_own_programs(
    engine: EnginePort, name: str, key: str, files: dict[str, bytes], no: EngineError, tell: Callable[[str], None]
) -> None:
    unfit = why_not(engine.engine())
    if unfit:
        what = f"It could not be built here: {no.what} Nor can it be made of this machine's own programs: {unfit}."
        raise no_tools(name, what) from no
    lacking = missing()
    labels = {MADE_OF: key, WITHOUT: " ".join((OWN, *lacking))}
    tell(f"it cannot be built: {no.what}")
    with packed_programs(files) as tar:
        engine.import_root(tar, name, labels=labels)
    tell(f"{name} is made of this machine's own programs instead{told_of_missing(lacking)}")


def told_of_missing(lacking: Iterable[str]) -> str:
    """What an image of this machine's own programs cannot do, as the end of a sentence."""
    words = [f"without {name}: no {OPTIONAL[name]}" for name in lacking]
    return f" ({'; '.join(words)})" if words else ""


def own_programs_of(image: Image) -> str | None:
    """Where the image is made of a machine's own programs, what it cannot do; None for one that was built."""
    words = image.labels.get(WITHOUT, "").split()
    return told_of_missing(name for name in words[1:] if name in OPTIONAL) if words[:1] == [OWN] else None


def no_tools(name: str, why: str) -> VaultError:
    """The image that copies is missing, or is another."""
    what = f"The image {name}, which copies data for refloat, is not on this engine. {why}"
    then = (
        f"Where the engine reaches no registry, name a base image it has, Debian or Ubuntu: export {BASE}=IMAGE\n"
        f"Or build it elsewhere and bring it here: {build_command(name)}; docker save {name} | docker --host HOST load"
    )
    return VaultError("no-tools", what, NOTHING_TOUCHED, then)


def _found(engine: EnginePort, name: str) -> Image | None:
    try:
        return engine.image(name)
    except NotFound:
        return None


def _files() -> dict[str, bytes]:
    """The build's context by path."""
    root = folder()
    paths = (path for path in root.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in sorted(paths)}


def _key(files: dict[str, bytes]) -> str:
    whole = hashlib.sha256()
    for name, content in files.items():
        whole.update(f"{name}\0{len(content)}\0".encode() + content)
    return whole.hexdigest()[:16]


def _packed(files: dict[str, bytes]) -> bytes:
    whole = io.BytesIO()
    with tarfile.open(fileobj=whole, mode="w") as tar:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            member.mode = 0o755 if content.startswith(b"#!") else 0o644
            tar.addfile(member, io.BytesIO(content))
    return whole.getvalue()
