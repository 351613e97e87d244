"""The results as Markdown, medians and ratios; it measures nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from benchmarks.copies import Copies
from benchmarks.downtime import Upgrade
from benchmarks.loads import Load

REFLOAT, BARE, CP = "refloat apply", "stop, rm, run", "stop, cp -a, rm, run"


@dataclass(frozen=True)
class Result:
    """Everything measured on one load: each way's rounds, and the copies' rounds."""

    load: Load
    upgrades: Mapping[str, Sequence[Upgrade]]
    copies: Sequence[Copies]

    def downtime_s(self, way: str) -> float:
        """The median."""
        return median(each.downtime_s for each in self.upgrades[way])

    def total_s(self, way: str) -> float:
        """The median."""
        return median(each.total_s for each in self.upgrades[way])

    def copying_s(self, which: Callable[[Copies], float]) -> float:
        """The median of one of the copies' figures."""
        return median(map(which, self.copies))


def text_from(results: Sequence[Result], conditions: Sequence[str]) -> str:
    """The whole page."""
    parts = [
        "# Benchmark results",
        "\n".join(f"- {line}" for line in conditions),
        "## Downtime",
        "From the last answer of the old version to the first of the new one, asked from outside every 10 ms while "
        "the old version keeps writing. “Total” is the whole command; refloat's includes proving the new version "
        "healthy for a while. cp and tar run in a container that is up already.",
        "![Downtime](downtime.svg)",
        _table(("data", "way", "downtime", "× bare", "cp -a ÷ it", "total"), _downtime_rows(results)),
        "## Copies",
        "“First copy” is the part of a snapshot that is made while the old version serves, by a container that is up "
        "already: copied and hashed, as cp -a leaves its copy, and then flushed, to be held against cp -a and sync. A "
        "snapshot is copied, hashed, verified and sealed, the start of its container included. The second one follows "
        "a change of 1 % of the files. The restore fills an empty volume and verifies it.",
        _table(COPY_HEADS, map(_copy_row, results)),
    ]
    return "\n\n".join(parts) + "\n"


def _downtime_rows(results: Iterable[Result]) -> Iterable[Sequence[str]]:
    for result in results:
        for way in result.upgrades:
            down_s = result.downtime_s(way)
            against = (f"{down_s / result.downtime_s(BARE):.1f}", f"{result.downtime_s(CP) / down_s:.1f}")
            yield result.load.name, way, f"{down_s:.2f} s", *against, f"{result.total_s(way):.2f} s"


COPY_HEADS = ("data", "cp -a", "first copy", "cp -a ÷ it", "cp -a, sync", "first copy, flushed", "cp -a, sync ÷ it",
              "first snapshot", "second snapshot", "second ÷ first", "clone", "restore", "restore MiB/s")  # fmt: skip


def _copy_row(result: Result) -> Sequence[str]:
    cp, synced = (result.copying_s(which) for which in (lambda it: it.cp_s, lambda it: it.cp_and_sync_s))
    copy, flushed = (result.copying_s(which) for which in (lambda it: it.unflushed_copy_s, lambda it: it.first_copy_s))
    first, second = (
        result.copying_s(which) for which in (lambda it: it.first_snapshot_s, lambda it: it.second_snapshot_s)
    )
    restore = result.copying_s(lambda it: it.restore_s)
    return (
        result.load.name,
        *(f"{cp:.2f} s", f"{copy:.2f} s", f"{cp / copy:.2f}"),
        *(f"{synced:.2f} s", f"{flushed:.2f} s", f"{synced / flushed:.2f}"),
        *(f"{first:.2f} s", f"{second:.2f} s", f"{second / first:.2f}"),
        f"{result.copying_s(lambda it: it.clone_s):.2f} s",
        f"{restore:.2f} s",
        f"{result.load.size_bytes / (1 << 20) / restore:.0f}",
    )


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    rule = ["---" if head in ("data", "way") else "--:" for head in heads]
    return "\n".join(f"| {' | '.join(row)} |" for row in (heads, rule, *rows))
