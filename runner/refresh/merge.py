"""Three-way merge of one text: bytes in, bytes out, by ``git merge-file``; it never merges binary data."""

from __future__ import annotations

import os
import subprocess
import tempfile
from pathlib import Path
from typing import NamedTuple

from runner.errors import Refused

MERGE_LIMIT_BYTES = 16 * 1024 * 1024
_MOST_CONFLICTS = 127  # git counts conflicts in its exit status up to here; above are its failures


class Merge(NamedTuple):
    """The merged text; with conflicts it holds markers around what did not fit."""

    text: bytes
    conflicts: int


def can_merge(*texts: bytes) -> bool:
    """Whether these are texts of a size a person can read."""
    return all(len(text) <= MERGE_LIMIT_BYTES and b"\0" not in text for text in texts)


def merge(user: bytes, old: bytes, new: bytes) -> Merge:
    """Bring what changed from ``old`` to ``new`` into ``user``; the same change on both sides counts as merged."""
    try:
        with tempfile.TemporaryDirectory(prefix="refloat-merge-") as folder:
            for name, text in (("user", user), ("old", old), ("new", new)):
                (Path(folder) / name).write_bytes(text)
            done = _run_git(folder)
    except OSError as error:
        raise _failed(str(error)) from error
    if done.returncode > _MOST_CONFLICTS or done.returncode < 0:
        raise _failed(done.stderr.decode(errors="replace").strip())
    return Merge(done.stdout, done.returncode)


def _failed(reason: str) -> Refused:
    then = "Check that git works on this machine and that there is room in its folder for temporary files."
    return Refused("refresh-merge-failed", f"A file could not be merged: {reason}", then=then)


def _run_git(folder: str) -> subprocess.CompletedProcess[bytes]:
    # A person's own conflict style would change the markers, so git reads no settings but ours.
    quiet = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
    quiet["GIT_CEILING_DIRECTORIES"] = str(Path(folder).parent)
    clean = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    labels = ("-L", "yours", "-L", "old default", "-L", "new default")
    command = ("git", "-c", "merge.conflictStyle=merge", "merge-file", "-p", "-q", *labels, "user", "old", "new")
    try:
        return subprocess.run(command, cwd=folder, env=clean | quiet, capture_output=True, check=False)
    except FileNotFoundError as missing:
        what = "Both you and the new version changed the same file, and git, which merges it, is not installed."
        raise Refused("refresh-no-git", what, then="Install git, then try again.") from missing
