"""What a rehearsal found, in words: verdict, figures, and what it could not show; it decides nothing."""

from __future__ import annotations

from collections.abc import Iterator

from runner.rehearsal import Rehearsed
from runner.report.words import seconds_words


def rehearsal_report(result: Rehearsed) -> str:
    """The whole report."""
    parts = (
        tuple(_verdict(result)),
        tuple(_figures(result)),
        tuple(_listed("Evidence", _evidence(result))),
        tuple(_listed("The copy of the old version answers otherwise than the target", result.drift)),
        tuple(_listed("New lines in the log that look like trouble", result.new_lines)),
        tuple(_listed("Taken away, so that the copy reaches nobody", result.taken)),
    )
    return "\n\n".join("\n".join(part) for part in parts if part)


def _verdict(result: Rehearsed) -> Iterator[str]:
    if result.passed:
        yield f"{result.target} {result.old} → {result.new}: the rehearsal passed."
        yield "The way back was rehearsed, too." if result.rolled_back else "The way back was not rehearsed."
        yield f"Do it: refloat apply {result.target} --image {result.new_ref}"
        return
    yield f"{result.target} {result.old} → {result.new}: the rehearsal failed: {result.why.rstrip('.')}."
    if result.log:
        yield "The last it said:"
    yield from (f"  | {line}" for line in result.log)
    yield f"{result.target} itself was not touched but for the snapshot; it runs {result.old}."


def _figures(result: Rehearsed) -> Iterator[str]:
    if result.downtime_s is not None:
        yield f"Downtime on the copy {seconds_words(result.downtime_s)} (expect about that; it is never a limit)"
    if result.ready_s is not None:
        yield f"The new version was healthy {seconds_words(result.ready_s)} after it was first looked at"
    if result.settle_s is not None:
        yield f"The old version took {seconds_words(result.settle_s)} to come up on the copy"
    if result.paused_s is not None:
        yield f"{result.target} stood still for {seconds_words(result.paused_s)} while the snapshot was taken"
    if result.clones:
        yield f"Clones made by {result.clones}"
    yield f"{seconds_words(result.total_s)} in all; rehearsal {result.run}"


def _evidence(result: Rehearsed) -> tuple[str, ...]:
    return tuple(f"{'✓' if one.ok else '✗'} {one.sentence}" for one in result.evidence)


def _listed(title: str, lines: tuple[str, ...]) -> Iterator[str]:
    if lines:
        yield title
        yield from (f"  {line}" for line in lines)
