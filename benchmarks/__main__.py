"""Measure upgrades and snapshots on the engine of DOCKER_HOST and write the results; it asserts no figure."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from benchmarks import fleet
from benchmarks.copies import measure_copies
from benchmarks.downtime import WAYS, Upgrade, measure_upgrade
from benchmarks.ground import docker, laid_out
from benchmarks.loads import FULL, SMOKE, USUAL, Load
from benchmarks.plot import svg_from
from benchmarks.table import Result, text_from

RESULTS = Path(__file__).parent / "results"


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure every load and write the table and the plot."""
    asked = _parser().parse_args(arguments)
    loads = SMOKE if asked.smoke else FULL if asked.full else USUAL
    before = os.getloadavg()[0]
    results = [measure(load, asked.rounds) for load in loads]
    asked.out.mkdir(parents=True, exist_ok=True)
    conditions = (*conditions_here(), f"load average {before:.1f} before, {os.getloadavg()[0]:.1f} after (the "
                  "measurement's own included)", f"medians of {asked.rounds}")  # fmt: skip
    text = text_from(results, conditions)
    (asked.out / "results.md").write_text(text)
    (asked.out / "downtime.svg").write_text(svg_from(results))
    print(text)
    fleet.main(asked.out, *((5, 1) if asked.smoke else ()))


def measure(load: Load, rounds: int) -> Result:
    """Everything on one load; the ways take turns, so that a slow moment does not fall upon one of them."""
    with laid_out(load) as ground:
        upgrades = {way: list[Upgrade]() for way in WAYS}
        for number in range(rounds):
            for way in WAYS:
                _tell(f"{load.name}: {way}, round {number + 1}")
                upgrades[way].append(measure_upgrade(ground, way))
        _tell(f"{load.name}: copies")
        return Result(load, upgrades, [measure_copies(ground, load) for _ in range(rounds)])


def conditions_here() -> tuple[str, ...]:
    """On what it was measured."""
    engine = docker("info", "--format", "Engine {{.ServerVersion}}, {{.Driver}}, {{.NCPU}} cores")
    status = docker("info", "--format", "{{range .DriverStatus}}{{index . 0}}: {{index . 1}}\n{{end}}")
    filesystem = next((line for line in status.splitlines() if "Filesystem" in line), "Backing Filesystem: unknown")
    return f"{datetime.now(UTC):%Y-%m-%d}", engine.strip(), filesystem


def _tell(words: str) -> None:
    print(f"{words} (load {os.getloadavg()[0]:.1f})", file=sys.stderr, flush=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--full", action="store_true", help="5 GiB and 100,000 files as well")
    parser.add_argument("--smoke", action="store_true", help="only a little data, to see that it works")
    parser.add_argument("--rounds", type=int, default=3, metavar="N")
    parser.add_argument("--out", type=Path, default=RESULTS, metavar="DIR")
    return parser


if __name__ == "__main__":
    try:
        main()
    except subprocess.CalledProcessError as failed:
        sys.exit(f"{failed}\n{failed.stderr}")
