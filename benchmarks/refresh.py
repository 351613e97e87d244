"""How long a refresh of 10,000 files takes with 1 % changed on either side; it measures and asserts nothing."""

from __future__ import annotations

import json
import tempfile
import time
from functools import partial
from pathlib import Path

from runner.refresh.choices import Conflict, answer_by_policy
from runner.refresh.run import Trees, opened
from runner.refresh.settle import settle

FILES = 10_000
CHANGED_EVERY = 100


def grow(root: Path, text: str, shift: int) -> Path:
    """Make a tree; every hundredth file, beginning with ``shift``, has a text of its own."""
    for number in range(FILES):
        path = root / f"dir-{number % 100}" / f"file-{number}.cfg"
        path.parent.mkdir(parents=True, exist_ok=True)
        lines = [f"option_{line}={number}\n" for line in range(40)]
        if number % CHANGED_EVERY == shift:
            lines[shift % 40] = text
        path.write_text("".join(lines))
    return root


def measure() -> dict[str, float | int]:
    """Read, decide and settle; in seconds of CPU, without the processes of the merges."""
    with tempfile.TemporaryDirectory(prefix="refloat-bench-") as folder:
        old, new = grow(Path(folder) / "old", "", -1), grow(Path(folder) / "new", "changed=default\n", 1)
        trees = Trees(old, new, grow(Path(folder) / "tree", "changed=user\n", 2))
        start = time.process_time()
        with opened(trees) as world:
            read = time.process_time()
            asks = partial(answer_by_policy, Conflict.INSTALL)
            settlement = settle(world.old_tree, world.look_again(), world.new_tree, asks, world)
        end = time.process_time()
    return {
        "files": FILES,
        "changes": len(settlement.changes),
        "reading_defaults_cpu_s": round(read - start, 3),
        "settling_cpu_s": round(end - read, 3),
    }


if __name__ == "__main__":
    print(json.dumps(measure(), indent=2))
