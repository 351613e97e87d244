"""The new version standing on a copy, and its way back there; it never sees what the copy was made of."""

from __future__ import annotations

from dataclasses import dataclass

from runner.evidence import Finding
from runner.facts import Container
from runner.health import NotProven, Proven, prove_health
from runner.labels import SUCCESSOR
from runner.measure import read_evidence, settle_evidence
from runner.options import Options
from runner.plan import Plan
from runner.probes.prober import close_probers
from runner.records import End, Wish
from runner.rehearsal import Rehearsed
from runner.session import Session
from runner.steps.nouns import HealthTerms, Reading
from runner.twin import Twin


def successor_of(session: Session, plan: Plan) -> Container:
    """The new version's container of a run."""
    return session.hands(plan, session.journal(plan)).ours(plan.run, SUCCESSOR)


def read_settled(session: Session, stand_in: Container, readings: tuple[Reading, ...], run: str) -> dict[str, str]:
    """What the old version answers on the copy; nobody who asked stays behind, to be in the plan's way."""
    found = read_evidence(session.engine, stand_in, readings, run)
    close_probers(session.engine, run)
    return found


def see_up(session: Session, copy: Container, terms: HealthTerms, run: str) -> Proven:
    """Wait until what runs on a copy is healthy; NotProven."""
    return prove_health(session.engine, session.clock, lambda: session.engine.container(copy.id), terms, run=run,
                        interrupted=session.interrupted)  # fmt: skip


def compared(session: Session, copy: Container, readings: tuple[Reading, ...], before: dict[str, str],
             run: str) -> tuple[Finding, ...]:  # fmt: skip
    """What an old version answers on a copy beside what it answered before."""
    return settle_evidence(session.engine, session.clock, copy, readings, before, "", run=run,
                           interrupted=session.interrupted)  # fmt: skip


@dataclass(frozen=True)
class Played:
    """The new version standing on the copy, and what its way back is measured by."""

    session: Session
    """Its own: the run folders are those of the rehearsal."""
    plan: Plan
    stand_in: Container
    terms: HealthTerms
    """What proved the old version when it settled."""
    readings: tuple[Reading, ...]
    settled: dict[str, str]
    """What the old version answered on the copy."""
    options: Options
    twin: Twin | None = None

    @property
    def successor(self) -> Container:
        """The new version on the copy."""
        return successor_of(self.session, self.plan)

    def taken_back(self, seen: Rehearsed) -> Rehearsed:
        """Roll back on the copy: the old version must come up, on its data as it was.

        A twin has shown by now that it comes up there; it goes with the first step of the way back.
        """
        beside = self.twin.container if self.twin else None
        if beside:
            seen = self.answers_as_before(seen, beside).model_copy(update={"beside": True})
            if not seen.passed:
                return seen
        back = self.session.carry_out(self.plan, Wish.BACK)
        if back.end is not End.OLD:
            why = f"The new version runs, but the way back does not lead back: {back.why or 'it was left open'}"
            return not_back(seen, why)
        return self._stays_up(seen) if beside else self.answers_as_before(seen, self.stand_in)

    def _stays_up(self, seen: Rehearsed) -> Rehearsed:
        """Whether the version that came back runs on; that it is healthy on this data, the twin has shown."""
        unasked = self.terms.model_copy(update={"probes": ()})
        return self._not_up(seen, self.stand_in, unasked) or seen

    def answers_as_before(self, seen: Rehearsed, container: Container) -> Rehearsed:
        """Whether a version that came back is as healthy, and answers as it did, on the copy before."""
        failed = self._not_up(seen, container, self.terms)
        if failed:
            return failed
        found = compared(self.session, container, self.readings, self.settled, self.plan.run)
        bad = [one.sentence for one in found if not one.ok]
        if bad:
            return not_back(seen, f"The old version came back, but answers otherwise: {'; '.join(bad)}")
        return seen.model_copy(update={"rolled_back": True})

    def _not_up(self, seen: Rehearsed, container: Container, terms: HealthTerms) -> Rehearsed | None:
        try:
            see_up(self.session, container, terms, self.plan.run)
        except NotProven as bad:
            return not_back(seen, f"The old version came back, but not up: {bad.what}", bad.log)
        return None


def not_back(seen: Rehearsed, why: str, log: tuple[str, ...] = ()) -> Rehearsed:
    """The same result, but the way back failed."""
    failed = {"passed": False, "rolled_back": False, "code": "no-way-back", "why": why, "log": log}
    return seen.model_copy(update=failed)
