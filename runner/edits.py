"""Changing a file of the user: whole or not at all, with owner, mode and links kept; it decides nothing."""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import tempfile
from pathlib import Path

from runner.steps.nouns import FileEdit


def edit_file(edit: FileEdit, *, back: bool) -> str:
    """Make a change or take it back; why it was not done, empty where the file is as it shall be."""
    wanted, start = (edit.sha256_before, edit.sha256_after) if back else (edit.sha256_after, edit.sha256_before)
    try:
        path = Path(edit.path).resolve(strict=True)
        content = path.read_bytes()
        found = hashlib.sha256(content).hexdigest()
        if found == wanted:
            return ""
        if found != start:
            return "somebody changed it meanwhile"
        _replace(path, edit.revert(content) if back else edit.apply(content))
    except FileNotFoundError:
        return "it is not on this machine"
    except OSError as error:
        return f"{error.strerror}"
    return ""


def _replace(path: Path, content: bytes) -> None:
    """Put a new file in the place of the old one, on the disk before this returns."""
    seen = path.stat()
    number, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".refloat", dir=path.parent)
    draft = Path(name)
    try:
        with os.fdopen(number, "wb") as file:
            file.write(content)
            file.flush()
            shutil.copystat(path, draft)
            _give(draft, seen)
            os.fsync(file.fileno())
        draft.replace(path)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise
    with contextlib.suppress(OSError):  # a folder that cannot be synced has the new name all the same
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def _give(draft: Path, seen: os.stat_result) -> None:
    """The owner of the old one; a new modification time, for this is a change."""
    mine = draft.stat()
    if (mine.st_uid, mine.st_gid) != (seen.st_uid, seen.st_gid):
        os.chown(draft, seen.st_uid, seen.st_gid)
        draft.chmod(seen.st_mode & 0o7777)  # a change of owner may take the set-id bits
    os.utime(draft)
