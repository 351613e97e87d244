"""How long looking takes where fifty containers run, beside docker's own commands; it measures and asserts nothing."""

from __future__ import annotations

import os
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from benchmarks.ground import ROOT, Ground, docker

CONTAINERS = 50
ROUNDS = 9
IMAGE = "refloat-lab/busybox:1"
RESULTS = Path(__file__).parent / "results"
Times = tuple[float, float]
"""Seconds by the clock, and of our own processor time; the engine's and its containers' are in the first alone."""


def main(out: Path = RESULTS, containers: int = CONTAINERS, rounds: int = ROUNDS) -> None:
    """Measure, and write the page."""
    load = os.getloadavg()[0]
    measured = measure(containers, rounds)
    text = text_from(measured, containers, rounds, load)
    (out / "fleet.md").write_text(text)
    print(text)


def measure(containers: int, rounds: int) -> dict[str, list[Times]]:
    """Each command's times; they take turns, so that a slow moment does not fall upon one of them."""
    with fleet(containers) as ground, TemporaryDirectory(prefix="refloat-bench-") as home:
        lines = commands(ground)
        times: dict[str, list[Times]] = {name: [] for name in lines}
        for _ in range(rounds + 1):
            for name, line in lines.items():
                times[name].append(times_of(line, home))
        return {name: each[1:] for name, each in times.items()}  # the first round only warms the caches


@contextmanager
def fleet(containers: int) -> Iterator[Ground]:
    """So many containers, one of them with a volume; cleared away whatever happens."""
    ground = Ground(f"refloat-bench-{uuid.uuid4().hex[:8]}")
    idle = ("--detach", "--init", "--network=none")
    try:
        for number in range(containers):
            volume = (f"--volume={ground.data}:/data",) if number == 0 else ()
            docker("run", f"--name={ground.mark}-{number}", *idle, *volume, IMAGE, "sleep", "infinity")
        yield ground
    finally:
        ground.clear()


def commands(ground: Ground) -> dict[str, Sequence[str]]:
    """What is measured, by what the page calls it."""
    refloat = str(Path(sys.executable).with_name("refloat"))
    inspect = f"docker inspect $(docker ps --all --quiet --filter name={ground.mark})"
    return {
        "`docker ps --all`": ("docker", "ps", "--all"),
        "`docker inspect` of all": ("sh", "-c", inspect),
        "`refloat --help`": (refloat, "--help"),
        "`refloat status`": (refloat, "status"),
        "`refloat ls`": (refloat, "ls"),
        "`refloat plan`, no data": (refloat, "plan", f"{ground.mark}-1", "--to", "2"),
        "`refloat plan`, a volume": (refloat, "plan", f"{ground.mark}-0", "--to", "2"),
    }


def times_of(line: Sequence[str], home: str) -> Times:
    """Run a command that must succeed, as installed: with the bytecode that the first round leaves behind."""
    inherited = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    environment = {**inherited, "REFLOAT_HOME": home}
    begun, before = time.monotonic(), os.times()
    subprocess.run(line, check=True, capture_output=True, cwd=ROOT, env=environment)
    took_s, after = time.monotonic() - begun, os.times()
    ours = (after.children_user - before.children_user) + (after.children_system - before.children_system)
    return took_s, ours


def text_from(measured: Mapping[str, Sequence[Times]], containers: int, rounds: int, load: float) -> str:
    """The page of results."""
    rows = (
        f"| {name} | {median(wall for wall, _ in times):.2f} s | {min(wall for wall, _ in times):.2f} s "
        f"| {median(ours for _, ours in times):.2f} s |"
        for name, times in measured.items()
    )
    return "\n".join((
        "# Looking at fifty containers: benchmark results",
        "",
        f"{containers} containers on one engine; whole processes, from the command line to the end, {rounds} rounds. "
        f"Load average {load:.1f} before.",
        "A plan of a container with a volume starts a container that measures it. `python -m benchmarks.fleet`.",
        "",
        "| command | median | fastest | processor time of the command, median |",
        "| --- | --: | --: | --: |",
        *rows,
        "",
    ))  # fmt: skip


if __name__ == "__main__":
    main()
