"""Small trees written as text, and pictures of trees exact to the byte, the mode and the link; for tests only."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import typer
from typer.testing import CliRunner

from runner.cli.refresh import refresh_command
from runner.errors import RefloatError

Picture = dict[str, tuple[str, int, bytes]]
Thing = str | bytes | tuple[str | bytes | None, int]


def grow(root: Path, things: Mapping[str, Thing]) -> Path:
    """Make a tree: ``"a/": ""`` is a directory, ``"a@": "b"`` a link, all else a file; a pair brings its mode."""
    root.mkdir(parents=True, exist_ok=True)
    for name, thing in things.items():
        content, mode = thing if isinstance(thing, tuple) else (thing, None)
        path = root / name.rstrip("/@")
        path.parent.mkdir(parents=True, exist_ok=True)
        if name.endswith("/"):
            path.mkdir(exist_ok=True)
        elif name.endswith("@"):
            path.symlink_to(str(content))
        else:
            path.write_bytes(content if isinstance(content, bytes) else str(content).encode())
        if mode is not None:
            path.chmod(mode)
    return root


def picture(root: Path) -> Picture:
    """Take a picture of everything below a directory."""
    found: Picture = {}
    for folder, directories, files in os.walk(root):
        for name in (*directories, *files):
            path = Path(folder) / name
            found[str(path.relative_to(root))] = _picture_of(path)
    return found


def _picture_of(path: Path) -> tuple[str, int, bytes]:
    seen = path.lstat()
    if stat.S_ISLNK(seen.st_mode):
        return "link", 0, os.fsencode(path.readlink())
    if stat.S_ISREG(seen.st_mode):
        return "file", stat.S_IMODE(seen.st_mode), path.read_bytes()
    return "dir" if stat.S_ISDIR(seen.st_mode) else "special", stat.S_IMODE(seen.st_mode), b""


class Done(NamedTuple):
    """What a run of the command came to."""

    status: int
    output: str


def refloat_refresh(*arguments: str | Path) -> Done:
    """Run the command without a terminal, in this process."""
    app = typer.Typer()
    app.command()(refresh_command)
    run = CliRunner().invoke(app, [*map(str, arguments)])
    if isinstance(run.exception, RefloatError):
        return Done(run.exception.exit_status, f"{run.output}{run.exception.code}: {run.exception}")
    assert run.exception is None or isinstance(run.exception, SystemExit), run.exception
    return Done(run.exit_code, run.output)
