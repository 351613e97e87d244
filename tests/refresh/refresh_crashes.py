"""Breaks a refresh at every single operation on the disk, in processes of its own; prints how many there were.

Usage: refresh_crashes.py FOLDER kill|fail. FOLDER holds old, new, tree; it gets a copy of the tree for every point.
An audit hook sees each operation before it happens: there the process dies, or the disk says it is full.
"""

from __future__ import annotations

import errno
import os
import shutil
import sys
from functools import partial
from pathlib import Path

from runner.errors import RefloatError
from runner.refresh.apply import tree_of_our_own
from runner.refresh.choices import Conflict, answer_by_policy
from runner.refresh.root import Root
from runner.refresh.run import Trees, refresh
from tests.refresh.refresh_trees import Picture, picture

BREAKABLE = {"os.rename", "os.mkdir", "os.symlink", "os.remove", "os.rmdir", "os.chmod", "os.chown"}
KILLED, FULL, DONE = 9, 28, 0


def break_at(point: int, way: str) -> None:
    left = [point]

    def hook(event: str, arguments: tuple[object, ...]) -> None:
        writes = event == "open" and isinstance(arguments[2], int) and bool(arguments[2] & os.O_WRONLY)
        if event not in BREAKABLE and not writes:
            return
        left[0] -= 1
        if left[0] == 0 and way == "kill":
            os._exit(KILLED)
        if left[0] == 0:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    sys.addaudithook(hook)


def run(folder: Path, tree: Path) -> None:
    trees = Trees(folder / "old", folder / "new", tree)
    refresh(trees, partial(answer_by_policy, Conflict.INSTALL))


def broken_at(folder: Path, tree: Path, point: int, way: str) -> int:
    child = os.fork()
    if child == 0:
        break_at(point, way)
        try:
            run(folder, tree)
        except RefloatError:
            os._exit(FULL)
        os._exit(DONE)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def check_kill(folder: Path, tree: Path, before: Picture, after: Picture) -> None:
    once_more = tree.with_name(f"{tree.name}-once-more")
    shutil.copytree(tree, once_more, symlinks=True)
    with Root(tree) as root, tree_of_our_own(root):
        pass
    found = {path: seen for path, seen in picture(tree).items() if not path.startswith(".refloat-refresh")}
    assert found in (before, after), "a third place after undoing"
    run(folder, once_more)
    assert picture(once_more) == after, "a second run does not finish"
    shutil.rmtree(once_more)


def main(folder: Path, way: str) -> int:
    before = picture(folder / "tree")
    shutil.copytree(folder / "tree", folder / "whole", symlinks=True)
    run(folder, folder / "whole")
    after = picture(folder / "whole")
    for point in range(1, 1000):
        tree = folder / f"tree-{point}"
        shutil.copytree(folder / "tree", tree, symlinks=True)
        status = broken_at(folder, tree, point, way)
        if status == KILLED:
            check_kill(folder, tree, before, after)
        else:
            assert status in (FULL, DONE), status
            found = {path: seen for path, seen in picture(tree).items() if not path.startswith(".refloat-refresh")}
            assert found == (before if status == FULL else after), f"a third place at point {point}"
            if status == DONE and not (tree / ".refloat-refresh").exists():
                return point
        shutil.rmtree(tree)
    return 0


if __name__ == "__main__":
    print(main(Path(sys.argv[1]), sys.argv[2]))
