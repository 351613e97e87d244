"""How real containers are proven, or not: those that misbehave on purpose, and Prometheus asked from beside it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress

import pytest

from runner.clock import RealClock
from runner.engine.docker import DockerEngine, connect_engine
from runner.errors import EngineError
from runner.facts import Container, Json
from runner.fitness import health_terms, probe_from, readings_from
from runner.health import Proven, probe_once, prove_health
from runner.measure import read_evidence
from runner.probes import ask, close_probers, prober
from runner.recipes.loader import recipe_named
from runner.steps.nouns import HealthTerms, Probe
from runner.verdict import NotProven

PATIENT_S = 600.0


class Lab:
    """Containers of one test on the real engine, and everything that is asked of them."""

    def __init__(self, engine: DockerEngine, label: str, run: str) -> None:
        self.engine, self.label, self.run = engine, label, run
        self.made: list[str] = []

    def start(self, image: str, *, policy: str = "no", host: Json | None = None, env: tuple[str, ...] = ()) -> str:
        """Make a container of a lab image and start it; one that cannot be started is left as it is."""
        name = f"refloat-{self.run}-{len(self.made)}"
        key, _, value = self.label.partition("=")
        body: Json = {
            "Image": f"refloat-lab/{image}",
            "Env": list(env),
            "Labels": {key: value},
            "HostConfig": {"RestartPolicy": {"Name": policy}, **(host or {})},
        }
        self.engine.create_container(name, body)
        self.made.append(name)
        with suppress(EngineError):  # the entrypoint that cannot run: what follows is the test
            self.engine.start(name)
        return name

    def terms(self, name: str, *probes: Probe, dwell_s: float = 0.5) -> HealthTerms:
        """The terms of its image, with a deadline that only a broken test meets."""
        image = self.engine.image(self.engine.container(name).image_id)
        return health_terms({}, image.config, None, probes=probes, deadline_s=PATIENT_S, dwell_s=dwell_s)

    def prove(self, name: str, terms: HealthTerms) -> Proven:
        """Prove it."""
        return prove_health(self.engine, RealClock(), lambda: self.engine.container(name), terms, run=self.run)

    def ask(self, name: str, probe: str) -> bool:
        """Ask one probe, once."""
        return ask(self.engine, probe_from(probe), self.engine.container(name), self.run).ok

    def probers(self) -> tuple[Container, ...]:
        """The probers there are."""
        return self.engine.containers({"refloat.run": self.run, "refloat.role": "prober"})

    def clear(self) -> None:
        """Remove everything."""
        close_probers(self.engine, self.run)
        for name in self.made:
            self.engine.remove_container(name, force=True, volumes=True)
        assert not self.probers()


@pytest.fixture
def lab(leftovers: str, engine_host: str, request: pytest.FixtureRequest) -> Iterator[Lab]:
    run = f"h{abs(hash((leftovers, request.node.nodeid))):x}"[:13]
    made = Lab(connect_engine(engine_host), leftovers, run)
    yield made
    made.clear()


def _verdict(lab: Lab, name: str, change: Callable[[HealthTerms], HealthTerms] = lambda terms: terms) -> NotProven:
    with pytest.raises(NotProven) as verdict:
        lab.prove(name, change(lab.terms(name, dwell_s=60)))
    return verdict.value


@pytest.mark.parametrize(
    ("tag", "policy", "code", "says"),
    [
        ("crash", "no", "crashed", "exit code 3"),
        ("crash", "always", "crash-looping", ""),
        ("crashloop", "always", "crash-looping", ""),
        ("dies-late", "no", "crashed", "exit code 4"),
    ],
)
def test_an_end_is_a_verdict_with_its_exit_code_and_last_words(
    lab: Lab, tag: str, policy: str, code: str, says: str
) -> None:
    name = lab.start(f"misbehave:{tag}", policy=policy)
    verdict = _verdict(lab, name)
    assert verdict.code == code
    assert says in verdict.what
    assert any("fatal" in line for line in verdict.log)


def test_an_entrypoint_that_cannot_run_is_told_from_a_crash(lab: Lab) -> None:
    verdict = _verdict(lab, lab.start("misbehave:no-entrypoint"))
    assert verdict.code == "not-started"
    assert "/service" in verdict.what


def test_one_killed_for_memory_is_told_so(lab: Lab) -> None:
    limit = 32 * 1024 * 1024
    verdict = _verdict(lab, lab.start("misbehave:oom", host={"Memory": limit, "MemorySwap": limit}))
    # The engine hears of the exit and of its reason by two messages, in either order.
    assert verdict.code in ("oom", "crashed")
    assert "memory" in verdict.what
    assert "137" in verdict.what


def test_one_that_stays_unhealthy_is_given_up(lab: Lab) -> None:
    name = lab.start("misbehave:never-healthy")
    verdict = _verdict(lab, name, lambda terms: terms.model_copy(update={"unhealthy_s": 0.5}))
    assert verdict.code == "unhealthy"
    assert "404" in verdict.what


def test_one_that_is_unhealthy_at_first_is_waited_for(lab: Lab) -> None:
    name = lab.start("misbehave:slow-healthy", env=("SLOW_S=5",))
    assert lab.prove(name, lab.terms(name)).probes == ("its own health check",)


def test_a_good_one_answers_every_kind_of_probe(lab: Lab) -> None:
    name = lab.start("misbehave:1.0")
    probes = tuple(probe_from(text) for text in ("http:8000/health", "tcp:8000", "log:ready", "cmd:test -d /data"))
    terms = lab.terms(name, *probes)
    assert lab.prove(name, terms).started_at == lab.engine.container(name).state.started_at
    assert probe_once(lab.engine, lab.engine.container(name), terms, lab.run) == {p.spoken for p in terms.probes}
    assert not lab.ask(name, "http:8000/nowhere")
    assert not lab.ask(name, "tcp:8001")
    assert not lab.ask(name, "log:never said")
    assert not lab.ask(name, "cmd:no-such-command")


def test_a_stopped_one_answers_nothing(lab: Lab) -> None:
    name = lab.start("misbehave:1.0")
    lab.engine.stop(name, 5)
    assert not lab.ask(name, "http:8000/health")
    assert not lab.ask(name, "cmd:true")
    assert not lab.probers()


def test_a_prober_never_keeps_its_container_from_stopping_and_follows_a_restart(lab: Lab) -> None:
    name = lab.start("misbehave:1.0")
    lab.prove(name, lab.terms(name, probe_from("tcp:8000")))
    before = lab.probers()
    lab.engine.stop(name, 5)
    assert not lab.engine.container(name).state.alive
    lab.engine.start(name)
    lab.prove(name, lab.terms(name, probe_from("tcp:8000")))
    after = lab.probers()
    assert len(before) == len(after) == 1
    assert before[0].id != after[0].id


@pytest.mark.parametrize(
    ("image", "port", "page"), [("misbehave:1.0", 8000, "/health"), ("prometheus:2.42.0", 9090, "/-/ready")]
)
def test_without_tools_whatever_the_image_has_is_used(
    lab: Lab, monkeypatch: pytest.MonkeyPatch, image: str, port: int, page: str
) -> None:
    monkeypatch.setattr(prober, "TOOLS_IMAGE", "refloat-lab/never-built:0")
    name = lab.start(image)
    lab.prove(name, lab.terms(name, probe_from(f"tcp:{port}"), probe_from(f"http:{port}{page}")))
    assert not lab.ask(name, f"tcp:{port + 1}")
    assert not lab.ask(name, f"http:{port + 1}/")
    assert not lab.ask(name, f"http:{port}/nowhere")
    assert not lab.probers()


def test_prometheus_is_proven_by_its_recipe_and_says_its_version(lab: Lab) -> None:
    name, recipe = lab.start("prometheus:2.53.3"), recipe_named("prometheus")
    terms = health_terms({}, {}, recipe, dwell_s=0.5)
    proven = lab.prove(name, terms)
    assert proven.probes == tuple(probe.spoken for probe in terms.probes)
    values = read_evidence(lab.engine, lab.engine.container(name), readings_from(recipe), lab.run)
    assert values["version"].startswith("2.53.3")
