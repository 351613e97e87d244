"""The sweep itself: count the calls of a run, fail each in each way, recover, and judge."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext, suppress
from dataclasses import dataclass
from pathlib import Path
from unittest.mock import patch

from runner.engine.memory import Fault, MemoryEngine, RunnerDied
from runner.engine.memory.faults import READS, Faults
from runner.errors import RefloatError
from runner.journal import Journal
from runner.records import Record, record_to_line
from tests.pure.sweep.judge import Picture, findings, picture
from tests.pure.sweep.stages import NAME, Stage, act, prepared, runner_on

CHANGING = tuple(Fault)
READING = (Fault.REFUSED, Fault.UNREACHABLE, Fault.CRASHED_BEFORE)
DENSE, SPARSE = 110, 97
"""A run that polls makes the same calls over and over: of those past the first, only some are tried."""
LINE_FAULTS = ("before", "torn", "after")


@dataclass(frozen=True)
class Ends:
    """The two right ends of a stage, and how many calls and journal lines an undisturbed run has."""

    old: Picture
    new: Picture
    calls: tuple[str, ...]
    lines: int


def _believed(*_: object) -> None:
    """Cheaper than a mock, of which a sweep would make thousands."""


@contextmanager
def on_faith() -> Iterator[None]:
    """Check no plan on paper: that is tested elsewhere, and here it would be done thousands of times."""
    modules = ("verbs", "restoring", "stacking")
    with ExitStack() as patched:
        for module in modules:
            patched.enter_context(patch(f"runner.{module}.check_on_paper", _believed))
        yield


def ends(stage: Stage) -> Ends:
    """Run a stage undisturbed."""
    engine, home = prepared(stage)
    old = picture(stage, engine)
    heard: list[Record] = []
    with on_faith():
        act(stage, engine, home, heard.append)
    calls = tuple(name for name, _ in engine.calls)
    new = picture(stage, engine)
    shutil.rmtree(home)
    return Ends(old, new, calls, len(heard))


def once(number: int, fault: Fault) -> Faults:
    """A fault at the call of this number and at no other."""
    left = [number]

    def faults(_name: str, _args: tuple[object, ...]) -> Fault | None:
        left[0] -= 1
        return fault if left[0] == -1 else None

    return faults


def call_faults(calls: tuple[str, ...]) -> Iterator[tuple[int, Fault]]:
    """Every call with every way in which it can fail."""
    for number, name in enumerate(calls):
        if number > DENSE and number % SPARSE:
            continue
        for fault in READING if name in READS else CHANGING:
            yield number, fault


@contextmanager
def line_fault(number: int, fault: str) -> Iterator[None]:
    """The runner dies before, within or after the journal line of this number."""
    left = [number]
    write = Journal.write

    def dying(journal: Journal, record: Record) -> None:
        left[0] -= 1
        if left[0] != -1:
            write(journal, record)
            return
        if fault == "torn":
            with journal.path.open("ab") as file:
                file.write(record_to_line(record)[:-9])
        if fault == "after":
            write(journal, record)
        raise RunnerDied(f"{fault} line {number}")

    with patch.object(Journal, "write", dying):
        yield


def recovered(engine: MemoryEngine, home: Path, *, back: bool, second: Fault | None = None, at: int = 0) -> None:
    """Recover, once more after a second crash, as a user would."""
    if second is not None:
        engine.faults = once(at, second)
        with suppress(RunnerDied, RefloatError):
            runner_on(engine, home).recover(back=back)
        engine.faults = None
    runner_on(engine, home).recover(NAME, back=back)


def trial(stage: Stage, known: Ends, faults: Faults | None = None,
          *, lines: AbstractContextManager[None] | None = None,
          wipe: bool = False, back: bool = False, second: Fault | None = None,
          at: int = 0) -> tuple[str, ...]:  # fmt: skip
    """One disturbed run, its recovery, and what is wrong with its end."""
    engine, home = prepared(stage)
    try:
        engine.faults = faults
        with suppress(RunnerDied, RefloatError), on_faith(), lines or nullcontext():
            act(stage, engine, home)
        engine.faults = None
        if wipe:
            shutil.rmtree(home)
            home.mkdir()
        recovered(engine, home, back=back, second=second, at=at)
        return findings(stage, engine, known.old, known.new)
    except RefloatError as error:
        return (f"recover failed: {error.code}: {error}",)
    finally:
        shutil.rmtree(home)
