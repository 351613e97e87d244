"""Plan, records and, for a rehearsal, its result → the one story that every format renders; pure."""

from __future__ import annotations

from collections.abc import Iterator

from runner.errors import Exit
from runner.outcome import Outcome, closed_by, outcome
from runner.plan import Plan, Side
from runner.records import Closed, End, Noted, Record
from runner.rehearsal import Rehearsed
from runner.report.acts import acts_of, not_reached
from runner.report.clean import cleaned
from runner.report.ending import advice, headline
from runner.report.figures import rehearsal_figures, run_figures
from runner.report.lines import event_from, labelled
from runner.report.proofs import evidence_from, evidence_told, probes_told
from runner.report.refreshed import configuration_told
from runner.report.rehearsal import change_words, data_told
from runner.report.settings import changed_settings, kept_settings
from runner.report.story import (
    Act,
    Advice,
    Event,
    HopTold,
    Listing,
    Mark,
    MemberTold,
    Remark,
    SideTold,
    StepTold,
    Story,
)
from runner.report.words import unproven_words

MARKS = {End.NEW: Mark.GOOD, End.OLD: Mark.BACK, End.STUCK: Mark.BAD, None: Mark.OPEN}


def run_story(plan: Plan, records: tuple[Record, ...], commit: tuple[Record, ...], state: str) -> Story:
    """The story of a run; ``state`` is how it stands, in a word or two."""
    end = outcome(plan, records, commit)
    evidence = evidence_told(records)
    story = _played(plan, records).model_copy(
        update={
            "state": state,
            "mark": Mark.GOOD if end.asked_back and end.end is End.OLD else MARKS[end.end],
            "exit_status": int(end.exit_status),
            "headline": f"{headline(end)}.",
            "code": end.code,
            "why": end.why,
            "total_s": end.total_s or 0,
            "downtime_s": end.downtime_s,
            "committed_at": next((each.at for each in reversed(commit) if isinstance(each, Closed)), ""),
            "figures": run_figures(plan, records, end, evidence),
            "advice": _advice(plan, end),
        }
    )
    return cleaned(story)


def rehearsal_story(result: Rehearsed, plan: Plan | None, records: tuple[Record, ...]) -> Story:
    """The story of a rehearsal; ``plan`` and ``records`` are what was played, none where it never came so far."""
    played = _played(plan, records) if plan else _unplayed(result)
    evidence = tuple(evidence_from(each) for each in result.evidence) or played.evidence
    passed = "passed" if result.passed else "failed"
    untouched = f"{result.target} itself was not touched but for the snapshot; it runs {result.old}"
    story = played.model_copy(
        update={
            "verb": "rehearsal",
            "run": result.run,
            "target": result.target,
            "state": passed,
            "mark": Mark.GOOD if result.passed else Mark.BAD,
            "exit_status": int(result.exit_status),
            "headline": f"{result.target} {result.old} → {result.new}: the rehearsal {passed}.",
            "code": result.code,
            "why": result.why,
            "begun_at": records[0].at if records else result.at,
            "ended_at": result.at,
            "total_s": result.total_s,
            "downtime_s": result.downtime_s,
            "way_back": _way_back(result, records),
            "figures": rehearsal_figures(result, evidence),
            "advice": (_after(result), *_unproven(result.unasked if result.passed else ()), Advice(text=untouched)),
            "evidence": evidence,
            "old": _started_from(result, played.old),
            "hops": tuple(_hop_told(each) for each in result.hops),
            "members": tuple(_member_told(each) for each in result.members),
            "changes": data_told(result),
            "listings": (*played.listings, *_found(result, told_already=any(each.is_log for each in played.listings))),
        }
    )
    return cleaned(story)


def _started_from(result: Rehearsed, played: SideTold) -> SideTold:
    """Where a path begins; what was played last began at its last stop."""
    return SideTold(spoken=result.old, image="", image_id="") if len(result.hops) > 1 else played


def _hop_told(hop: Rehearsed) -> HopTold:
    return HopTold(old=hop.old, new=hop.new, run=hop.run, ok=hop.passed, downtime_s=hop.downtime_s)


def _member_told(member: Rehearsed) -> MemberTold:
    good = sum(each.verdict is True for each in member.evidence)
    return MemberTold(
        name=member.target,
        change=change_words(member),
        ok=member.passed,
        settle_s=member.settle_s,
        ready_s=member.ready_s,
        evidence=f"{good} of {len(member.evidence)} as it should be" if member.evidence else "",
        data="; ".join(f"{each.name}: {each.words}" for each in data_told(member)),
    )


def path_story(first: Story, last: Story, ends: tuple[Outcome, ...], status: Exit) -> Story:
    """The story of a path: that of its last run, with every hop that was begun; ``status`` is that of the whole."""
    hops = (
        HopTold(old=end.old, new=end.new, run=end.run, ok=end.end is End.NEW, downtime_s=end.downtime_s) for end in ends
    )
    mark = last.mark if last.exit_status == status else Mark.BACK  # the way back to the start went well
    whole = {"old": first.old, "hops": tuple(hops), "exit_status": int(status), "mark": mark}
    return cleaned(last.model_copy(update=whole))


def _played(plan: Plan, records: tuple[Record, ...]) -> Story:
    """All that the plan and its records say by themselves."""
    acts = acts_of(plan, records)
    return Story(
        verb=plan.verb,
        run=plan.run,
        target=plan.target,
        state="",
        mark=Mark.OPEN,
        exit_status=int(Exit.STUCK),
        headline="",
        old=_side(plan.old),
        new=_side(plan.new),
        recipe=plan.recipe,
        plan_digest=plan.digest,
        begun_at=records[0].at if records else plan.made_at,
        ended_at=records[-1].at if records else plan.made_at,
        total_s=0,
        acts=acts,
        not_reached=not_reached(plan, records),
        probes=probes_told(plan, records),
        evidence=evidence_told(records),
        warnings=tuple(_warnings(plan, records)),
        listings=(*_last_words(acts), *configuration_told(records)),
        data=tuple(f"{source.spoken} on {source.destination}" for source in plan.sources),
        changed_settings=changed_settings(plan),
        settings=kept_settings(plan),
        events=tuple(_events(plan, records)),
    )


def _unplayed(result: Rehearsed) -> Story:
    """A rehearsal that ended before the plan was played."""
    expected = {each.about: each.was for each in result.expectations}
    return Story(
        verb="rehearsal",
        run=result.run,
        target=result.target,
        state="",
        mark=Mark.BAD,
        exit_status=int(result.exit_status),
        headline="",
        old=SideTold(spoken=result.old, image=expected.get("old image", ""), image_id=""),
        new=SideTold(spoken=result.new, image=result.new_ref, image_id=""),
        begun_at=result.at,
        ended_at=result.at,
        total_s=result.total_s,
    )


def _side(side: Side) -> SideTold:
    return SideTold(spoken=side.spoken, image=side.image_ref, image_id=side.image_id)


def _events(plan: Plan, records: tuple[Record, ...]) -> Iterator[Event]:
    """Every record worth a line; what is said again and again while it lasts is told once."""
    said, waited = labelled(plan), ""
    for record in records:
        if isinstance(record, Noted) and record.kind in ("waiting", "log") and record.text == waited:
            continue
        waited = record.text if isinstance(record, Noted) else ""
        event = event_from(record, said)
        if event:
            yield event


def _warnings(plan: Plan, records: tuple[Record, ...]) -> Iterator[Remark]:
    yield from (Remark(code=warning.code, text=warning.text) for warning in plan.warnings)
    for text in dict.fromkeys(each.text for each in records if isinstance(each, Noted) and each.kind == "warning"):
        yield Remark(code="noted", text=text)


def _last_words(acts: tuple[Act, ...]) -> Iterator[Listing]:
    failed: list[StepTold] = [step for act in acts for step in act.steps if step.log]
    for step in failed:
        yield Listing(title="The last it said", lines=step.log, is_log=True)


def _advice(plan: Plan, end: Outcome) -> tuple[Advice, ...]:
    """What to do next; in a report nobody needs to be told to look at the report."""
    if end.end is End.OLD and not end.asked_back:
        again = f"refloat rehearse {plan.target}" + ("" if plan.is_stack else f" --image {plan.new.image_ref}")
        return (Advice(text="Mend what failed, and try it on a copy first", command=again),)
    if end.end is End.STUCK:
        return advice(end)[1:]
    return (*advice(end), *(_unproven(end.unasked) if end.end is End.NEW else ()))


def _unproven(names: tuple[str, ...]) -> tuple[Advice, ...]:
    return (Advice(text=f"{unproven_words(names)}. Name what it does answer with --probe"),) if names else ()


def _way_back(result: Rehearsed, records: tuple[Record, ...]) -> str:
    closed = closed_by(records)
    if not result.passed and result.rolled_back is None and closed and closed.end is End.OLD:
        return "It was taken back on the copy: the old version came up again, on its data as before."
    if result.rolled_back is None:
        return "The way back was not rehearsed."
    if result.rolled_back:
        when = " on a clone of its snapshot, beside the new one" if result.beside else " as before"
        return f"The way back was rehearsed, too: the old version came up on its data{when}."
    return "The way back was rehearsed, and does not lead back."


def _after(result: Rehearsed) -> Advice:
    if result.passed:
        return Advice(text="Do it", command=f"refloat apply {result.again}")
    return Advice(text="Mend what failed, then try again", command=f"refloat rehearse {result.again}")


def _found(result: Rehearsed, *, told_already: bool) -> Iterator[Listing]:
    lists = (
        ("The last it said", () if told_already else result.log, True),
        ("New lines in the log that look like trouble", result.new_lines, True),
        ("Why that downtime is to be expected", result.expected.reasons if result.expected else (), False),
        ("The new image differs", result.image_differences, False),
        ("The copy of the old version answers otherwise than the target", result.drift, False),
        ("Taken away, so that the copy reaches nobody", result.taken, False),
        ("What the copy may take", result.limits, False),
    )
    for title, lines, is_log in lists:
        if lines:
            yield Listing(title=title, lines=lines, is_log=is_log)
    for number, hop in enumerate(result.hops, 1):
        for one in _found(hop, told_already=True):
            yield _about(f"Hop {number}, {hop.old} → {hop.new}", one)
    for member in result.members:
        yield from (_about(member.target, one) for one in _found(member, told_already=True))


def _about(whom: str, one: Listing) -> Listing:
    return one.model_copy(update={"title": f"{whom}: {one.title[0].lower()}{one.title[1:]}"})
