"""Whatever dies on the way, a run ends old or new, whole: the sweep over all stages, and bugs that must turn it red."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from unittest.mock import patch

import pytest

from runner import perform_containers, perform_data
from runner.engine.memory import Fault
from runner.plan import Plan
from runner.progress import Seen
from runner.records import Record
from runner.steps.back import BackStep
from runner.steps.configuration import RefreshConfiguration
from runner.steps.forward import Rename, SetRestartPolicy, StartSuccessor, StopContainer
from runner.steps.proof import EditFile
from tests.pure.sweep.stages import STACKS, STAGES, Stage
from tests.pure.sweep.sweep import LINE_FAULTS, Ends, call_faults, ends, line_fault, once, trial

by_name = pytest.mark.parametrize("stage", [*STAGES, *STACKS], ids=lambda stage: stage.name)


def swept_calls(stage: Stage, known: Ends) -> Iterator[tuple[str, ...]]:
    """Every call fails in every way, every second time with the runner's disk lost; yields what is wrong each time."""
    for count, (number, fault) in enumerate(call_faults(known.calls)):
        if count % (4 if stage in STACKS else 1):
            continue  # a stack has the same steps twice
        found = trial(stage, known, once(number, fault), wipe=count // (4 if stage in STACKS else 1) % 2 == 0)
        yield tuple(f"{fault} at call {number} {known.calls[number]}: {text}" for text in found)


@by_name
def test_every_call_may_fail_in_every_way(stage: Stage) -> None:
    known = ends(stage)
    found = tuple(swept_calls(stage, known))
    wrong = [text for texts in found for text in texts]
    assert not wrong, f"{len(wrong)} of {len(found)}:\n" + "\n".join(wrong[:12])
    assert len(found) > min(len(known.calls), 100)


@by_name
def test_the_runner_may_die_before_within_and_after_every_line_of_the_journal(stage: Stage) -> None:
    known = ends(stage)
    wrong: list[str] = []
    for number in range(known.lines):
        for fault in LINE_FAULTS:
            wipe = (number + len(fault)) % 2 == 0
            if stage in STACKS and (number + LINE_FAULTS.index(fault)) % 3:
                continue
            found = trial(stage, known, lines=line_fault(number, fault), wipe=wipe)
            wrong += [f"{fault} line {number}, wiped {wipe}: {text}" for text in found]
    assert known.lines > 20
    assert not wrong, f"{len(wrong)}:\n" + "\n".join(wrong[:12])


@by_name
@pytest.mark.parametrize("back", [False, True], ids=["onwards", "back"])
def test_the_recovery_may_die_as_well(stage: Stage, back: bool) -> None:
    known = ends(stage)
    wrong: list[str] = []
    for number in range(5, min(len(known.calls), 100), 40 if stage in STACKS else 13):
        for at in range(number % 4, 48, 6):
            second = Fault.CRASHED_AFTER if at % 4 else Fault.CRASHED_BEFORE
            found = trial(stage, known, once(number, Fault.CRASHED_AFTER), back=back, second=second, at=at)
            wrong += [f"died at {number} {known.calls[number]} and at {at}: {text}" for text in found]
    assert not wrong, f"{len(wrong)}:\n" + "\n".join(wrong[:12])


def _no_undo(_: object) -> tuple[BackStep, ...]:
    return ()


def _nothing(*_: object) -> dict[str, str]:
    return {}


def _all_restored(plan: Plan, _seen: tuple[Seen, ...], at: str, *, accepted: bool) -> tuple[Record, ...]:
    del plan, at, accepted
    return ()


BUGS: dict[str, Callable[[], AbstractContextManager[object]]] = {
    "the data is not restored": lambda: patch.object(perform_data, "restore_data", _nothing),
    "the new one keeps running on the way back": lambda: patch.object(perform_containers, "stop_ours", _nothing),
    "the name is not given back": lambda: patch.object(Rename, "undo", _no_undo),
    "a start has no undo": lambda: patch.object(StartSuccessor, "undo", _no_undo),
    "a stop has no undo": lambda: patch.object(StopContainer, "undo", _no_undo),
    "the snapshot is never taken": lambda: patch.object(perform_data, "cold_copy", _nothing),
    "the policy is not given back": lambda: patch.object(SetRestartPolicy, "undo", _no_undo),
    "a refresh of configuration has no undo": lambda: patch.object(RefreshConfiguration, "undo", _no_undo),
    "the compose file is not put back": lambda: patch.object(EditFile, "undo", _no_undo),
    "members are taken for one another": lambda: patch.object(Plan, "member_of", lambda plan, _: plan.lead),
    "a lost journal is not made up for": lambda: patch("runner.recovery.records_from_seen", _all_restored),
}


SEEN_ON = {
    "members are taken for one another": "one of a stack keeps its version",
    "the new one keeps running on the way back": "a held one goes back",
    "the compose file is not put back": "written in a compose file",
    "a refresh of configuration has no undo": "configuration is refreshed and refused",
}


@pytest.mark.parametrize("bug", BUGS)
def test_a_seeded_bug_turns_the_sweep_red(bug: str) -> None:
    name = SEEN_ON.get(bug, "crashes after it migrated")
    stage = next(stage for stage in (*STAGES, *STACKS) if stage.name == name)
    known = ends(stage)
    with BUGS[bug]():
        assert any(swept_calls(stage, known))
