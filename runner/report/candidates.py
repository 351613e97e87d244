"""Several versions that were rehearsed side by side, as a table: which work; it decides nothing."""

from __future__ import annotations

from dataclasses import dataclass

from runner.errors import Exit, RefloatError
from runner.facts import Json
from runner.rehearsal import Rehearsed
from runner.report.clean import cleaned
from runner.report.story import Advice, CandidateTold, Mark, SideTold, Story
from runner.report.words import columns, count_words, seconds_words, unproven_words

HEADS = ("version", "verdict", "way back", "downtime", "healthy after", "data files", "why")


@dataclass(frozen=True)
class Tried:
    """One version as it was asked for, and what came of it: a result, or why it could not even be tried."""

    asked: str
    result: Rehearsed | None = None
    refusal: RefloatError | None = None

    @property
    def passed(self) -> bool:
        """Whether this version works."""
        return self.result is not None and self.result.passed


def exit_status(tried: tuple[Tried, ...]) -> Exit:
    """Done only where every version works."""
    return Exit.DONE if all(each.passed for each in tried) else Exit.REHEARSAL_FAILED


def candidates_report(target: str, tried: tuple[Tried, ...]) -> str:
    """The table, and what to do next."""
    works = [each.result for each in tried if each.passed and each.result]
    paused = next((each.result.paused_s for each in tried if each.result and each.result.paused_s is not None), None)
    stood = f"; {target} stood still for {seconds_words(paused)} while it was taken" if paused is not None else ""
    verdict = f"{len(works)} of {count_words(len(tried), 'version')} of {target} work, on one snapshot{stood}."
    then = f"Do it: refloat apply {target} --image {works[-1].new_ref}" if works else f"Keep {target} as it is."
    return "\n".join((columns(tuple(_row(each) for each in tried), HEADS), "", verdict, then))


def candidates_json(target: str, tried: tuple[Tried, ...]) -> Json:
    """The same for a program; each version with its whole result, or the error that kept it from being tried."""
    status = exit_status(tried)
    return {"target": target, "passed": status is Exit.DONE, "candidates": [_json(each) for each in tried],
            "exit": int(status)}  # fmt: skip


def candidates_story(target: str, tried: tuple[Tried, ...]) -> Story:
    """The same as a report; each version's own is told by its own rehearsal."""
    results = tuple(each.result for each in tried if each.result)
    status, first = exit_status(tried), results[0]
    works = tuple(each for each in results if each.passed)
    versions = count_words(len(tried), "version")
    do_it = Advice(text="Do it", command=f"refloat apply {target} --image {works[-1].new_ref}") if works else None
    story = Story(
        verb="rehearsal",
        run=first.run,
        target=target,
        state="passed" if status is Exit.DONE else "failed",
        mark=Mark.GOOD if status is Exit.DONE else Mark.BAD,
        exit_status=int(status),
        headline=f"{len(works)} of {versions} of {target} work.",
        old=SideTold(spoken=first.old, image="", image_id=""),
        new=SideTold(spoken=versions, image="", image_id=""),
        begun_at=first.at,
        ended_at=max(each.at for each in results),
        total_s=max(each.total_s for each in results),
        candidates=tuple(_told(each) for each in tried),
        advice=((do_it,) if do_it else ()) + tuple(_whole_story(each) for each in results),
    )
    return cleaned(story)


def _told(one: Tried) -> CandidateTold:
    result = one.result
    if result is None:
        return CandidateTold(version=one.asked, verdict="not tried", why=one.refusal.what if one.refusal else "")
    return CandidateTold(
        version=one.asked,
        verdict="works" if result.passed else "fails",
        why=_why(result),
        run=result.run,
        expected_s=result.expected.downtime_s if result.expected else None,
        total_s=result.total_s,
    )


def _why(result: Rehearsed) -> str:
    """Why it fails, or what stays unproven of one that works."""
    if result.why or not result.unasked:
        return result.why
    return unproven_words(result.unasked)


def _whole_story(result: Rehearsed) -> Advice:
    return Advice(text=f"The whole story of {result.new}", command=f"refloat show {result.run} -o report.html")


def _json(one: Tried) -> Json:
    if one.result:
        return {**one.result.model_dump(mode="json"), "asked": one.asked}
    said = {"code": one.refusal.code, "what": one.refusal.what, "then": one.refusal.then} if one.refusal else {}
    return {"asked": one.asked, "passed": False, "error": {**said}}


def _row(one: Tried) -> tuple[str, ...]:
    result = one.result
    if result is None:
        return (one.asked, "not tried", "", "", "", "", _first_line(one.refusal.what if one.refusal else ""))
    back = {None: "" if not result.passed else "left out", True: "passed", False: "failed"}[result.rolled_back]
    expected = seconds_words(result.expected.downtime_s) if result.expected else ""
    ready = seconds_words(result.ready_s) if result.ready_s is not None else ""
    files = ", ".join(_files(result))
    verdict = "works" if result.passed else "fails"
    return (one.asked, verdict, back, expected, ready, files, _first_line(_why(result)))


def _files(result: Rehearsed) -> tuple[str, ...]:
    """How many were added, changed and deleted: +3, ~2, -1."""
    changes = result.changes
    sums = (("+", sum(one.added for one in changes)), ("~", sum(one.changed for one in changes)),
            ("-", sum(one.deleted for one in changes)))  # fmt: skip
    return tuple(f"{mark}{count}" for mark, count in sums if count)


def _first_line(text: str) -> str:
    return text.partition("\n")[0].rstrip(".")
