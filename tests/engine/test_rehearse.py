"""Rehearsals on the real engine: true verdicts, a target that never notices, copies that reach nobody, nothing left."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import ip_network
from pathlib import Path

import pytest

from runner.clock import RealClock
from runner.engine.docker import DockerEngine, connect_engine
from runner.goal import Goal
from runner.isolation import Props, aliases_of, isolated
from runner.planner import target_spec
from runner.rehearsal import REHEARSAL, scene_from
from runner.session import Session
from runner.staging import make_clones, make_stand_in, on_stage, take_snapshot
from runner.vault.port import VaultPlace
from runner.vault.vault import DockerVault
from runner.verbs import Refloat
from runner.way import Options

ROOT = Path(__file__).parents[2]
REFLOAT = [sys.executable, "-m", "runner.cli.main"]
SERVICE = "refloat-lab/misbehave"
UP_S = 300


@dataclass(frozen=True)
class Ran:
    """One finished command line."""

    status: int
    out: str
    err: str


@dataclass(frozen=True)
class Bench:
    """A target, a home and a vault of its own."""

    engine: DockerEngine
    host: str
    home: Path
    name: str

    @property
    def vault(self) -> str:
        return f"{self.name}-vault"

    @property
    def process(self) -> tuple[str, str, int, str]:
        """Which process of the target runs, and how it is."""
        target = self.engine.container(self.name)
        return target.id, target.state.started_at, target.state.pid, target.state.status

    def docker(self, *line: str) -> str:
        ran = subprocess.run(["docker", "--host", self.host, *line], capture_output=True, text=True, timeout=120)
        assert ran.returncode == 0, ran.stderr
        return ran.stdout.strip()

    def run(self, image: str, *options: str) -> None:
        self.docker("run", "--detach", "--name", self.name, "--label", f"refloat.test={self.name}", *options, image)

    def wait_for(self, *command: str) -> None:
        until = time.monotonic() + UP_S
        while time.monotonic() < until:
            line = ["docker", "--host", self.host, "exec", self.name, *command]
            if subprocess.run(line, capture_output=True, timeout=60).returncode == 0:
                return
            time.sleep(0.3)
        pytest.fail(f"{self.name} does not come up:\n{self.docker('logs', '--tail', '20', self.name)}")

    @property
    def environment(self) -> dict[str, str]:
        return {**os.environ, "DOCKER_HOST": self.host, "REFLOAT_HOME": str(self.home), "COLUMNS": "200"}

    def refloat(self, *line: str) -> Ran:
        ran = subprocess.run([*REFLOAT, *line, "--vault", self.vault], cwd=ROOT, env=self.environment,
                             stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=600)  # fmt: skip
        assert "Traceback" not in ran.stderr, ran.stderr
        return Ran(ran.returncode, ran.stdout, ran.stderr)

    def rehearse(self, to: str, *more: str) -> Ran:
        return self.refloat("rehearse", self.name, "--to", to, "--dwell", "1", *more)

    @property
    def session(self) -> Session:
        return Session(home=self.home, engine=self.engine, vault=DockerVault(self.engine), clock=RealClock())

    def left(self) -> list[str]:
        """All that a rehearsal of this target might have forgotten."""
        engine, runs = self.engine, self.runs()
        things = [
            *(each.name for each in engine.containers() if self._is_of(each.labels, runs)),
            *(each.name for each in engine.volumes() if self._is_of(each.labels, runs)),
            *(each.name for each in engine.networks() if self._is_of(each.labels, runs)),
            *(tag for image in engine.images() for tag in image.tags if any(run in tag for run in runs)),
        ]
        rooms = self.session.vault.rooms(VaultPlace(volume=self.vault))
        return [*things, *(f"room {seen.room.target}/{seen.room.run}" for seen in rooms)]

    def runs(self) -> tuple[str, ...]:
        return tuple(path.name.removesuffix(".json") for path in self.home.glob("rehearsals/*"))

    def _is_of(self, labels: dict[str, str], runs: tuple[str, ...]) -> bool:
        return labels.get(REHEARSAL) in runs or any(labels.get("refloat.run", "").startswith(run) for run in runs)

    def clear(self) -> None:
        runs = self.runs()
        for container in self.engine.containers():
            mine = container.labels.get("refloat.test") == self.name or container.name.startswith(self.name)
            if mine or self._is_of(container.labels, runs):
                self.engine.remove_container(container.id, force=True, volumes=True)
        for volume in (*(each.name for each in self.engine.volumes() if self._is_of(each.labels, runs)),
                       f"{self.name}-data", self.vault):  # fmt: skip
            self.docker("volume", "rm", "--force", volume)
        for applied in self.home.glob("runs/*"):
            self.engine.untag(f"refloat/held:{applied.name}")
        for network in self.engine.networks():
            if network.name.startswith(self.name) or self._is_of(network.labels, runs):
                self.engine.remove_network(network.id)


@pytest.fixture
def bench(lab_images: str, tmp_path: Path) -> Iterator[Bench]:
    bench = Bench(connect_engine(lab_images), lab_images, tmp_path / "home", f"reh-{uuid.uuid4().hex[:8]}")
    try:
        yield bench
    finally:
        bench.clear()


@pytest.fixture
def service(bench: Bench) -> Bench:
    """A small service with data of its own."""
    bench.run(f"{SERVICE}:1.0", "--volume", f"{bench.name}-data:/data", "--restart", "unless-stopped")
    bench.wait_for("wget", "-q", "-O", "/dev/null", "http://127.0.0.1:8000/health")
    bench.docker("exec", bench.name, "sh", "-c", "echo mine >/data/token")
    return bench


def test_prometheus_passes_through_four_versions_and_production_never_notices(bench: Bench) -> None:
    bench.run("refloat-lab/prometheus:2.24.1", "--volume", f"{bench.name}-data:/prometheus", "--publish", "9090")
    bench.wait_for("promtool", "query", "instant", "http://localhost:9090", "count(up)")
    before = bench.process
    ran = bench.rehearse("<=3.5.3", "--all-hops", "--json")
    told = json.loads(ran.out)
    assert (ran.status, told["passed"]) == (0, True), ran.out
    assert [each["asked"] for each in told["candidates"]] == ["2.42.0", "2.53.3", "3.5.3"]
    for each in told["candidates"]:
        assert each["rolled_back"] is True
        assert "published ports" in each["taken"]
        assert any(one["name"] == "version" and each["asked"] in one["after"] for one in each["evidence"])
        assert each["expected"]["downtime_s"] > 0
    assert bench.process == before
    assert bench.left() == []


def test_of_several_versions_each_has_its_verdict_and_any_failure_is_status_4(service: Bench) -> None:
    before = service.process
    ran = service.rehearse("migrates", "--to", "crash", "--to", "1.0", "--quick", "--json")
    assert ran.status == 4, ran.err
    works, fails, same = json.loads(ran.out)["candidates"]
    assert (works["passed"], works["changes"][0]["deleted"]) == (True, 1)
    assert (fails["passed"], fails["code"]) == (False, "crashed")
    assert fails["why"] == "the copy does not stay up: exit code 3."
    assert same["error"]["code"] == "already-there"
    assert service.process == before
    assert service.left() == []


def test_postgresql_15_to_17_fails_and_production_never_notices(bench: Bench) -> None:
    bench.run("refloat-lab/postgres:15", "--env", "POSTGRES_PASSWORD=correct-horse",
              "--volume", f"{bench.name}-data:/var/lib/postgresql/data")  # fmt: skip
    bench.wait_for("pg_isready", "-h", "127.0.0.1")
    before = bench.process
    ran = bench.rehearse("17")
    assert ran.status == 4, ran.out + ran.err
    assert "the rehearsal failed" in ran.out
    assert "incompatible" in ran.out
    assert "correct-horse" not in ran.out + ran.err
    assert bench.process == before
    assert bench.left() == []


def test_what_migrates_the_copy_leaves_the_data_alone_and_its_rehearsal_opens_the_gate(service: Bench) -> None:
    refused = service.refloat("apply", service.name, "--to", "migrates", "--rehearsed", "--json")
    assert (refused.status, json.loads(refused.out)["error"]["code"]) == (3, "not-rehearsed")
    service.docker("exec", service.name, "sh", "-c", "dd if=/dev/zero of=/data/big bs=1M count=3")
    before = service.process
    ran = service.rehearse("migrates")
    assert ran.status == 0, ran.out + ran.err
    assert "The way back was rehearsed, too." in ran.out
    for said in (f"volume {service.name}-data on /data: 1 file added (2 B), 1 file changed (21 B), 1 file deleted",
                 "~ big  3.1 MB → 21 B", "- journal  ", "+ schema  2 B", "of memory at its peak",
                 "Expect a downtime of about", "Env MISBEHAVE has another value"):  # fmt: skip
        assert said in ran.out
    assert service.process == before
    assert service.docker("exec", service.name, "sh", "-c", "cat /data/token; ls /data") == "mine\nbig\njournal\ntoken"
    assert service.left() == []
    applied = service.refloat("apply", service.name, "--to", "migrates", "--rehearsed", "--dwell", "1")
    assert applied.status == 0, applied.err


def test_a_migration_that_crashes_is_seen_on_the_copy_only(service: Bench) -> None:
    before = service.process
    ran = service.rehearse("migrates-then-crashes")
    assert (ran.status, "the migration was wrong" in ran.out) == (4, True), ran.out + ran.err
    assert service.process == before
    assert service.docker("exec", service.name, "cat", "/data/token") == "mine"
    assert service.left() == []


def test_a_killed_rehearsal_is_cleared_away_by_prune(service: Bench) -> None:
    before = service.process
    line = [*REFLOAT, "rehearse", service.name, "--to", "2.0", "--vault", service.vault]
    with subprocess.Popen(line, cwd=ROOT, env=service.environment, stdin=subprocess.DEVNULL,
                          stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as running:  # fmt: skip
        assert running.stderr
        said = next((line for line in running.stderr if "freeze" in line), "")
        running.send_signal(signal.SIGKILL)
        running.communicate(timeout=120)
    assert said, "it never came as far as stopping the copy"
    assert service.left() != []
    assert service.process == before
    assert "rehearsal" in service.refloat("prune", "--yes").err
    assert service.left() == []
    assert service.process == before


@dataclass(frozen=True)
class Surroundings:
    """What a copy may try to reach, as addresses of pages."""

    beyond: tuple[str, ...]
    """What the target itself reaches."""
    own: tuple[str, ...]
    """The same host, as it would be seen from the copy's own network."""


def surroundings(bench: Bench) -> Surroundings:
    """A receiver on one network, the target on it and on another, a published port of it on every address."""
    near, far, receiver = f"{bench.name}-near", f"{bench.name}-far", f"{bench.name}-receiver"
    for network in (near, far):
        bench.docker("network", "create", network)
    label = f"refloat.test={bench.name}"
    bench.docker("run", "--detach", "--name", receiver, "--network", far, "--label", label, f"{SERVICE}:1.0")
    bench.run(f"{SERVICE}:1.0", "--volume", f"{bench.name}-data:/data", "--network", near, "--publish", "8000")
    bench.docker("network", "connect", far, bench.name)
    port = bench.docker("port", bench.name, "8000/tcp").splitlines()[0].rpartition(":")[2]
    gateways = [gateway_of(bench, network) for network in (near, far, "bridge")]
    hosts = [*(each.address for each in bench.engine.container(bench.name).endpoints),
             *(each.address for each in bench.engine.container(receiver).endpoints), receiver]  # fmt: skip
    bench.wait_for("wget", "-q", "-O", "/dev/null", f"http://{receiver}:8000/health")
    pages = (*(f"http://{host}:8000/health" for host in hosts),
             *(f"http://{gateway}:{port}/health" for gateway in gateways))  # fmt: skip
    return Surroundings(pages, (port,))


def gateway_of(bench: Bench, network: str) -> str:
    """A bridge network's host side: its first address, which a young engine does not tell of its default bridge."""
    subnet = bench.docker("network", "inspect", "--format", "{{(index .IPAM.Config 0).Subnet}}", network)
    return str(next(ip_network(subnet.strip()).hosts()))


def reached(bench: Bench, container: str, pages: tuple[str, ...], patience_s: int = 60) -> set[str]:
    """Which pages a container gets to see; all are asked at once, again and again."""
    again = 'until wget -q -O /dev/null "$0"; do sleep 0.3; done'
    one = f'timeout {patience_s} sh -c \'{again}\' "$page" >/dev/null 2>&1 && echo "$page"'
    ask = f'for page in "$@"; do ({one}) & done'
    return set(bench.docker("exec", container, "sh", "-c", f"{ask}; wait", "sh", *pages).split())


def test_the_copy_reaches_neither_a_receiver_nor_the_host_nor_production(bench: Bench) -> None:
    around, session = surroundings(bench), bench.session
    world, plan = Refloat(session).look(bench.name, Goal(to="2.0"), Options(), VaultPlace(volume=bench.vault))
    scene, spec = scene_from(plan, world.sources, None), target_spec(world)
    props = Props(scene.network, aliases_of(spec), scene.clones, scene.sources)
    with on_stage(session, scene):
        take_snapshot(session, scene, world.target)
        make_clones(session, scene)
        stand_in = make_stand_in(session, scene, world, isolated(spec, world.target, props))
        gateway = gateway_of(bench, scene.network)
        pages = (*around.beyond, *(f"http://{gateway}:{port}/health" for port in around.own))
        assert reached(bench, bench.name, around.beyond) == set(around.beyond), "the target itself reaches them all"
        assert reached(bench, scene.stand_in, ("http://127.0.0.1:8000/health",)), "the copy can ask at all"
        assert reached(bench, scene.stand_in, pages, patience_s=8) == set()
        assert stand_in.host_config["PortBindings"] in (None, {})
    assert bench.left() == []
