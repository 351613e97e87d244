"""The image that copies, made of this machine's own Python and programs; it needs no network, no base and no builder.

For engines that reach no registry. Everything keeps the path it has here, with the shared libraries it is linked to; so
the engine must be of this machine's kind.
"""

from __future__ import annotations

import compileall
import io
import os
import platform
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from py_compile import PycInvalidationMode

from runner.facts import Engine

REQUIRED = {"find": "GNU findutils", "cp": "GNU coreutils", "sync": "GNU coreutils", "sleep": "GNU coreutils",
            "tar": "GNU tar"}  # fmt: skip
OPTIONAL = {
    "zstd": "backups as files",
    "restic": "backups in restic repositories",
    "git": "merging configuration that you and the new version changed",
    "curl": "health checks asked from beside the container",
}
"""What does not work without each of these."""
_PYTHON = "/usr/bin/python3"
_NEEDLESS = frozenset({"site-packages", "dist-packages", "test", "tests", "idlelib", "lib2to3", "tkinter", "turtledemo",
                       "ensurepip", "pydoc_data", "unittest", "venv"})  # fmt: skip
_LIBRARY = re.compile(r"(/\S+) \(0x")
_LOOKED_UP = ("/etc/ld.so.cache", "/etc/ssl/certs/ca-certificates.crt")
_PIECE_BYTES = 1 << 20


def why_not(engine: Engine) -> str:
    """Why this machine's programs cannot copy on that engine; empty where they can."""
    here = f"{sys.platform}/{platform.machine()}"
    if here != f"{engine.os}/{engine.architecture}":
        return f"this machine is {here}, the engine's {engine.os}/{engine.architecture}"
    other = [name for name, maker in REQUIRED.items() if maker not in _version(name)]
    if other:
        return f"there is no {other[0]} of {REQUIRED[other[0]]} here"
    return "" if _interpreter().is_file() and _stdlib().is_dir() else "this Python has no files of its own"


def missing() -> tuple[str, ...]:
    """Which of the optional programs are not here."""
    return tuple(name for name in OPTIONAL if not shutil.which(name))


@contextmanager
def packed_programs(files: Mapping[str, bytes]) -> Iterator[Iterable[bytes]]:
    """The root of the image as a tar, piece by piece; ``files`` is what the Dockerfile would copy, from ``bin/`` on."""
    with tempfile.TemporaryFile() as whole:
        with tarfile.open(fileobj=whole, mode="w") as tar:
            _add_all(tar, files)
        whole.seek(0)
        yield iter(lambda: whole.read(_PIECE_BYTES), b"")


def _add_all(tar: tarfile.TarFile, files: Mapping[str, bytes]) -> None:
    programs = [found for name in (*REQUIRED, *OPTIONAL) if (found := shutil.which(name))]
    python, modules = _interpreter(), list(_modules())
    linked = _libraries([*programs, str(python), *(str(path) for path in modules if path.suffix == ".so")])
    looked_up = [name for name in _LOOKED_UP if Path(name).is_file()]
    for path in map(Path, sorted({*linked, *looked_up})):
        _add(tar, str(path), path)
    for program in map(Path, programs):
        _add(tar, f"/usr/bin/{program.name}", program)
    for path in (python, *modules):
        _add(tar, str(path), path)
    if str(python) != _PYTHON:
        _add_link(tar, _PYTHON, str(python))
    _add_vaultwork(tar, files)


def _add_vaultwork(tar: tarfile.TarFile, files: Mapping[str, bytes]) -> None:
    """The vault's own program, compiled: the root is read-only later."""
    with tempfile.TemporaryDirectory() as folder:
        for name, content in files.items():
            if name.startswith("bin/"):
                path = Path(folder, name.removeprefix("bin/"))
                path.parent.mkdir(exist_ok=True)
                path.write_bytes(content)
                path.chmod(0o755)
        compileall.compile_dir(folder, quiet=2, stripdir=folder, prependdir="/usr/local/bin",
                               invalidation_mode=PycInvalidationMode.UNCHECKED_HASH)  # fmt: skip
        for path in sorted(Path(folder).rglob("*")):
            if path.is_file():
                _add(tar, f"/usr/local/bin/{path.relative_to(folder)}", path)


def _add(tar: tarfile.TarFile, name: str, path: Path) -> None:
    """A file as it is, under a name; where that is a link, what it points to."""
    real = path.resolve()
    member = tarfile.TarInfo(name.lstrip("/"))
    seen = real.stat()
    member.size, member.mtime = seen.st_size, int(seen.st_mtime)  # compiled modules know their source's time
    member.mode = 0o755 if seen.st_mode & 0o111 else 0o644
    with real.open("rb") as file:
        tar.addfile(member, file)


def _add_link(tar: tarfile.TarFile, name: str, to: str) -> None:
    member = tarfile.TarInfo(name.lstrip("/"))
    member.type, member.linkname = tarfile.SYMTYPE, to
    tar.addfile(member, io.BytesIO())


def _version(name: str) -> str:
    path = shutil.which(name)
    return subprocess.run([path, "--version"], capture_output=True, check=False, text=True).stdout if path else ""


def _interpreter() -> Path:
    """The program itself, whatever environment it runs in."""
    return Path(sys.base_prefix, "bin", f"python{sys.version_info.major}.{sys.version_info.minor}").resolve()


def _stdlib() -> Path:
    return Path(os.__file__).parent


def _modules() -> Iterator[Path]:
    """The standard library, less what no program here can need."""
    root = _stdlib()
    for path in root.rglob("*"):
        inner = path.relative_to(root).parts
        needless = _NEEDLESS & set(inner) or inner[0].startswith("config-") or path.name.startswith("_tkinter")
        if not needless and path.is_file():
            yield path


def _libraries(programs: Iterable[str]) -> set[str]:
    """What the loader takes along for these, and the loader; nothing for what is linked statically."""
    said = subprocess.run(["ldd", *programs], capture_output=True, check=False, text=True).stdout
    return set(_LIBRARY.findall(said))
