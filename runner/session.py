"""One runner at work on one engine: it gives runs their journal, hands and lock; what is done is decided elsewhere."""

from __future__ import annotations

import contextlib
import os
import secrets
import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC
from pathlib import Path

from runner.clock import Clock
from runner.committing import CommitPlan, commit_begun, execute_commit, plan_commit, saved_commit
from runner.config.secrets import secret_text
from runner.edits import edit_file
from runner.engine.port import EnginePort
from runner.errors import RefloatError, Stuck
from runner.executor import execute
from runner.facts import Json
from runner.hands import Hands
from runner.host import run_on_host, write_text
from runner.journal import Journal, Runs
from runner.outcome import Outcome, outcome
from runner.perform import perform
from runner.perform_hooks import facts_of
from runner.plan import Member, Plan
from runner.progress import Do, found_by
from runner.records import Did, End, Meant, Noted, Opened, Record, Wish
from runner.registry.listing import Listing, not_asked
from runner.vault.port import Room, VaultPort


def _deaf(_: Record) -> None:
    return


def _silent(_: str) -> None:
    return


def _never() -> bool:
    return False


@dataclass(frozen=True)
class Session:
    """Where a runner keeps its state, what it works with, and who listens."""

    home: Path
    engine: EnginePort
    vault: VaultPort
    clock: Clock
    hear: Callable[[Record], None] = _deaf
    interrupted: Callable[[], bool] = _never
    ask_registry: Callable[[str], Listing] = not_asked
    """Gives the tags of a repository, or why they could not be seen."""
    announce: Callable[[str], None] = _silent
    """Told each step boundary: ``meant stop-container`` and ``did undo:restore-data`` once it is in the journal,
    ``performed remove-ours`` before it is."""

    @property
    def runs(self) -> Runs:
        """The run folders."""
        return Runs(self.home)

    def now(self) -> str:
        """This moment, RFC 3339, UTC."""
        return self.clock.now().isoformat(timespec="milliseconds")

    def new_run(self) -> str:
        """A run's name: it sorts by time, and no other run can have it."""
        return f"{self.clock.now().astimezone(UTC):%Y%m%d-%H%M%S}-{secrets.token_hex(3)}"

    @contextlib.contextmanager
    def holding(self, plan: Plan) -> Iterator[None]:
        """Hold all the plan's targets; Busy where one is held already."""
        with contextlib.ExitStack() as held:
            for member in plan.members:
                held.enter_context(self.runs.lock(plan.engine_id, member.target, plan.run, self.now()))
            yield

    def opened(self, wish: Wish, *, from_engine: bool = False) -> Opened:
        """The record with which this runner takes a run up."""
        return Opened(at=self.now(), wish=wish, host=socket.gethostname(), pid=os.getpid(), from_engine=from_engine)

    def journal(self, plan: Plan) -> Journal:
        """The journal of a run, heard by whoever listens."""

        def hear(record: Record) -> None:
            self.hear(record)
            if isinstance(record, Meant | Did):
                self.announce(boundary(plan, record))

        return Journal(self.runs.journal_path(plan.run), hear)

    def hands(self, plan: Plan, journal: Journal, member: Member | None = None) -> Hands:
        """What the steps of a run need; in a stack, those of one member of it."""

        def found(kind: str) -> Json:
            return found_by(plan, journal.records, kind, member.run if member else "")

        def note(kind: str, text: str, left_s: float | None) -> None:
            journal.write(Noted.model_validate({"at": self.now(), "kind": kind, "text": text, "left_s": left_s}))

        return Hands(
            run=member.run if member else plan.run,
            engine=self.engine,
            vault=self.vault,
            clock=self.clock,
            papers=self.runs.papers(plan.run),
            found=found,
            note=note,
            interrupted=self.interrupted,
            editor=edit_file,
            host=run_on_host,
            secret=lambda pointer, folder: secret_text(pointer, Path(folder)),
            writer=write_text,
            told=facts_of(plan, member or plan.lead),
            way_back=(member or plan.lead).way_back,
        )

    def carry_out(self, plan: Plan, wish: Wish, inferred: tuple[Record, ...] = ()) -> Outcome:
        """Take a run up, bring it to its end, and commit it where its plan says so."""
        journal = self.journal(plan)
        journal.write(self.opened(wish, from_engine=bool(inferred)))
        for record in inferred:
            journal.write(record)
        closed = execute(plan, journal, self._performer(plan, journal), self.clock, self.interrupted)
        if closed.end is End.NEW and not plan.hold:
            self._commit_at_once(plan)
        if closed.end is End.OLD:
            for room in plan.brought:
                self._drop(room)
        return self.outcome(plan)

    def _drop(self, brought: Room) -> None:
        """The archive it was unpacked from is still there; where it cannot be removed now, prune will."""
        with contextlib.suppress(RefloatError):
            self.vault.discard(brought)
            self.vault.close(brought.run)

    def _performer(self, plan: Plan, journal: Journal) -> Callable[[Do], Json]:
        hands = {member.run: self.hands(plan, journal, member) for member in plan.members}

        def performed(move: Do) -> Json:
            facts = perform(hands[plan.member_at(move.key).run], move.step)
            self.announce(f"performed {'undo:' if move.undo_of else ''}{move.step.kind}")
            return facts

        return performed

    def _commit_at_once(self, plan: Plan) -> None:
        try:
            self.commit(plan)
        except RefloatError as error:
            error.stands = f"{plan.target} runs {plan.new.spoken}, proven; only tidying up is not finished."
            error.then = error.then if isinstance(error, Stuck) else f"refloat recover {plan.target}"
            raise

    def commit(self, plan: Plan) -> None:
        """Accept a verdict for good, or go on with a commit that was cut off."""
        runs = self.runs
        make = None
        if not commit_begun(runs, plan.run):
            make = self._new_commit(plan)
        commit = saved_commit(runs, plan, make)

        def hear(record: Record) -> None:
            if isinstance(record, Meant | Did):
                self.announce(f"{record.record} commit:{commit.steps[int(record.key) - 1].kind}")

        journal = Journal(runs.commit_path(plan.run), hear)
        execute_commit(commit, journal, self.hands(plan, self.journal(plan)), self.clock, socket.gethostname(),
                       os.getpid())  # fmt: skip

    def _new_commit(self, plan: Plan) -> CommitPlan:
        runs = self.runs
        mine = (run for member in plan.members for run in runs.of_target(plan.engine_id, member.target))
        finished = frozenset(run for run in dict.fromkeys(mine) if self.finished(run))
        return plan_commit(plan, self.vault.rooms(plan.place), finished, self.clock.now())

    def finished(self, run: str) -> bool:
        """Whether nothing of a run is open: it went back, or forward and was committed."""
        told = self.outcome(self.runs.plan(run))
        return told.end is End.OLD or (told.end is End.NEW and told.committed)

    def outcome(self, plan: Plan) -> Outcome:
        """How a run stands."""
        commit = Journal(self.runs.commit_path(plan.run)).records
        return outcome(plan, self.runs.records(plan.run), commit)


def boundary(plan: Plan, record: Meant | Did) -> str:
    """The name of a step boundary, by kind: numbers change with the plan."""
    index, _, part = record.key.partition(".")
    step = plan.steps[int(index) - 1]
    return f"{record.record} undo:{step.undo()[int(part) - 1].kind}" if part else f"{record.record} {step.kind}"
