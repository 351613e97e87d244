"""What open and retained runs still need, and what nobody can need any more; it removes nothing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from runner.clock import is_older
from runner.facts import Container
from runner.labels import ROLE, RUN, SUCCESSOR, run_of
from runner.plan import Plan
from runner.retention import Retention, let_go
from runner.session import Session
from runner.staging import left_scenes
from runner.steps.forward import BringBackData
from runner.vault.port import RoomSeen
from runner.way import kept_name

STRANGE_AGE_S = 86_400
"""What belongs to no run of this machine may be another one's, at work; after a day without a successor it is not."""


@dataclass(frozen=True)
class Needs:
    """All that decides what is needed, read once."""

    session: Session
    containers: tuple[Container, ...]
    rooms: tuple[RoomSeen, ...]
    engine_id: str
    foreign: bool

    @cached_property
    def plans(self) -> dict[str, Plan]:
        """The runs known here."""
        return {run: self.session.runs.plan(run) for run in self.session.runs.readable()}

    @cached_property
    def unreadable(self) -> tuple[str, ...]:
        """The runs of which nobody here can say whether they ended: what is theirs stays."""
        return self.session.runs.unreadable()

    @cached_property
    def sealed(self) -> frozenset[str]:
        """The runs, and members of runs, that have a snapshot."""
        own = frozenset(seen.room.run for seen in self.rooms if seen.sealed)
        return own | frozenset(run_of(run) for run in own)

    @cached_property
    def needed(self) -> frozenset[str]:
        """The runs whose snapshots are being put back, or played on."""
        opened = (plan for run, plan in self.plans.items() if self.is_open(run))
        earlier = {step.earlier.run for plan in opened for step in plan.steps if isinstance(step, BringBackData)}
        return frozenset(earlier | {each.room.run for scene in left_scenes(self.session) for each in scene.everyone})

    @cached_property
    def let_go(self) -> dict[str, Retention]:
        """The runs whose snapshots retention lets go, and what it keeps."""
        now, gone = self.session.clock.now(), dict[str, Retention]()
        for target, retention in _retentions(self):
            mine = (seen for seen in self.rooms if seen.room.target == target and self._is_mine(seen.room.run))
            gone |= {seen.room.run: retention for seen in let_go(mine, retention, now)}
        return gone

    def _is_mine(self, run: str) -> bool:
        plan = self.plans.get(run_of(run))
        return plan is not None and plan.engine_id == self.engine_id

    def is_open(self, run: str) -> bool:
        """Whether somebody may still need a run's things; a run of another machine shows by its containers."""
        run = run_of(run)
        if run in self.plans:
            return not self.session.finished(run)
        if run in self.unreadable:
            return True
        names = {container.name for container in self.containers}
        return any(
            container.name.endswith("-refloat-next") or kept_name(container.name) in names
            for container in self.containers
            if run_of(container.labels.get(RUN, "")) == run and container.labels.get(ROLE) == SUCCESSOR
        )

    def is_over(self, run: str, since: str) -> bool:
        """Whether nobody can need a thing of this run any more that was made at ``since``."""
        now = self.session.clock.now()
        return not self.is_open(run) and (run_of(run) in self.plans or is_older(since, now, STRANGE_AGE_S))


def _retentions(needs: Needs) -> Iterator[tuple[str, Retention]]:
    """The targets of this engine with what their newest finished run keeps."""
    runs = needs.session.runs
    mine = (plan for plan in needs.plans.values() if plan.engine_id == needs.engine_id)
    for target in dict.fromkeys(member.target for plan in mine for member in plan.members):
        finished = (run for run in runs.of_target(needs.engine_id, target) if not needs.is_open(run))
        newest = next(finished, None)
        if newest is not None:
            yield target, needs.plans[newest].retention
