"""What a stack played on copies showed, member by member, and its way back there; it makes no copy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from runner.facts import Container, Usage
from runner.figures import altered, evidence_of, refreshed, trouble_in
from runner.forecast import forecast
from runner.health import NotProven
from runner.labels import SUCCESSOR
from runner.outcome import Outcome
from runner.plan import Member, Plan
from runner.played import compared, not_back, see_up
from runner.progress import found_by
from runner.records import End, Record, Wish
from runner.rehearsal import Rehearsed
from runner.rehearsed_stack import with_members
from runner.session import Session
from runner.steps.nouns import HealthTerms, Reading
from runner.unasked import unasked
from runner.world import World


@dataclass(frozen=True)
class MemberPlayed:
    """One member of a stack on its copy, and how it was there before the play."""

    meant: Member
    played: Member
    look: World
    stand_in: Container
    terms: HealthTerms
    """What proved the old version when it settled."""
    readings: tuple[Reading, ...]
    settled: dict[str, str]
    """What the old version answered on the copy."""
    said: str
    """What it logged there."""
    used: Usage | None

    @classmethod
    def before(cls, session: Session, meant: Member, played: Member, look: World, stand_in: Container,
               terms: HealthTerms, readings: tuple[Reading, ...], settled: dict[str, str]) -> Self:  # fmt: skip
        """As it is now, right before the play."""
        runs, engine = stand_in.state.alive, session.engine
        said, used = (engine.logs(stand_in.id), engine.usage(stand_in.id)) if runs else ("", None)
        return cls(meant, played, look, stand_in, terms, readings, settled, said, used)

    @property
    def runs(self) -> bool:
        """Whether it runs; one at rest stays at rest."""
        return self.stand_in.state.alive


@dataclass(frozen=True)
class StackPlayed:
    """The new versions standing on the copies, and what their way back is measured by."""

    session: Session
    """Its own: the run folders are those of the rehearsal."""
    plan: Plan
    members: tuple[MemberPlayed, ...]

    def container(self, member: MemberPlayed) -> Container:
        """What runs of a member now: its new version, or the old one where it keeps that."""
        session, plan, played = self.session, self.plan, member.played
        if not played.recreated:
            return session.engine.container(member.stand_in.id)
        return session.hands(plan, session.journal(plan), played).ours(played.run, SUCCESSOR)

    def taken_back(self, seen: Rehearsed) -> Rehearsed:
        """Roll all back on the copies: every old version must come up, on its data as it was."""
        back = self.session.carry_out(self.plan, Wish.BACK)
        if back.end is not End.OLD:
            why = f"The new versions run, but the way back does not lead back: {back.why or 'it was left open'}"
            return not_back(seen, why)
        running = tuple(member for member in self.members if member.runs)
        for member in running:
            try:
                see_up(self.session, member.stand_in, member.terms, member.played.run)
            except NotProven as bad:
                why = f"The old version of {member.meant.target} came back, but not up: {bad.what}"
                return not_back(seen, why, bad.log)
        otherwise = tuple(f"{member.meant.target}, {words}" for member in running for words in self._otherwise(member))
        if otherwise:
            return not_back(seen, f"The old versions came back, but answer otherwise: {'; '.join(otherwise)}")
        return seen.model_copy(update={"rolled_back": True})

    def _otherwise(self, member: MemberPlayed) -> tuple[str, ...]:
        """Where one that came back answers otherwise than it did on the copy before."""
        found = compared(self.session, member.stand_in, member.readings, member.settled, member.played.run)
        return tuple(one.sentence for one in found if not one.ok)


def stack_verdict(played: StackPlayed, forward: Outcome, told: Rehearsed) -> Rehearsed:
    """How the play went, for all and for each."""
    records, passed = played.session.runs.records(played.plan.run), forward.end is End.NEW
    why = forward.why
    for member in played.members:
        why = why.replace(member.played.target, f"the copy of {member.meant.target}")
    whole = told.model_copy(
        update={
            "passed": passed,
            "code": forward.code,
            "why": why,
            "log": forward.log,
            "downtime_s": forward.downtime_s if passed else None,
            "unasked": forward.unasked,
        }
    )
    members = (
        seen.model_copy(update={"ready_s": _ready_s(played.plan, records, member.played),
                                "evidence": evidence_of(played.plan, records, member.played),
                                "used_before": member.used,
                                "unasked": unasked(played.plan, records, member.played.run)})
        for member, seen in zip(played.members, told.members, strict=True)
    )  # fmt: skip
    return with_members(whole, tuple(members))


def _ready_s(plan: Plan, records: tuple[Record, ...], member: Member) -> float | None:
    ready_s = found_by(plan, records, "prove-health", member.run).get("ready_after_s")
    return ready_s if isinstance(ready_s, float) else None


def seen_of_stack(played: StackPlayed, seen: Rehearsed) -> Rehearsed:
    """What the new versions did and took until they were accepted."""
    records = played.session.runs.records(played.plan.run)
    members = tuple(_seen_of(played, member, one) for member, one in zip(played.members, seen.members, strict=True))
    expected = forecast(played.plan, records, seen.paused_s)
    return with_members(seen.model_copy(update={"expected": expected}), members)


def _seen_of(played: StackPlayed, member: MemberPlayed, seen: Rehearsed) -> Rehearsed:
    changes = altered(played.session, member.played.room, member.played.sources, member.meant.sources)
    own = {source.key for source in member.played.sources}
    before = sum(one.size_bytes for one in member.look.measured if one.key in own)
    grown = sum(one.size_bytes for one in changes) - before if changes else None
    found: dict[str, object] = {"changes": changes, "growth_bytes": grown}
    if member.runs:
        container = played.container(member)
        records = played.session.runs.records(played.plan.run)
        found |= {
            "used": played.session.engine.usage(container.id),
            "new_lines": trouble_in(played.session, container, member.said),
            "configuration": refreshed(found_by(played.plan, records, "refresh-configuration", member.played.run)),
        }
    if seen.settle_s is not None and seen.ready_s is not None:
        found["migration_s"] = max(0.0, seen.ready_s - seen.settle_s)
    return seen.model_copy(update=found)
