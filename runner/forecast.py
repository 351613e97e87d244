"""What an upgrade will cost in downtime, from what its rehearsal measured; an estimate with its reasons, no limit."""

from __future__ import annotations

from datetime import datetime

from runner.outcome import downtime_s
from runner.plan import Estimate, Plan, step_key
from runner.records import Did, Meant, Record
from runner.steps.forward import ColdCopy, StartAgain, StartSuccessor, StopContainer
from runner.steps.proof import ProveHealth


def forecast(played: Plan, records: tuple[Record, ...], copy_s: float | None) -> Estimate | None:
    """The downtime to expect in seconds; None where the play did not come as far as a healthy new version.

    ``copy_s`` is how long the target stood still for its snapshot: what changes in it is what will be copied.
    """
    measured_s = downtime_s(played, records)
    ready_s = healthy_after_s(played, records)
    if measured_s is None or ready_s is None:
        return None
    stop_s, played_s = _lasted_s(played, records, StopContainer), _lasted_s(played, records, ColdCopy)
    start_s = _lasted_s(played, records, StartSuccessor) + _lasted_s(played, records, StartAgain) + ready_s
    rest_s = max(0.0, measured_s - stop_s - played_s - start_s)
    predicted_s = played_s if copy_s is None else copy_s
    like = "as on the copy" if copy_s is None else "as for the snapshot just now"
    reasons = (
        f"{stop_s:.1f} s to stop, as on the copy",
        *((f"{predicted_s:.1f} s to copy what changed, {like}",) if played.sources else ()),
        f"{start_s:.1f} s from start until healthy, as on the copy; other data or a busier host take their own time",
        f"{rest_s:.1f} s for the small steps between them",
    )
    return Estimate(downtime_s=round(stop_s + predicted_s + start_s + rest_s, 1), reasons=reasons)


def healthy_after_s(plan: Plan, records: tuple[Record, ...]) -> float | None:
    """Seconds all took from their start until they were healthy, one after another; None where one was not proven.

    What was done between the one start and the first look counts: the new version was coming up meanwhile.
    """
    ready = {each.key: each.facts.get("ready_after_s") for each in records if isinstance(each, Did)}
    told = [ready_s for key in _keys(plan, ProveHealth) if isinstance(ready_s := ready.get(key), float)]
    if not told or len(told) != len(_keys(plan, ProveHealth)):
        return None
    return sum(told) + (_before_first_look_s(plan, records) if len(told) == 1 else 0.0)


def _before_first_look_s(plan: Plan, records: tuple[Record, ...]) -> float:
    started = [_at(each) for each in records if isinstance(each, Did) and each.key in _keys(plan, StartSuccessor)]
    looked = [_at(each) for each in records if isinstance(each, Meant) and each.key in _keys(plan, ProveHealth)]
    return (looked[-1] - started[-1]).total_seconds() if started and looked else 0.0


def _at(record: Did | Meant) -> datetime:
    return datetime.fromisoformat(record.at)


def _lasted_s(plan: Plan, records: tuple[Record, ...], kind: type) -> float:
    """How long all steps of a kind took together; nothing where none was done."""
    keys = _keys(plan, kind)
    begun = {each.key: datetime.fromisoformat(each.at) for each in records if isinstance(each, Meant)}
    ended = {each.key: datetime.fromisoformat(each.at) for each in records if isinstance(each, Did)}
    return sum((ended[key] - begun[key]).total_seconds() for key in keys if key in ended and key in begun)


def _keys(plan: Plan, kind: type) -> tuple[str, ...]:
    return tuple(step_key(index) for index, step in enumerate(plan.steps) if isinstance(step, kind))
