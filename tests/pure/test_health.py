"""How a start is judged, on the memory engine: a crash at once, silence at the deadline, progress never."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from runner.clock import MemoryClock
from runner.engine.memory import Behaviour, MemoryEngine
from runner.engine.memory.behaviour import Answer as Reply
from runner.engine.memory.faults import Fault
from runner.errors import EngineUnreachable, Interrupted
from runner.facts import Container, Image, Json
from runner.health import Proven, probe_once, prove_health
from runner.measure import read_evidence, settle_evidence
from runner.probes import close_probers
from runner.probes.prober import TOOLS_IMAGE
from runner.steps.nouns import CommandProbe, HealthTerms, HttpProbe, ImageHealth, LogProbe, Probe, Reading, TcpProbe
from runner.verdict import NotProven

CHECK = ("ask", "health")
IMAGE_HEALTH = ImageHealth()
QUICK = HealthTerms(deadline_s=20, dwell_s=2, unhealthy_s=5)


class Lab:
    """A memory engine with one container, ready to be started and proven."""

    def __init__(self, behaviour: Behaviour, *, policy: str = "no", tools: Behaviour | None = None,
                 env: tuple[str, ...] = ()) -> None:  # fmt: skip
        self.engine, self.clock = MemoryEngine(), MemoryClock()
        config: Json = {"Healthcheck": {"Test": ["CMD", *CHECK]}} if behaviour.healthcheck else {}
        self.engine.world.add_image(Image(id="sha256:web", tags=("web:2",), config=config), behaviour)
        if tools:
            self.engine.world.add_image(Image(id="sha256:tools", tags=(TOOLS_IMAGE,), config={}), tools)
        host: Json = {"AutoRemove": True} if policy == "--rm" else {"RestartPolicy": {"Name": policy}}
        self.engine.create_container("web", {"Image": "web:2", "HostConfig": host, "Env": [*env]})
        self.told: list[str] = []

    def find(self) -> Container:
        """Look at the container."""
        return self.engine.container("web")

    def prove(self, terms: HealthTerms = QUICK, *probes: Probe, answered: frozenset[str] | None = None,
              interrupted: Callable[[], bool] = lambda: False) -> Proven:  # fmt: skip
        """Start it unless it cannot be, and prove it."""
        terms = terms.model_copy(update={"probes": (*terms.probes, *probes)})
        return prove_health(self.engine, self.clock, self.find, terms, run="r1", answered=answered,
                            tell=lambda words, _left: self.told.append(words), interrupted=interrupted)  # fmt: skip


def _started(behaviour: Behaviour, *, policy: str = "no", tools: Behaviour | None = None) -> Lab:
    lab = Lab(behaviour, policy=policy, tools=tools)
    lab.engine.start("web")
    return lab


def _code(lab: Lab, terms: HealthTerms = QUICK, *probes: Probe) -> str:
    with pytest.raises(NotProven) as verdict:
        lab.prove(terms, *probes)
    assert verdict.value.what.endswith(".") or ":" in verdict.value.what
    return verdict.value.code


def test_a_container_that_stays_up_is_proven_after_its_dwell_time() -> None:
    lab = _started(Behaviour())
    proven = lab.prove()
    assert proven.container_id == lab.find().id
    assert lab.clock.monotonic() == pytest.approx(QUICK.dwell_s)
    assert lab.told


def test_a_crash_is_a_verdict_at_once_with_the_last_words() -> None:
    lab = _started(Behaviour(crashes=True))
    with pytest.raises(NotProven) as verdict:
        lab.prove(QUICK, IMAGE_HEALTH)
    assert verdict.value.code == "crashed"
    assert "exit code 1" in verdict.value.what
    assert verdict.value.log[-1] == "FATAL: crashed"
    assert lab.clock.monotonic() == 0


def test_a_crash_loop_is_a_verdict_at_once() -> None:
    lab = _started(Behaviour(crash_loops=True), policy="always")
    assert _code(lab) == "crash-looping"
    assert lab.clock.monotonic() == 0


def test_a_restart_between_two_looks_is_seen() -> None:
    lab = _started(Behaviour(dies_after_looks=3), policy="always")
    assert _code(lab) == "crash-looping"


def test_one_that_dies_within_its_dwell_time_is_not_proven() -> None:
    lab = _started(Behaviour(dies_after_looks=3, healthcheck=True))
    assert _code(lab, QUICK, IMAGE_HEALTH) == "crashed"
    assert lab.clock.monotonic() < QUICK.dwell_s


def test_one_that_cannot_be_started_is_told_from_one_that_crashed() -> None:
    lab = Lab(Behaviour(cannot_start=True))
    with pytest.raises(Exception, match="OCI runtime"):
        lab.engine.start("web")
    assert _code(lab) == "not-started"


def test_one_that_was_never_started_is_given_up_at_the_deadline() -> None:
    lab = Lab(Behaviour())
    assert _code(lab) == "not-started"
    assert lab.clock.monotonic() >= QUICK.deadline_s


def test_one_the_engine_removes_when_it_ends_crashed() -> None:
    lab = _started(Behaviour(dies_after_looks=2), policy="--rm")
    assert _code(lab) == "crashed"


def test_one_that_somebody_restarts_is_not_the_process_it_was() -> None:
    lab = _started(Behaviour())

    def restart_once() -> bool:
        if lab.clock.monotonic() == 0:
            lab.engine.stop("web", 1)
            lab.engine.start("web")
        return False

    with pytest.raises(NotProven) as verdict:
        lab.prove(interrupted=restart_once)
    assert verdict.value.code == "other-process"


def test_one_that_somebody_paused_is_not_proven() -> None:
    lab = _started(Behaviour())
    lab.engine.pause("web")
    assert _code(lab) == "silent"


def test_one_that_is_slow_to_get_healthy_is_waited_for() -> None:
    lab = _started(Behaviour(healthcheck=True, healthy_after_looks=9))
    assert lab.prove(QUICK, IMAGE_HEALTH).ready_after_s > 1


def test_unhealthy_counts_when_we_and_the_engine_agree_for_long_enough() -> None:
    lab = _started(Behaviour(healthcheck=True, never_healthy=True))
    assert _code(lab, QUICK, IMAGE_HEALTH) == "unhealthy"
    assert QUICK.unhealthy_s <= lab.clock.monotonic() < QUICK.deadline_s


def test_unhealthy_does_not_count_while_it_migrates() -> None:
    lab = _started(Behaviour(healthcheck=True, never_healthy=True))
    migrating = QUICK.model_copy(update={"migrating": ("starts",)})
    assert _code(lab, migrating, IMAGE_HEALTH) == "silent"
    assert lab.clock.monotonic() >= QUICK.deadline_s


def test_a_line_of_progress_extends_the_deadline() -> None:
    lab = _started(Behaviour(healthcheck=True, healthy_after_looks=100))
    terms = QUICK.model_copy(update={"migrating": (r"\d+ %",)})
    cell = lab.engine.world.cell("web")

    def migrate() -> bool:
        cell.log.append(f"{cell.looks} %")
        return False

    probed = terms.model_copy(update={"probes": (IMAGE_HEALTH,)})
    proven = prove_health(lab.engine, lab.clock, lab.find, probed, run="r1", interrupted=migrate)
    assert proven.ready_after_s > QUICK.deadline_s


def test_a_pause_the_vendor_calls_normal_is_waited_out() -> None:
    lab = _started(Behaviour(healthcheck=True, healthy_after_looks=100))
    patient = QUICK.model_copy(update={"migrating": ("starts",), "standstill_s": 1000.0})
    assert lab.prove(patient, IMAGE_HEALTH).ready_after_s > QUICK.deadline_s


def test_one_without_any_probe_is_not_ready_before_its_migration_ended() -> None:
    lab = _started(Behaviour())
    terms = QUICK.model_copy(update={"migrating": ("starts",), "migrated": ("all done",)})
    assert _code(lab, terms) == "silent"
    lab.engine.world.cell("web").log.append("all done")
    assert lab.prove(terms).ready_after_s == 0


def test_a_dangerous_line_is_a_verdict_at_once() -> None:
    lab = _started(Behaviour())
    assert _code(lab, QUICK.model_copy(update={"danger": ("^web:2 st",)})) == "danger-log"


def test_what_it_says_is_quoted_without_its_secrets() -> None:
    lab = Lab(Behaviour(dies_after_looks=4), env=("DB_PASSWORD=hunter22", "MODE=plain"))
    lab.engine.start("web")
    lab.engine.world.cell("web").log.append("cannot log in as plain with hunter22 at db://me:pw@host")
    with pytest.raises(NotProven) as verdict:
        lab.prove()
    said = "\n".join((*verdict.value.log, *lab.told))
    assert "cannot log in as plain with ***" in said
    assert "hunter22" not in said
    assert ":pw@" not in said


def test_every_probe_must_be_content() -> None:
    lab = _started(Behaviour(answers=(Reply(argv=("one",)), Reply(argv=("two",), exit_code=1))))
    one, two = CommandProbe(argv=("one",)), CommandProbe(argv=("two",))
    assert lab.prove(QUICK, one).probes == (one.spoken,)
    assert _code(lab, QUICK, one, two) == "silent"
    assert any("“two” succeeds: exit code 1" in words for words in lab.told)


def test_a_conditional_probe_is_asked_only_where_the_old_version_answered_it() -> None:
    lab = _started(Behaviour())
    probe = TcpProbe(port=1, if_before=True)
    assert lab.prove(QUICK, probe, answered=frozenset()).probes == ()
    assert _code(lab, QUICK, probe) == "silent"


def test_a_log_line_once_seen_counts_however_much_is_logged_later() -> None:
    lab = _started(Behaviour())
    log = lab.engine.world.cell("web").log

    def chatter() -> bool:
        log.extend("chatter" for _ in range(3000))
        return False

    assert lab.prove(QUICK, LogProbe(pattern="web:2 starts"), interrupted=chatter)


def test_which_probes_answer_is_told_by_what_they_are_called() -> None:
    lab = _started(Behaviour(healthcheck=True, answers=(Reply(argv=("one",)),)))
    one, two = CommandProbe(argv=("one",), if_before=True), CommandProbe(argv=("two",), if_before=True)
    terms = HealthTerms(probes=(IMAGE_HEALTH, one, two, LogProbe(pattern="starts"), HttpProbe(port=1)))
    answered = probe_once(lab.engine, lab.find(), terms, "r1")
    assert answered == {IMAGE_HEALTH.spoken, one.spoken, LogProbe(pattern="starts").spoken}


def test_the_network_is_asked_from_a_prober_that_is_removed_afterwards() -> None:
    lab = _started(Behaviour(), tools=Behaviour(obeys=True))
    terms = QUICK.model_copy(update={"probes": (HttpProbe(port=80), TcpProbe(port=80))})
    assert len(probe_once(lab.engine, lab.find(), terms, "r1")) == 2
    prober = lab.engine.containers({"refloat.run": "r1", "refloat.role": "prober"})
    assert [each.host_config["NetworkMode"] for each in prober] == [f"container:{lab.find().id}"]
    close_probers(lab.engine, "r1")
    assert [each.name for each in lab.engine.containers()] == ["web"]


def test_a_restarted_container_gets_another_prober() -> None:
    lab = _started(Behaviour(), tools=Behaviour(obeys=True))
    terms = QUICK.model_copy(update={"probes": (TcpProbe(port=80),)})
    probe_once(lab.engine, lab.find(), terms, "r1")
    first = lab.engine.containers({"refloat.role": "prober"})
    lab.engine.stop("web", 1)
    lab.engine.start("web")
    probe_once(lab.engine, lab.find(), terms, "r1")
    second = lab.engine.containers({"refloat.role": "prober"})
    assert len(first) == len(second) == 1
    assert first[0].id != second[0].id


def test_without_tools_the_containers_own_shell_is_asked() -> None:
    lab = _started(Behaviour(obeys=True))
    assert lab.prove(QUICK, HttpProbe(port=80), TcpProbe(port=80))
    assert [each.name for each in lab.engine.containers()] == ["web"]


def test_a_prober_lost_on_the_way_is_made_again() -> None:
    lab = _started(Behaviour(), tools=Behaviour(obeys=True))
    lab.engine.faults = lambda method, _args: Fault.UNKNOWN_DONE if method == "create_container" else None
    with pytest.raises(NotProven):
        lab.prove(QUICK.model_copy(update={"deadline_s": 1.0}), TcpProbe(port=80))
    lab.engine.faults = None
    assert lab.prove(QUICK, TcpProbe(port=80))


@pytest.mark.parametrize("fault", [Fault.UNREACHABLE, Fault.UNKNOWN_DONE])
@pytest.mark.parametrize("method", ["container", "logs", "execute"])
def test_an_engine_that_does_not_answer_once_is_asked_again(method: str, fault: Fault) -> None:
    lab = _started(Behaviour(healthcheck=True))
    left = [fault]
    lab.engine.faults = lambda name, _args: left.pop() if name == method and left else None
    assert lab.prove(QUICK, IMAGE_HEALTH)
    assert not left


def test_an_engine_that_never_answers_is_no_verdict_on_the_container() -> None:
    lab = _started(Behaviour())
    lab.engine.faults = lambda _method, _args: Fault.UNREACHABLE
    with pytest.raises(EngineUnreachable):
        lab.prove()


def test_an_interruption_ends_the_waiting() -> None:
    lab = _started(Behaviour(healthcheck=True, healthy_after_looks=50))
    with pytest.raises(Interrupted):
        lab.prove(QUICK, IMAGE_HEALTH, interrupted=lambda: lab.clock.monotonic() > 3)


def test_evidence_is_read_where_it_answers_and_left_out_where_it_does_not() -> None:
    lab = _started(Behaviour(answers=(Reply(argv=("rows",), stdout="7 rows\n"), Reply(argv=("no",), exit_code=2))))
    readings = (
        Reading(name="rows", how=CommandProbe(argv=("rows",)), pick=r"\d+"),
        Reading(name="no", how=CommandProbe(argv=("no",))),
        Reading(name="page", how=HttpProbe(port=80)),
    )
    assert read_evidence(lab.engine, lab.find(), readings, "r1") == {"rows": "7"}
    lab.engine.stop("web", 1)
    assert read_evidence(lab.engine, lab.find(), readings, "r1") == {}


def test_a_value_that_grows_back_is_given_its_time() -> None:
    lab = _started(Behaviour(counts="/rows"))
    reading = Reading(name="rows", how=CommandProbe(argv=("cat", "/rows")), rule="not_less")

    def findings(before: str) -> tuple[bool, ...]:
        def grow() -> bool:
            lab.find()
            return False

        container = lab.find()
        found = settle_evidence(lab.engine, lab.clock, container, (reading,), {"rows": before}, "2", run="r1",
                                interrupted=grow)  # fmt: skip
        return tuple(finding.ok for finding in found)

    assert findings("5") == (True,)
    assert lab.clock.monotonic() < reading.settle_s
    assert findings("5000") == (False,)
    assert lab.clock.monotonic() >= reading.settle_s


def test_a_memory_clock_passes_only_by_sleeping() -> None:
    clock = MemoryClock()
    before = clock.now()
    clock.sleep(1.5)
    clock.sleep(-3)
    assert (clock.now() - before).total_seconds() == clock.monotonic() == 1.5
    assert before == datetime(2024, 1, 1, tzinfo=UTC)
