"""Files and commands inside a container of the memory engine: answers, and tars in and out; it runs nothing."""

from __future__ import annotations

import io
import tarfile

from runner.engine.memory.cell import Cell
from runner.engine.memory.life import health_argv, is_healthy, missing_path
from runner.engine.memory.world import STANDS, World
from runner.engine.queries import within
from runner.errors import Conflict
from runner.facts import Finished, MountKind

NOT_FOUND = "OCI runtime exec failed: exec failed: executable file not found in $PATH: unknown\r\n"


def answer(world: World, cell: Cell, argv: tuple[str, ...]) -> Finished:
    """Say what a command in the container says."""
    status, behaviour = cell.container.state.status, world.behaviour(cell)
    if status != "running":
        code = "conflict" if status == "paused" else "not-running"
        raise Conflict(
            code, f"Container {cell.container.id} is {'paused' if status == 'paused' else 'not running'}", STANDS
        )
    if argv and argv == health_argv(cell):
        return Finished(exit_code=0 if is_healthy(world, cell) else 1)
    for each in behaviour.answers:
        if each.argv == argv:
            stdout = read(world, cell, each.path) if each.path else each.stdout
            return Finished(exit_code=each.exit_code, stdout=(stdout or "").encode())
    if len(argv) == 2 and argv[0] == "cat":
        return shown(read(world, cell, argv[1]), argv[1])
    return Finished(exit_code=0) if behaviour.obeys else Finished(exit_code=126, stdout=NOT_FOUND.encode())


def read(world: World, cell: Cell, path: str) -> str | None:
    """Read one file; None where there is none."""
    contents, inside = world.contents(cell, path)
    return contents.get(inside)


def shown(content: str | None, path: str) -> Finished:
    """What ``cat`` says."""
    if content is None:
        return Finished(exit_code=1, stderr=f"cat: can't open '{path}': No such file or directory\n".encode())
    return Finished(exit_code=0, stdout=content.encode())


def tree(world: World, cell: Cell) -> dict[str, str]:
    """All files a container sees, by absolute path."""
    seen = dict(cell.layer)
    for mount in cell.container.mounts:
        if mount.kind in (MountKind.VOLUME, MountKind.BIND):
            seen |= {f"{mount.destination}/{path}": token for path, token in world.stored(mount).items()}
    return seen


def pack(world: World, cell: Cell, path: str, at_most_bytes: int = 0) -> bytes:
    """Yield a tar of a file, or of a folder with its name as the first part, as the engine does."""
    top, parent = path.rstrip("/"), path.rstrip("/").rpartition("/")[0]
    found = {name: token for name, token in tree(world, cell).items() if f"{name}/".startswith(f"{top}/")}
    if not found and top not in {mount.destination for mount in cell.container.mounts}:
        raise missing_path(path)
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        for name, token in sorted(found.items()):
            member = tarfile.TarInfo(name.removeprefix(f"{parent}/"))
            member.size = len(token.encode())
            tar.addfile(member, io.BytesIO(token.encode()))
    return within((packed.getvalue(),), at_most_bytes, path)


def unpack(world: World, cell: Cell, path: str, packed: bytes) -> None:
    """Put the files of a tar below a folder."""
    with tarfile.open(fileobj=io.BytesIO(packed)) as tar:
        for member in tar.getmembers():
            opened = tar.extractfile(member) if member.isfile() else None
            if opened:
                contents, inside = world.contents(cell, f"{path.rstrip('/')}/{member.name}")
                contents[inside] = opened.read().decode("utf-8", "replace")
