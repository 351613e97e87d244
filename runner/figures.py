"""What a play on copies showed: verdict, times, files, memory, log lines; read off while the new version stands there.

The way back is not in it, and it changes nothing.
"""

from __future__ import annotations

from runner.evidence import Finding
from runner.forecast import forecast
from runner.outcome import Outcome
from runner.plan import Plan
from runner.played import Played
from runner.progress import found_by
from runner.quoting import quoted_lines
from runner.records import End
from runner.rehearsal import Altered, Rehearsed, new_trouble
from runner.session import Session
from runner.spec.inspected import objects, texts
from runner.world import World

SHOWN_LINES = 20


def verdict(inner: Session, plan: Plan, forward: Outcome) -> dict[str, object]:
    """How the play went, as fields of a ``Rehearsed``."""
    records = inner.runs.records(plan.run)
    found = found_by(plan, records, "compare-evidence").get("findings")
    ready_s = found_by(plan, records, "prove-health").get("ready_after_s")
    passed = forward.end is End.NEW
    return {
        "passed": passed,
        "code": forward.code,
        "why": forward.why.replace(plan.target, "the copy"),
        "log": forward.log,
        "downtime_s": forward.downtime_s if passed else None,
        "ready_s": ready_s if isinstance(ready_s, float) else None,
        "evidence": tuple(Finding.model_validate(one) for one in found) if isinstance(found, list) else (),
    }


def figures(played: Played, meant: Plan, look: World, said: str, seen: Rehearsed) -> dict[str, object]:
    """What the new version did and took until it was accepted, as fields of a ``Rehearsed``.

    ``look`` is the copy before the play, ``said`` what the old version logged on it.
    """
    session, successor = played.session, played.successor
    used = session.engine.usage(successor.id)
    altered = _altered(played, meant)
    lines = new_trouble(said, session.engine.logs(successor.id))
    longer_s = None if seen.settle_s is None or seen.ready_s is None else max(0.0, seen.ready_s - seen.settle_s)
    return {
        "migration_s": longer_s,
        "used": used,
        "changes": altered,
        "growth_bytes": sum(one.size_bytes for one in altered) - look.size_bytes if altered else None,
        "expected": forecast(played.plan, session.runs.records(played.plan.run), seen.paused_s),
        "configuration": _refreshed(played),
        "new_lines": quoted_lines("\n".join(lines[:SHOWN_LINES]), successor, SHOWN_LINES),
    }


def _refreshed(played: Played) -> tuple[str, ...]:
    paths = found_by(played.plan, played.session.runs.records(played.plan.run), "refresh-configuration").get("paths")
    told = (texts(path.get("lines")) for path in objects(paths))
    return tuple(line.strip() for lines in told for line in lines)


def _altered(played: Played, meant: Plan) -> tuple[Altered, ...]:
    """The changes of each clone, under the name of what it stands for: both are mounted at the same place."""
    sources = played.plan.sources
    if not sources:
        return ()
    named = {source.destination: source.spoken for source in meant.sources}
    told = played.session.vault.changes(played.plan.lead.room, sources)
    return tuple(
        Altered(source=named.get(source.destination, source.spoken), destination=source.destination, **one.model_dump())
        for source, one in zip(sources, told, strict=True)
    )
