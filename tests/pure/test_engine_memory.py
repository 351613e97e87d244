"""What only the memory engine can show: behaviours, faults on order, forks; the contract suite holds the rest."""

from __future__ import annotations

import pytest

from runner.engine.memory import Answer, Behaviour, Fault, MemoryEngine, RunnerDied
from runner.engine.port import EnginePort
from runner.errors import EngineError, EngineUnreachable, OutcomeUnknown
from runner.facts import Image, Json


def engine_with(behaviour: Behaviour, config: Json | None = None) -> MemoryEngine:
    engine = MemoryEngine()
    engine.world.add_image(Image(id="sha256:" + "1" * 64, tags=("app:1",), config=config or {}), behaviour)
    engine.create_container("app", {"Image": "app:1", "HostConfig": {"Binds": ["data:/data"]}})
    engine.calls.clear()
    return engine


def test_it_keeps_the_port() -> None:
    engine: EnginePort = MemoryEngine()
    assert engine.engine().name == "memory"


def test_a_program_writes_into_its_volume() -> None:
    engine = engine_with(Behaviour(writes={"/data/schema": "2", "/tmp/x": "1"}))
    engine.start("app")
    assert engine.data["data"] == {"schema": "2"}
    assert engine.execute("app", ("cat", "/tmp/x")).text == "1"


def test_a_program_refuses_data_of_a_newer_version_and_says_so() -> None:
    engine = engine_with(Behaviour(refuses=("v2",)))
    engine.data["data"]["schema"] = "v2"
    engine.start("app")
    assert engine.container("app").state.status == "exited"
    assert "v2" in engine.logs("app", tail=1)


def test_a_crash_loop_counts_restarts_until_somebody_stops_it() -> None:
    engine = engine_with(Behaviour(crash_loops=True))
    engine.set_restart_policy("app", {"Name": "always"})
    engine.start("app")
    seen = {engine.container("app").state.status for _ in range(4)}
    assert seen == {"running", "restarting"}
    assert engine.container("app").state.restart_count >= 2
    engine.stop("app", 1)
    assert engine.container("app").state.status == "exited"


def test_a_program_that_dies_late_runs_until_its_look() -> None:
    engine = engine_with(Behaviour(dies_after_looks=3))
    engine.start("app")
    assert [engine.container("app").state.status for _ in range(3)] == ["running", "running", "exited"]


def test_a_program_deaf_to_its_signal_is_killed() -> None:
    engine = engine_with(Behaviour(ignores_term=True))
    engine.start("app")
    engine.kill("app", "TERM")
    assert engine.container("app").state.running
    engine.stop("app", 1)
    assert engine.container("app").state.exit_code == 137


def test_an_entrypoint_that_cannot_run_leaves_the_container_created() -> None:
    engine = engine_with(Behaviour(cannot_start=True))
    with pytest.raises(EngineError) as refused:
        engine.start("app")
    assert refused.value.code == "cannot-start"
    assert (engine.container("app").state.status, engine.container("app").state.exit_code) == ("created", 127)


def test_health_comes_with_looking_and_answers_its_own_command() -> None:
    engine = engine_with(Behaviour(healthy_after_looks=2), {"Healthcheck": {"Test": ["CMD-SHELL", "ok"]}})
    engine.start("app")
    assert engine.execute("app", ("/bin/sh", "-c", "ok")).exit_code == 1
    seen = [engine.container("app").state.health for _ in range(2)]
    assert [each.status for each in seen if each] == ["starting", "healthy"]
    assert engine.execute("app", ("/bin/sh", "-c", "ok")).exit_code == 0


def test_commands_have_fixed_and_computed_answers() -> None:
    answers = (Answer(argv=("version",), stdout="1.0"), Answer(argv=("count",), path="/data/rows"))
    engine = engine_with(Behaviour(answers=answers, counts="/data/rows"))
    engine.start("app")
    engine.container("app")
    engine.container("app")
    assert engine.execute("app", ("version",)).text == "1.0"
    assert engine.execute("app", ("count",)).text == "2"
    assert engine.execute("app", ("nope",)).exit_code == 126


def test_two_live_containers_on_one_volume_are_noted() -> None:
    engine = engine_with(Behaviour())
    engine.create_container("other", {"Image": "app:1", "HostConfig": {"Binds": ["data:/data"]}})
    engine.start("app")
    engine.start("other")
    assert engine.world.shared == [("data", "other", "app")]


@pytest.mark.parametrize(
    ("policy", "by_hand", "comes_back"),
    [
        ("no", False, False),
        ("on-failure", False, True),
        ("always", False, True),
        ("always", True, True),
        ("unless-stopped", False, True),
        ("unless-stopped", True, False),
    ],
)
def test_restart_policies_decide_who_survives_the_daemon(policy: str, by_hand: bool, comes_back: bool) -> None:
    engine = engine_with(Behaviour())
    engine.set_restart_policy("app", {"Name": policy})
    engine.start("app")
    if by_hand:
        engine.stop("app", 1)
    engine.world.clock += 1
    engine.daemon_restart()
    assert engine.container("app").state.running is comes_back


@pytest.mark.parametrize(
    ("fault", "error", "happened"),
    [
        (Fault.REFUSED, EngineError, False),
        (Fault.UNREACHABLE, EngineUnreachable, False),
        (Fault.UNKNOWN_DONE, OutcomeUnknown, True),
        (Fault.UNKNOWN_NOT_DONE, OutcomeUnknown, False),
        (Fault.CRASHED_BEFORE, RunnerDied, False),
        (Fault.CRASHED_AFTER, RunnerDied, True),
        (Fault.TORN, RunnerDied, True),
    ],
)
def test_a_call_fails_as_ordered(fault: Fault, error: type[BaseException], happened: bool) -> None:
    engine = engine_with(Behaviour())
    engine.faults = lambda name, _: fault if name == "start" else None
    with pytest.raises(error):
        engine.start("app")
    assert engine.container("app").state.running is happened
    assert engine.calls == [("start", ("app",)), ("container", ("app",))]


def test_an_answer_lost_while_reading_is_no_doubt() -> None:
    engine = engine_with(Behaviour())
    engine.faults = lambda *_: Fault.UNKNOWN_DONE
    with pytest.raises(EngineUnreachable):
        engine.container("app")


def test_a_fork_lives_its_own_life() -> None:
    engine = engine_with(Behaviour(writes={"/data/a": "1"}))
    fork = engine.fork()
    fork.start("app")
    fork.remove_container("app", force=True)
    assert engine.container("app").state.status == "created"
    assert engine.data["data"] == {}
    assert fork.calls[0] == ("start", ("app",))
