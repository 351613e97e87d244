"""How long a rehearsal takes from command to verdict, with a snapshot that is there; it asserts no figure.

python -m benchmarks.rehearsal [--full] [--rounds N] measures on the engine of DOCKER_HOST and writes the results.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from benchmarks.__main__ import RESULTS, conditions_here
from benchmarks.ground import ROOT, Ground, docker, laid_out
from benchmarks.loads import FULL, SMOKE, Load
from runner.engine.docker import connect_engine
from runner.vault.port import Room, Source, VaultPlace
from runner.vault.vault import DockerVault

OLD = "refloat-lab/misbehave:slow-healthy"
HEALTHY_AFTER_S = (5,)
WAYS: dict[str, tuple[str, ...]] = {
    "as it is": (),
    "--dwell 0": ("--dwell", "0"),
    "--dwell 0 --quick": ("--dwell", "0", "--quick"),
}
STARTS = 2
"""One after another: the old version settles, then the new one starts, with the way back's old version beside it."""
PATIENCE_S = 120


@dataclass(frozen=True)
class Timed:
    """Seconds from the command until the verdict is said, and until all is cleared away."""

    verdict_s: float
    total_s: float


def measure(ground: Ground, run: str, options: Sequence[str]) -> Timed:
    """One rehearsal as a process."""
    line = [sys.executable, "-m", "runner.cli.main", "rehearse", ground.mark, "--image", _new(ground), "--from", run,
            "--vault", ground.vault, *options]  # fmt: skip
    with tempfile.TemporaryDirectory(prefix="refloat-bench-") as home:
        begun, verdict_s, every = time.monotonic(), 0.0, []
        with subprocess.Popen(line, cwd=ROOT, env={**os.environ, "REFLOAT_HOME": home}, text=True,
                              stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as running:  # fmt: skip
            for said in running.stderr or ():
                every.append(said)
                if said.startswith("rehearse passed"):
                    verdict_s = time.monotonic() - begun
    if running.returncode != 0:
        raise subprocess.CalledProcessError(running.returncode, line, stderr="".join(every))
    return Timed(verdict_s, time.monotonic() - begun)


def _new(ground: Ground) -> str:
    return f"{ground.mark}:2"


@contextmanager
def snapshot_there(ground: Ground, healthy_after_s: int) -> Iterator[str]:
    """The service that is healthy after so long, and a snapshot of its data; gives the snapshot's run."""
    vault, run = DockerVault(connect_engine()), f"{ground.mark}-r1"
    room = Room(place=VaultPlace(volume=ground.vault), target=ground.mark, run=run)
    sources = (Source(key="d0", volume=ground.data, destination="/data"),)
    build = ["docker", "build", "--quiet", "--tag", _new(ground), "-"]
    subprocess.run(build, input=f"FROM {OLD}\nLABEL version=2\n", text=True, check=True, capture_output=True,
                   env={**os.environ, "DOCKER_BUILDKIT": "0"})  # fmt: skip
    try:
        vault.cold_copy(room, sources)
        vault.seal(room, sources, {"image": "sha256:1"})
        vault.close(run)
        docker("run", "--detach", f"--name={ground.mark}", f"--volume={ground.data}:/data",
               f"--env=SLOW_S={healthy_after_s}", OLD)  # fmt: skip
        _wait_healthy(ground.mark)
        yield run
    finally:
        with suppress(subprocess.CalledProcessError):
            docker("rm", "--force", ground.mark)
        vault.discard(room)
        vault.close(run)
        docker("image", "rm", _new(ground))


def _wait_healthy(name: str) -> None:
    until = time.monotonic() + PATIENCE_S
    while docker("inspect", "--format", "{{.State.Health.Status}}", name).strip() != "healthy":
        if time.monotonic() > until:
            raise TimeoutError(f"{name} does not become healthy")
        time.sleep(0.2)


def measured(load: Load, rounds: int) -> Iterator[tuple[str, ...]]:
    """A row a way and time until healthy."""
    with laid_out(load) as ground:
        ground.rest_hands(rest=True)
        for healthy_s in HEALTHY_AFTER_S:
            with snapshot_there(ground, healthy_s) as run:
                for way, options in WAYS.items():
                    seen = [measure(ground, run, options) for _ in range(rounds)]
                    verdict_s = median(each.verdict_s for each in seen)
                    beside_s = verdict_s - healthy_s * STARTS
                    total_s = median(each.total_s for each in seen)
                    row = (
                        load.name,
                        f"{healthy_s} s",
                        way,
                        *(f"{one:.1f} s" for one in (verdict_s, beside_s, total_s)),
                    )
                    print(" | ".join(row), file=sys.stderr, flush=True)
                    yield row
        ground.rest_hands(rest=False)


HEADS = ("data", "healthy after t", "way", "verdict after", "beside the starts", "all cleared away after")
WORDS = """\
From the command to the verdict, with a sealed snapshot present. The old version settles on the copy, then the new one
starts, and beside it the old one once more, on a clone of the snapshot the way back leads to: twice t. As it is, the
new version must stay up for 5 s. “Beside the starts” is everything else, that among it, and what the engine's own
health check needs to tell of it: over a second each time. The way back (restored, compared, started again) is in it
but for `--quick`."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and write the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.rehearsal", description=__doc__)
    parser.add_argument("--full", action="store_true", help="5 GiB as well")
    parser.add_argument("--rounds", type=int, default=1, metavar="N")
    asked = parser.parse_args(arguments)
    before = os.getloadavg()[0]
    loads = (SMOKE[0], *(load for load in FULL if asked.full and load.name == "5 GiB"))
    rows = [row for load in loads for row in measured(load, asked.rounds)]
    conditions = (*conditions_here(), f"load average {before:.1f} before, {os.getloadavg()[0]:.1f} after",
                  f"medians of {asked.rounds}")  # fmt: skip
    table = [f"| {' | '.join(row)} |" for row in (HEADS, ["---"] * 3 + ["--:"] * 3, *rows)]
    parts = ("# How long a rehearsal takes", "\n".join(f"- {line}" for line in conditions), WORDS, "\n".join(table))
    Path(RESULTS).mkdir(exist_ok=True)
    (RESULTS / "rehearsal.md").write_text("\n\n".join(parts) + "\n")
    print("\n".join(table))


if __name__ == "__main__":
    try:
        main()
    except subprocess.CalledProcessError as failed:
        sys.exit(f"{failed}\n{failed.stderr}")
