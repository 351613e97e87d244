"""A stack over several hops: who goes when, each hop one verdict for all, and the way back to the start."""

from __future__ import annotations

from contextlib import nullcontext
from datetime import timedelta
from pathlib import Path

import pytest

from runner.engine.memory import Behaviour, MemoryEngine
from runner.errors import Refused
from runner.facts import Image
from runner.goal import Goal
from runner.hopping import PathEnd, Walk, first_hop_of_stack
from runner.options import Options
from runner.plan import Plan
from runner.records import End
from runner.stack_hops import StackHops, stack_hops
from runner.stacking import Part, Stack
from runner.vault.port import VaultPlace
from runner.verbs import Refloat
from tests.pure.sweep.stages import runner_on

FLOW, WORKER, WEB, STORE = "omflow/omflow", "vendor/worker", "vendor/web", "vendor/store"
HOPS = ("1.1.6.1", "1.2.0.0", "1.2.0.1")
OBEYS = Behaviour(obeys=True)
OPTIONS = Options(unchecked=True, deadline_s=10, dwell_s=0, answers=("terms=accepted",))


def engine_with(last: Behaviour = OBEYS) -> MemoryEngine:
    """OMFLOW, whose rules ask for a stop; a worker of its version, a web interface of another, and a store."""
    engine = MemoryEngine()
    refs = [f"{home}:{tag}" for home in (FLOW, WORKER) for tag in HOPS] + [f"{WEB}:1", f"{WEB}:2", f"{STORE}:1"]
    for number, ref in enumerate(refs, 1):
        manners = last if ref == f"{FLOW}:{HOPS[-1]}" else OBEYS
        writes = {"/data/schema": ref.rpartition(":")[2]}
        engine.world.add_image(Image(id=f"sha256:{number:064}", tags=(ref,), config={}, architecture="amd64"),
                               manners.model_copy(update={"writes": writes}))  # fmt: skip
    for name, ref in (("flow", f"{FLOW}:{HOPS[0]}"), ("worker", f"{WORKER}:{HOPS[0]}"), ("web", f"{WEB}:1"),
                      ("store", f"{STORE}:1")):  # fmt: skip
        engine.create_volume(f"{name}-data", labels={})
        engine.create_container(name, {"Image": ref, "HostConfig": {"Binds": [f"{name}-data:/data"]}})
        engine.start(name)
    return engine


def stack(worker: str = HOPS[-1]) -> Stack:
    goals = {"flow": HOPS[-1], "worker": worker, "web": "2", "store": None}
    parts = (Part(target=name, goal=Goal(to=to) if to else None, options=OPTIONS) for name, to in goals.items())
    return Stack(name="all", parts=tuple(parts), options=OPTIONS)


def found_on(refloat: Refloat, asked: Stack) -> StackHops:
    found = stack_hops(refloat.session, asked)
    assert found is not None
    return found


def walked(refloat: Refloat, *, all_or_nothing: bool = False) -> PathEnd:
    found = found_on(refloat, stack())
    return Walk(refloat, found.hops, OPTIONS, VaultPlace(), Goal(), lambda _number, _plan: nullcontext(),
                all_or_nothing, stages=found.stages).walk()  # fmt: skip


def tags(engine: MemoryEngine) -> list[str]:
    return [engine.container(name).image_ref.rpartition(":")[2] for name in ("flow", "worker", "web", "store")]


def test_who_runs_the_same_version_goes_the_same_way_and_the_others_go_as_late_as_they_can(tmp_path: Path) -> None:
    refloat = runner_on(engine_with(), tmp_path)
    found = found_on(refloat, stack())
    goals = [[part.goal.to if part.goal else "" for part in stage.parts] for stage in found.stages]
    assert goals == [["1.2.0.0", "1.2.0.0", "", ""], ["1.2.0.1", "1.2.0.1", "2", ""]]
    assert (found.hops.target, found.hops.spoken) == ("all", "1.1.6.1 → 1.2.0.0 → 1.2.0.1")
    late = found_on(refloat, stack(worker="1.2.0.0"))
    assert [part.goal for part in late.stages[0].parts][1:] == [None, None, None]


def test_a_stack_whose_members_may_all_go_straight_there_has_no_path(tmp_path: Path) -> None:
    straight = Stack(name="all", parts=(Part(target="flow", goal=Goal(to="1.2.0.0")), Part(target="store")))
    assert stack_hops(runner_on(engine_with(), tmp_path).session, straight) is None


def test_the_plan_is_that_of_the_first_hop_and_says_so(tmp_path: Path) -> None:
    refloat = runner_on(engine_with(), tmp_path)
    plan: Plan = first_hop_of_stack(refloat, found_on(refloat, stack()), VaultPlace())
    assert [member.target for member in plan.changing] == ["flow", "worker"]
    (said,) = [warning.text for warning in plan.warnings if warning.code == "path"]
    assert "first of 2 hops: 1.1.6.1 → 1.2.0.0 → 1.2.0.1. refloat apply all carries out all" in said


def test_every_hop_is_an_upgrade_of_all_with_its_own_verdict_and_the_first_one_taken_back_is_the_start(
    tmp_path: Path,
) -> None:
    engine = engine_with()
    refloat, before = runner_on(engine, tmp_path), {name: dict(data) for name, data in engine.data.items()}
    end = walked(refloat)
    assert ([one.end for one in end.ends], end.reached) == ([End.NEW, End.NEW], "1.2.0.1")
    assert tags(engine) == ["1.2.0.1", "1.2.0.1", "2", "1"]
    assert refloat.rollback(refloat.offer_rollback(end.ends[0].run)).end is End.NEW
    assert tags(engine) == ["1.1.6.1", "1.1.6.1", "1", "1"]
    assert {name: engine.data[name] for name in before if name.endswith("-data")} == {
        name: data for name, data in before.items() if name.endswith("-data")
    }


@pytest.mark.parametrize(("all_or_nothing", "left"), [(False, "1.2.0.0"), (True, "1.1.6.1")])
def test_where_a_hop_fails_all_stay_at_the_one_before_or_go_back_to_the_start(
    tmp_path: Path, left: str, *, all_or_nothing: bool
) -> None:
    engine = engine_with(Behaviour(obeys=True, crashes=True))
    end = walked(runner_on(engine, tmp_path), all_or_nothing=all_or_nothing)
    assert (int(end.exit_status), end.reached) == (5, left)
    assert tags(engine) == [left, left, "1", "1"]
    assert engine.data["flow-data"] == {"schema": left}


def test_a_stack_over_several_hops_that_must_be_rehearsed_and_was_not_is_refused(tmp_path: Path) -> None:
    refloat = runner_on(engine_with(), tmp_path)
    found = found_on(refloat, stack())
    walk = Walk(refloat, found.hops, OPTIONS, VaultPlace(), Goal(), lambda _number, _plan: nullcontext(),
                rehearsed_within=timedelta(days=1), stages=found.stages)  # fmt: skip
    with pytest.raises(Refused) as refused:
        walk.require_rehearsed()
    assert refused.value.code == "not-rehearsed"
    assert "refloat rehearse all --member flow=1.2.0.0 --member worker=1.2.0.0 --member web=same" in refused.value.then
