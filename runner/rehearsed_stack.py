"""The rehearsal of a stack as its result: what is known before it, and all members together; it plays none."""

from __future__ import annotations

from runner.evidence import Finding
from runner.isolation import Isolated
from runner.options import Options
from runner.plan import Member, Plan
from runner.rehearsal import Rehearsed, unplayed
from runner.spec import image_differences
from runner.world import World


def unplayed_stack(plan: Plan, at: str, paused_s: float | None, clones: tuple[str, ...]) -> Rehearsed:
    """The result for all, of which nothing has been shown yet."""
    return unplayed(plan, at).model_copy(update={"paused_s": paused_s, "clones": ", ".join(clones)})


def unplayed_member(plan: Plan, member: Member, world: World, options: Options, copy: Isolated) -> Rehearsed:
    """The same for one member."""
    hosts = tuple(f"its hook “{each.argv[0]}” on the host" for each in options.hooks if each.where == "host")
    return Rehearsed(
        run=plan.run,
        target=member.target,
        at=plan.made_at,
        old=member.old.spoken,
        new=member.new.spoken,
        new_ref=member.new.image_ref,
        expectations=member.expectations,
        taken=(*copy.taken, *dict.fromkeys(hosts)),
        limits=copy.limits,
        image_differences=image_differences(world.old_image, world.new_image),
    )


def with_members(whole: Rehearsed, members: tuple[Rehearsed, ...]) -> Rehearsed:
    """The result for all with what was seen of each."""
    grown = tuple(each.growth_bytes for each in members if each.growth_bytes is not None)
    settled = tuple(each.settle_s for each in members if each.settle_s is not None)
    limits = whole.limits or _shared_limits(members)
    own: dict[str, object] = {"limits": ()} if limits else {}
    return whole.model_copy(
        update={
            "members": tuple(_judged(each, whole).model_copy(update=own) for each in members),
            "limits": limits,
            "evidence": tuple(_named(each.target, one) for each in members for one in each.evidence),
            "growth_bytes": sum(grown) if grown else None,
            "settle_s": round(sum(settled), 3) if settled else None,
        }
    )


def _shared_limits(members: tuple[Rehearsed, ...]) -> tuple[str, ...]:
    """What every copy may take, where that is the same for all; else it is said of each."""
    every = {each.limits for each in members}
    return members[0].limits if len(every) == 1 else ()


def _judged(member: Rehearsed, whole: Rehearsed) -> Rehearsed:
    """A member of a stack that failed passed where it was proven itself, and its evidence was as it should be."""
    proven = member.ready_s is not None and all(each.ok for each in member.evidence)
    return member.model_copy(update={"passed": whole.passed or proven, "at": whole.at})


def _named(target: str, finding: Finding) -> Finding:
    return finding.model_copy(update={"name": f"{target}, {finding.name}"})
