"""What came of the rehearsal of a path, from what came of its hops, and what it relied on; it plays nothing."""

from __future__ import annotations

from runner.facts import Fact, Image, Usage
from runner.plan import Estimate, Expectation
from runner.rehearsal import Rehearsed


class HopTo(Fact):
    """One hop of a path: the image it goes to, under the name people know it by."""

    ref: str
    image: Image


def along(results: tuple[Rehearsed, ...], hops: tuple[HopTo, ...]) -> Rehearsed:
    """What came of a path, from what came of its hops; ``hops`` are all but the first."""
    first, last, count = results[0], results[-1], len(hops) + 1
    passed = last.passed and len(results) == count
    where = f"Hop {len(results)} of {count} ({last.old} → {last.new}): "
    return first.model_copy(
        update={
            "new": hops[-1].image.version or last.new,
            "new_ref": hops[-1].ref,
            "expectations": (*first.expectations, *further_expectations(hops)),
            "passed": passed,
            "code": last.code,
            "why": "" if passed else f"{where}{last.why}",
            "log": last.log,
            "ready_s": None,
            "migration_s": None,
            "downtime_s": None,
            "expected": _expected(results) if passed else None,
            "changes": (),
            "growth_bytes": sum(each.growth_bytes or 0 for each in results) if first.changes else None,
            "used": _used(results),
            "evidence": last.evidence,
            "configuration": (),
            "new_lines": tuple(dict.fromkeys(line for each in results for line in each.new_lines)),
            "image_differences": (),
            "hops": results,
        }
    )


def further_expectations(hops: tuple[HopTo, ...]) -> tuple[Expectation, ...]:
    """What a path relies on besides what its first hop does: the images of the others."""
    return tuple(Expectation(about=f"image {hop.ref}", was=hop.image.id) for hop in hops)


def _used(results: tuple[Rehearsed, ...]) -> Usage | None:
    """The processor time of all new versions together, and the most memory that any of them took."""
    told = tuple(each.used for each in results if each.used)
    peaks = tuple(each.peak_bytes for each in told if each.peak_bytes)
    return Usage(cpu_s=sum(each.cpu_s for each in told), peak_bytes=max(peaks, default=None)) if told else None


def _expected(results: tuple[Rehearsed, ...]) -> Estimate | None:
    """The downtimes of all hops together, a reason each."""
    told = tuple((each, each.expected) for each in results if each.expected)
    reasons = tuple(f"{one.downtime_s:.1f} s for {each.old} → {each.new}" for each, one in told)
    total_s = round(sum(one.downtime_s for _, one in told), 1)
    return Estimate(downtime_s=total_s, reasons=reasons) if len(told) == len(results) else None
