"""How long a refresh of 10,000 files takes with 1 % changed on either side; it measures and asserts nothing."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from statistics import median

from runner.refresh.choices import Conflict, answer_by_policy
from runner.refresh.run import Trees, opened
from runner.refresh.settle import settle

FILES = 10_000
ROUNDS = 5
RESULTS = Path(__file__).parent / "results"
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


def measure() -> tuple[float, float]:
    """Seconds of CPU for reading both trees of defaults, and for deciding and settling every path."""
    with tempfile.TemporaryDirectory(prefix="refloat-bench-") as folder:
        old, new = grow(Path(folder) / "old", "", -1), grow(Path(folder) / "new", "changed=default\n", 1)
        trees = Trees(old, new, grow(Path(folder) / "tree", "changed=user\n", 2))
        start = time.process_time()
        with opened(trees) as world:
            read = time.process_time()
            asks = partial(answer_by_policy, Conflict.INSTALL)
            settle(world.old_tree, world.look_again(), world.new_tree, asks, world)
        return read - start, time.process_time() - read


def text_from(rounds: Sequence[tuple[float, float]]) -> str:
    """The page of results."""
    reading_s, settling_s = (median(each[part] for each in rounds) for part in (0, 1))
    return f"""# A refresh of configuration: benchmark results

{FILES:,} files in the old defaults, the new ones and the tree; 1 % changed by the new version, another 1 % by the user.
Seconds of CPU, median of {len(rounds)}: `python -m benchmarks.refresh`.

| reading and hashing both trees of defaults | reading the user's tree and deciding every path | in all |
| --: | --: | --: |
| {reading_s:.2f} s | {settling_s:.2f} s | {reading_s + settling_s:.2f} s |
"""


def main() -> None:
    """Measure and publish."""
    text = text_from([measure() for _ in range(ROUNDS)])
    (RESULTS / "refresh.md").write_text(text)
    print(text)


if __name__ == "__main__":
    main()
