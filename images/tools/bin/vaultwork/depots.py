"""A folder of archives: written whole under a name that nobody else has or not at all, listed, read; one file each."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import hashlib
import os
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import IO, NamedTuple, cast

from vaultwork.manifest_file import sync_folder, write_whole
from vaultwork.packing import Flow
from vaultwork.trouble import Trouble, complaint

ENDING = ".tar.zst"
_CHUNK_BYTES = 1 << 20


class Written(NamedTuple):
    """One archive that is there, whole and durable."""

    name: str
    size_bytes: int
    sha256: str


def insist_on_writing(folder: Path) -> None:
    """Trouble ``not-writable`` where no archive could be put; what cut-off writers left is removed."""
    if not folder.is_dir():
        raise Trouble("not-writable", "It is no folder.")
    sweep(folder)
    try:
        with tempfile.NamedTemporaryFile(dir=folder, prefix=".refloat-trial-"):
            pass
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise Trouble("no-space", "There is no space left where the archive is to be.") from None
        raise Trouble("not-writable", f"Nothing can be written there: {error.strerror}.") from None


def sweep(folder: Path) -> None:
    """Remove what writers left that were cut off; who is still at work holds a lock on its file."""
    for part in folder.glob(f".*{ENDING}.part"):
        with contextlib.suppress(OSError), part.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            part.unlink()


def put(folder: Path, name: str, flow: Flow) -> Written:
    """Compress a stream into a file of this name, with its checksum beside it; ``name-taken`` where it is there."""
    final, part = folder / name, folder / f".{name}.part"
    try:
        with part.open("xb") as file, _tidied(part):
            fcntl.flock(file, fcntl.LOCK_EX)
            sha256 = _compress(flow.stream, file)
            flow.finish()
            size_bytes = file.tell()
            os.fsync(file.fileno())
            _name(part, final)
        _add_checksum(final, sha256)
    except FileExistsError:
        raise Trouble("name-taken", f"There is an archive {name} already.") from None
    except OSError as error:
        raise _trouble(error) from None
    sync_folder(bytes(folder))
    return Written(name, size_bytes, sha256)


@contextlib.contextmanager
def _tidied(path: Path) -> Iterator[None]:
    try:
        yield
    finally:
        path.unlink(missing_ok=True)


def _add_checksum(final: Path, sha256: str) -> None:
    """Beside it, as sha256sum reads it; where even that finds no room, there is no archive."""
    try:
        write_whole(bytes(final) + b".sha256", f"{sha256}  {final.name}\n".encode())
    except OSError:
        final.unlink()
        raise


def _trouble(error: OSError) -> Trouble:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return Trouble("no-space", "There is no space left where the archive is to be.")
    return Trouble("not-writable", f"The archive could not be written: {error.strerror}.")


def _name(part: Path, final: Path) -> None:
    """Give it its name, never another file's."""
    try:
        os.link(part, final)
    except OSError as error:
        if error.errno not in (errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK):
            raise
        if final.exists():
            raise FileExistsError(errno.EEXIST, "It is there", str(final)) from None
        part.rename(final)  # no hard links here: the name holds this run's own, so nobody else makes the same


def _compress(stream: IO[bytes], file: IO[bytes]) -> str:
    whole = hashlib.sha256()
    argv = ["zstd", "-q", "-3", "-T0", "-c"]
    with (
        tempfile.TemporaryFile() as said,
        subprocess.Popen(argv, stdin=stream, stdout=subprocess.PIPE, stderr=said) as zipping,
    ):
        try:
            while chunk := cast("IO[bytes]", zipping.stdout).read(_CHUNK_BYTES):
                whole.update(chunk)
                file.write(chunk)
            file.flush()
            if zipping.wait():
                said.seek(0)
                raise Trouble("export-failed", f"The archive could not be compressed: {complaint(said.read())}")
        finally:
            zipping.kill()
    return whole.hexdigest()


@contextlib.contextmanager
def read(folder: Path, name: str) -> Iterator[Flow]:
    """The tar stream of an archive; finishing it compares its checksum with the one beside it, if there is one."""
    path = folder / name
    if not path.is_file():
        raise Trouble("no-archive", f"There is no {name}.")
    argv = ["zstd", "-d", "-q", "-c"]
    with (
        path.open("rb") as file,
        subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as unzip,
    ):
        pump = _Pump(file, cast("IO[bytes]", unzip.stdin))
        pump.start()

        def finish() -> None:
            while cast("IO[bytes]", unzip.stdout).read(_CHUNK_BYTES):
                continue
            pump.join()
            wanted = _recorded(path)
            if pump.failed or unzip.wait() or (wanted and pump.whole.hexdigest() != wanted):
                raise Trouble("damaged", f"{name} is damaged: it is not what was written.")

        try:
            yield Flow(cast("IO[bytes]", unzip.stdout), finish)
        finally:
            unzip.kill()
            pump.join()


class _Pump(threading.Thread):
    """Feeds a file to a command, and hashes it on the way."""

    def __init__(self, file: IO[bytes], sink: IO[bytes]) -> None:
        super().__init__(daemon=True)
        self.whole = hashlib.sha256()
        self.failed = False
        self._file = file
        self._sink = sink

    def run(self) -> None:
        """Until the end, or until nobody reads any more."""
        try:
            with self._sink:
                while chunk := self._file.read(_CHUNK_BYTES):
                    self.whole.update(chunk)
                    self._sink.write(chunk)
        except BrokenPipeError:
            self.failed = True
        except OSError:
            self.failed = True


def _recorded(path: Path) -> str:
    beside = path.with_name(f"{path.name}.sha256")
    try:
        return beside.read_text(encoding="ascii", errors="replace").split(" ")[0]
    except FileNotFoundError:
        return ""


def names_in(folder: Path) -> list[str]:
    """The archives of a folder, whole ones all: what is being written has another name."""
    return sorted(path.name for path in folder.glob(f"*{ENDING}") if path.is_file() and not path.name.startswith("."))
