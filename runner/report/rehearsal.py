"""What a rehearsal found, in words: verdict, figures, and what it could not show; it decides nothing."""

from __future__ import annotations

from collections.abc import Iterator

from runner.facts import Usage
from runner.rehearsal import Altered, Rehearsed
from runner.report.story import DataTold, FileTold
from runner.report.words import UNPROVEN, count_words, seconds_words, sign, size_words
from runner.vault.port import FileChange

SHOWN_FILES = 5
NOT_BACK = "The way back was not rehearsed."
MARKS = {"added": "+", "changed": "~", "deleted": "-"}


def rehearsal_report(result: Rehearsed) -> str:
    """The whole report; of a path each hop's own part after the verdict, of a stack each member's."""
    parts = (
        tuple(_verdict(result)),
        tuple(_figures(result)),
        tuple(_expected(result)),
        *(tuple(_hop(number, hop)) for number, hop in enumerate(result.hops, 1)),
        *(tuple(_member(member)) for member in result.members),
        *(() if result.members else _found(result)),
        tuple(_listed("Taken away, so that the copy reaches nobody", result.taken)),
        tuple(_listed("What the copy may take", result.limits)),
    )
    return "\n\n".join("\n".join(part) for part in parts if part)


def _hop(number: int, hop: Rehearsed) -> Iterator[str]:
    yield f"Hop {number}: {hop.old} → {hop.new} {'passed' if hop.passed else 'failed'}"
    lines = (*_measured(hop), *(line for part in _found(hop) for line in part))
    yield from (f"  {line}" for line in lines)


def _member(member: Rehearsed) -> Iterator[str]:
    """One of a stack, with what its copy could not have; what every copy may take is said once for each, too."""
    yield f"{member.target} {change_words(member)}"
    parts = (
        *_found(member),
        tuple(_listed("Taken away, so that the copy reaches nobody", member.taken)),
        tuple(_listed("What the copy may take", member.limits)),
    )
    yield from (f"  {line}" for line in (*_measured(member), *(line for part in parts for line in part)))


def change_words(member: Rehearsed) -> str:
    """Where one of a stack goes."""
    return f"{member.old} → {member.new}" if member.old != member.new else f"{member.old}, the same version"


def _found(result: Rehearsed) -> tuple[tuple[str, ...], ...]:
    """What one change did, part by part."""
    return (
        tuple(_listed(UNPROVEN, result.unasked)),
        tuple(_listed("Evidence", _evidence(result))),
        tuple(_listed("What the new version did to the data", tuple(_data(result)))),
        tuple(_listed("Configuration", result.configuration)),
        tuple(_listed("The new image differs", result.image_differences)),
        tuple(_listed("The copy of the old version answers otherwise than the target", result.drift)),
        tuple(_listed("New lines in the log that look like trouble", result.new_lines)),
    )


def _verdict(result: Rehearsed) -> Iterator[str]:
    if result.passed:
        yield f"{result.target} {result.old} → {result.new}: the rehearsal passed."
        yield f"The way back was rehearsed, too{_beside(result)}." if result.rolled_back else NOT_BACK
        yield f"Do it: refloat apply {result.again}"
        return
    yield f"{result.target} {result.old} → {result.new}: the rehearsal failed: {result.why.rstrip('.')}."
    if result.log:
        yield "The last it said:"
    yield from (f"  | {line}" for line in result.log)
    yield f"{result.target} itself was not touched but for the snapshot; it runs {result.old}."


def _beside(result: Rehearsed) -> str:
    return "; the old version was healthy on its data again beside the new one" if result.beside else ""


def _measured(result: Rehearsed) -> Iterator[str]:
    """What was measured of one change."""
    if result.downtime_s is not None:
        yield f"Downtime on the copy {seconds_words(result.downtime_s)}"
    yield from _starts(result)
    if result.used:
        then = "before" if result.old == result.new else "the old one"
        before = f" ({then}: {_usage(result.used_before)})" if result.used_before else ""
        new = "It" if result.old == result.new else "The new version"
        yield f"{'All new versions together' if result.hops else new} used {_usage(result.used)}{before}"
    if result.growth_bytes is not None:
        how = "more" if result.growth_bytes >= 0 else "less"
        yield f"Its data takes {size_words(abs(result.growth_bytes))} {how} of the disk than before"


def _figures(result: Rehearsed) -> Iterator[str]:
    yield from _measured(result)
    if result.paused_s is not None:
        all_of = "All members of " if result.members else ""
        yield f"{all_of}{result.target} stood still for {seconds_words(result.paused_s)} while the snapshot was taken"
    if result.clones:
        yield f"Clones made by {result.clones}"
    yield f"{seconds_words(result.total_s)} in all; rehearsal {result.run}"


def _starts(result: Rehearsed) -> Iterator[str]:
    if result.members and result.settle_s is not None:
        yield f"The old versions took {seconds_words(result.settle_s)} in all until they were healthy on the copies"
    elif result.ready_s is not None and result.old == result.new:
        before = "" if result.settle_s is None else f", and {seconds_words(result.settle_s)} before the others changed"
        yield f"It was healthy {seconds_words(result.ready_s)} after its start{before}"
    elif result.ready_s is not None:
        before = "" if result.settle_s is None else f"; the old one was after {seconds_words(result.settle_s)}"
        yield f"The new version was healthy {seconds_words(result.ready_s)} after its start{before}"
    elif result.settle_s is not None:
        yield f"The old version was healthy {seconds_words(result.settle_s)} after its start on the copy"


def _usage(used: Usage) -> str:
    memory = f" and {size_words(used.peak_bytes)} of memory at its peak" if used.peak_bytes else ""
    return f"{seconds_words(used.cpu_s)} of processor time{memory}"


def _expected(result: Rehearsed) -> Iterator[str]:
    if result.expected:
        yield f"Expect a downtime of about {seconds_words(result.expected.downtime_s)} (an estimate, never a limit)"
        yield from (f"  {reason}" for reason in result.expected.reasons)


def data_told(result: Rehearsed) -> tuple[DataTold, ...]:
    """What became of each piece of the data, for a report; of a path hop by hop."""
    if result.hops:
        return tuple(
            told.model_copy(update={"name": f"hop {number}, {told.name}"})
            for number, hop in enumerate(result.hops, 1)
            for told in data_told(hop)
        )
    if result.members:
        return tuple(
            told.model_copy(update={"name": f"{member.target}, {told.name}"})
            for member in result.members
            for told in data_told(member)
        )
    return tuple(
        DataTold(
            name=f"{one.source} on {one.destination}",
            words=_counts(one),
            added=one.added,
            changed=one.changed,
            deleted=one.deleted,
            files=tuple(FileTold(**file.model_dump()) for file in one.biggest),
        )
        for one in result.changes
    )


def _counts(one: Altered) -> str:
    counts = ((one.added, "added", one.added_bytes), (one.changed, "changed", one.changed_bytes),
              (one.deleted, "deleted", one.deleted_bytes))  # fmt: skip
    told = (f"{count_words(count, 'file')} {word} ({size_words(size)})" for count, word, size in counts if count)
    return ", ".join(told) or "no file was touched"


def _data(result: Rehearsed) -> Iterator[str]:
    for one in result.changes:
        yield f"{one.source} on {one.destination}: {_counts(one)}"
        yield from (f"  {MARKS[file.kind]} {file.path}  {_sizes(file)}" for file in one.biggest[:SHOWN_FILES])
        left = one.added + one.changed + one.deleted - SHOWN_FILES
        if left > 0:
            yield f"  … and {count_words(left, 'smaller file')} (--json lists more)"


def _sizes(file: FileChange) -> str:
    if file.kind == "changed":
        return f"{size_words(file.before_bytes)} → {size_words(file.after_bytes)}"
    return size_words(file.after_bytes or file.before_bytes)


def _evidence(result: Rehearsed) -> tuple[str, ...]:
    return tuple(f"{sign(one.verdict)} {one.sentence}" for one in result.evidence)


def _listed(title: str, lines: tuple[str, ...]) -> Iterator[str]:
    if lines:
        yield title
        yield from (f"  {line}" for line in lines)
