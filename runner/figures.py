"""What a play on copies showed: verdict, times, files, memory, log lines; read off while the new version stands there.

The way back is not in it, and it changes nothing.
"""

from __future__ import annotations

from pydantic import ValidationError

from runner.evidence import Finding
from runner.facts import Container, Json
from runner.forecast import forecast, healthy_after_s
from runner.outcome import Outcome
from runner.plan import Member, Plan, step_key
from runner.played import Played
from runner.progress import found_by
from runner.quoting import quoted_lines
from runner.records import Did, End, Failed, Record
from runner.rehearsal import Altered, Rehearsed
from runner.session import Session
from runner.spec.inspected import objects, texts
from runner.steps.proof import CompareEvidence
from runner.trouble import new_trouble
from runner.vault.port import Room, Source
from runner.world import World

SHOWN_LINES = 20


def verdict(inner: Session, plan: Plan, forward: Outcome) -> dict[str, object]:
    """How the play went, as fields of a ``Rehearsed``."""
    records = inner.runs.records(plan.run)
    passed = forward.end is End.NEW
    return {
        "passed": passed,
        "code": forward.code,
        "why": forward.why.replace(plan.target, "the copy"),
        "log": forward.log,
        "downtime_s": forward.downtime_s if passed else None,
        "ready_s": healthy_after_s(plan, records),
        "unasked": forward.unasked,
        "evidence": evidence_of(plan, records, plan.lead),
    }


def evidence_of(plan: Plan, records: tuple[Record, ...], member: Member) -> tuple[Finding, ...]:
    """What was compared last of a member, whether it was as hoped or not."""
    keys = {
        step_key(index)
        for index, step in enumerate(plan.steps)
        if isinstance(step, CompareEvidence) and plan.member_of(step).run == member.run
    }
    told = (each.facts for each in reversed(records) if isinstance(each, Did | Failed) and each.key in keys)
    try:
        return tuple(Finding.model_validate(one) for one in objects(next(told, {}).get("findings")))
    except ValidationError:
        return ()


def figures(played: Played, meant: Plan, look: World, said: str, seen: Rehearsed) -> dict[str, object]:
    """What the new version did and took until it was accepted, as fields of a ``Rehearsed``.

    ``look`` is the copy before the play, ``said`` what the old version logged on it.
    """
    session, successor = played.session, played.successor
    used, plan = session.engine.usage(successor.id), played.plan
    changes = altered(session, plan.lead.room, plan.sources, meant.sources)
    facts = found_by(plan, session.runs.records(plan.run), "refresh-configuration")
    longer_s = None if seen.settle_s is None or seen.ready_s is None else max(0.0, seen.ready_s - seen.settle_s)
    return {
        "migration_s": longer_s,
        "used": used,
        "changes": changes,
        "growth_bytes": sum(one.size_bytes for one in changes) - look.size_bytes if changes else None,
        "expected": forecast(plan, session.runs.records(plan.run), seen.paused_s),
        "configuration": refreshed(facts),
        "new_lines": trouble_in(session, successor, said),
    }


def trouble_in(session: Session, container: Container, said: str) -> tuple[str, ...]:
    """Lines in a container's log that look like trouble and that its old version, which said this, never said."""
    lines = new_trouble(said, session.engine.logs(container.id))
    return quoted_lines("\n".join(lines[:SHOWN_LINES]), container, SHOWN_LINES)


def refreshed(facts: Json) -> tuple[str, ...]:
    """What a refresh of configuration did, from the facts of its step: a line a path."""
    told = (texts(path.get("lines")) for path in objects(facts.get("paths")))
    return tuple(line.strip() for lines in told for line in lines)


def altered(session: Session, room: Room, sources: tuple[Source, ...],
            meant: tuple[Source, ...]) -> tuple[Altered, ...]:  # fmt: skip
    """The changes of each clone, under the name of what it stands for: both are mounted at the same place."""
    if not sources:
        return ()
    named = {source.destination: source.spoken for source in meant}
    told = session.vault.changes(room, sources)
    return tuple(
        Altered(source=named.get(source.destination, source.spoken), destination=source.destination, **one.model_dump())
        for source, one in zip(sources, told, strict=True)
    )
