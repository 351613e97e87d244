"""The command line on the real engine: each bad input has its own code and status, and whole upgrades end to end."""

from __future__ import annotations

import json
import signal
import subprocess
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from runner.engine.docker import DockerEngine, connect_engine
from runner.facts import Container
from runner.journal import Runs
from tests.engine import command_line
from tests.engine.command_line import Ran, surroundings

PRODUCT = "refloat-lab/misbehave"
QUICK = ("--dwell", "1")
SECRET = "correct-horse-battery"


@dataclass(frozen=True)
class Bench:
    """A target with data and a secret, a home and a vault of its own."""

    engine: DockerEngine
    host: str
    home: Path
    name: str

    @property
    def vault(self) -> str:
        return f"{self.name}-vault"

    @property
    def target(self) -> Container:
        return self.engine.container(self.name)

    def environment(self, **more: str) -> dict[str, str]:
        return surroundings(self.host, self.home, **more)

    def refloat(self, *line: str, **more: str) -> Ran:
        ran = command_line.refloat(self.environment(**more), *line)
        assert SECRET not in ran.told
        return ran

    def docker(self, *line: str) -> str:
        return command_line.docker(self.host, *line)

    def create(self, name: str, image: str = f"{PRODUCT}:1.0", *options: str) -> None:
        label = f"refloat.test={self.name}"
        self.docker("create", "--name", name, "--label", label, *options, image)

    def plan(self, *line: str) -> Ran:
        return self.refloat("plan", *line, "--vault", self.vault, *QUICK)

    def apply(self, *line: str) -> Ran:
        return self.refloat("apply", self.name, *line, "--vault", self.vault, *QUICK)

    def token(self) -> str:
        return self.docker("exec", self.name, "cat", "/data/token")

    def events(self, name: str, kind: str) -> str:
        """What the engine did to a container in the last minutes."""
        since = ("--since", "10m", "--until", "0s")
        return self.docker("events", *since, "--filter", f"container={name}", "--filter", f"event={kind}")

    def clear(self) -> None:
        runs = Runs(self.home).all()
        for container in self.engine.containers():
            ours = container.labels.get("refloat.test") == self.name or container.labels.get("refloat.run") in runs
            if ours or container.name.startswith(self.name):
                self.engine.remove_container(container.id, force=True, volumes=True)
        for name in (f"{self.name}-data", self.vault, f"{self.name}-small"):
            self.docker("volume", "rm", "--force", name)
        for run in runs:
            self.engine.untag(f"refloat/held:{run}")


@pytest.fixture
def bench(lab_images: str, tmp_path: Path) -> Iterator[Bench]:
    bench = Bench(connect_engine(lab_images), lab_images, tmp_path / "home", f"cli-{uuid.uuid4().hex[:8]}")
    try:
        options = ("--volume", f"{bench.name}-data:/data", "--env", f"DB_PASSWORD={SECRET}")
        bench.create(bench.name, f"{PRODUCT}:1.0", *options)
        bench.docker("start", bench.name)
        bench.docker("exec", bench.name, "sh", "-c", "echo mine >/data/token")
        yield bench
    finally:
        bench.clear()


def test_each_bad_input_has_its_own_code_and_is_refused(bench: Bench) -> None:
    bench.create(f"{bench.name}-idle")
    bench.create(
        f"{bench.name}-tools", f"{PRODUCT}:1.0", "--label", "refloat.role=tools", "--label", "refloat.run=none"
    )
    small = ("--driver", "local", "--opt", "type=tmpfs", "--opt", "device=tmpfs", "--opt", "o=size=1m")
    bench.docker("volume", "create", *small, f"{bench.name}-small")
    full = (bench.name, "--to", "2.0", "--vault", f"{bench.name}-small")
    expected = {
        "no-such-target": (f"{bench.name}x", "--to", "2.0"),
        "not-running": (f"{bench.name}-idle", "--to", "2.0"),
        "own-container": (f"{bench.name}-tools", "--to", "2.0"),
        "no-such-image": (bench.name, "--to", "9.9", "--pull", "never"),
        "no-space": full,
    }
    seen = {code: bench.refloat("plan", *line, "--json") for code, line in expected.items()}
    assert {code: (ran.error, ran.status) for code, ran in seen.items()} == {code: (code, 3) for code in expected}
    assert f"Did you mean {bench.name}" in seen["no-such-target"].out
    assert not list(bench.home.glob("runs/*"))


def test_no_goal_and_two_goals_are_usage_errors(bench: Bench) -> None:
    assert bench.plan(bench.name).status == 2
    assert bench.plan(bench.name, "--to", "2.0", "--image", f"{PRODUCT}:2.0").status == 2


def test_what_runs_already_needs_nothing(bench: Bench) -> None:
    ran = bench.plan(bench.name, "--to", "1.0")
    assert ran.status == 0
    assert "already" in ran.out


def test_a_plan_names_every_step_and_changes_nothing(bench: Bench) -> None:
    before = bench.target
    ran = bench.plan(bench.name, "--to", "2.0")
    assert ran.status == 0
    assert ran.out.startswith(f"Upgrade {bench.name}: 1.0 → 2.0\n")
    assert (bench.target.id, bench.target.state.started_at) == (before.id, before.state.started_at)
    assert not list(bench.home.glob("runs/*"))


def test_a_saved_plan_is_carried_out_once_as_it_is(bench: Bench) -> None:
    file = bench.home.parent / "plan.json"
    assert bench.plan(bench.name, "--to", "2.0", "--out", str(file)).status == 0
    done = bench.refloat("apply", str(file), "--json")
    assert done.status == 0
    assert json.loads(done.out)["run"] == json.loads(file.read_text())["run"]
    assert bench.token() == "mine"
    (snapshot,) = json.loads(bench.refloat("ls", "--snapshots", "--vault", bench.vault, "--json").out)
    assert snapshot["room"]["target"] == bench.name
    assert "is whole" in bench.refloat("verify", bench.name, "--vault", bench.vault).out
    again = bench.refloat("apply", str(file), "--json")
    assert again.status == 3
    assert again.error in ("stale-plan", "ran-already")


def test_a_plan_whose_world_changed_is_refused_and_names_the_change(bench: Bench) -> None:
    file = bench.home.parent / "plan.json"
    assert bench.plan(bench.name, "--to", "2.0", "--out", str(file)).status == 0
    bench.docker("update", "--restart", "always", bench.name)
    ran = bench.refloat("apply", str(file))
    assert ran.status == 3
    assert "settings: was" in ran.err


def test_a_plan_for_another_engine_is_refused(bench: Bench) -> None:
    file = bench.home.parent / "plan.json"
    assert bench.plan(bench.name, "--to", "2.0", "--out", str(file)).status == 0
    plan = json.loads(file.read_text())
    file.write_text(json.dumps({**plan, "engine_id": "ANOTHER"}))
    ran = bench.refloat("apply", str(file), "--json")
    assert (ran.status, ran.error) == (3, "other-engine")


def test_a_target_that_another_run_holds_is_status_7_and_says_who(bench: Bench) -> None:
    engine_id = bench.engine.engine().id
    with Runs(bench.home).lock(engine_id, bench.name, "20240101-000000-abcdef", "2024-01-01"):
        ran = bench.apply("--to", "2.0")
    assert ran.status == 7
    assert "20240101-000000-abcdef" in ran.err


def test_an_upgrade_keeps_the_data_and_can_be_rolled_back(bench: Bench) -> None:
    done = bench.apply("--to", "2.0")
    assert (done.status, bench.target.image_ref) == (0, f"{PRODUCT}:2.0")
    assert f"{bench.name} runs 2.0." in done.out
    bench.docker("exec", bench.name, "sh", "-c", "echo later >/data/token")
    asked = bench.refloat("rollback", bench.name, "--json")
    assert (asked.status, asked.error) == (3, "needs-yes")
    back = bench.refloat("rollback", bench.name, "--yes")
    assert (back.status, bench.target.image_ref) == (0, f"{PRODUCT}:1.0")
    assert bench.token() == "mine"
    history = json.loads(bench.refloat("history", bench.name, "--json").out)
    assert [row["verb"] for row in history] == ["rollback", "upgrade"]


def test_a_version_that_crashes_comes_back_by_itself_with_its_last_words(bench: Bench) -> None:
    ran = bench.apply("--to", "crash")
    assert (ran.status, bench.target.image_ref) == (5, f"{PRODUCT}:1.0")
    assert "fatal: cannot go on" in ran.out
    assert bench.token() == "mine"
    story = bench.refloat("show", bench.name)
    assert "turning  back" in story.out
    assert bench.refloat("recover", bench.name).out == f"Nothing of {bench.name} was cut off.\n"


def test_a_held_verdict_is_committed_by_hand(bench: Bench) -> None:
    assert bench.apply("--to", "2.0", "--hold").status == 0
    (row,) = json.loads(bench.refloat("status", bench.name, "--json").out)
    assert row["state"] == "verdict open"
    assert bench.refloat("plan", bench.name, "--to", "1.0", "--json").error == "verdict-open"
    assert bench.engine.container(f"{bench.name}-refloat-kept")
    assert bench.refloat("commit", bench.name).status == 0
    assert f"{bench.name}-refloat-kept" not in {each.name for each in bench.engine.containers()}


def started(bench: Bench, until: str, name: str = "", *more: str) -> subprocess.Popen[str]:
    """An upgrade at work that has said ``until``."""
    line = ("apply", name or bench.name, "--to", "2.0", "--vault", bench.vault, *more)
    running = command_line.start(bench.environment(), *line)
    wait_for(running, until)
    return running


def wait_for(running: subprocess.Popen[str], said: str) -> None:
    assert running.stderr
    lines = []
    for line in running.stderr:
        lines.append(line)
        if said in line:
            return
    pytest.fail(f"it never said “{said}”:\n{''.join(lines)}")


def test_ctrl_c_goes_back(bench: Bench) -> None:
    before = bench.target.id
    with started(bench, "freeze") as running:
        running.send_signal(signal.SIGINT)
        running.communicate(timeout=300)
    assert running.returncode == 130
    assert (bench.target.id, bench.target.state.running) == (before, True)
    assert bench.token() == "mine"


def test_ctrl_c_twice_leaves_it_for_recover(bench: Bench) -> None:
    before = bench.target.id
    with started(bench, "freeze") as running:
        running.send_signal(signal.SIGINT)
        wait_for(running, "Interrupted")
        running.send_signal(signal.SIGINT)
        _, said = running.communicate(timeout=300)
    assert running.returncode == 130
    assert f"refloat recover {bench.name}" in said
    status = bench.refloat("status", bench.name)
    assert "cut off" in status.out
    recovered = bench.refloat("recover", bench.name, "--vault", bench.vault)
    assert recovered.status == 0
    assert (bench.target.id, bench.target.state.running) == (before, True)
    assert bench.token() == "mine"


def test_recover_waits_for_a_stop_that_outlived_its_runner(bench: Bench) -> None:
    name = f"{bench.name}-stubborn"
    bench.create(name, f"{PRODUCT}:ignores-term", "--volume", f"{bench.name}-data:/data", "--restart", "unless-stopped")
    bench.docker("rm", "--force", bench.name)
    bench.docker("start", name)
    with started(bench, "freeze", name, "--stop-timeout", "15") as running:
        while not bench.events(name, "kill"):
            assert running.poll() is None
        running.kill()
    assert bench.refloat("recover", name, "--vault", bench.vault).status == 0
    assert bench.events(name, "die"), "the order to stop is still under way, and will kill what runs now"
    assert bench.engine.container(name).state.running


def test_the_inventory_and_the_check_up_answer_people_and_programs(bench: Bench) -> None:
    entries = {entry["name"]: entry for entry in json.loads(bench.refloat("ls", "--json").out)}
    assert entries[bench.name]["version"] == "1.0"
    assert entries[bench.name]["data"] == [f"volume {bench.name}-data"]
    assert bench.name in bench.refloat("ls").out
    checks = json.loads(bench.refloat("doctor", "--vault", bench.vault, "--json").out)
    assert "2.0" in json.loads(bench.refloat("versions", bench.name, "--json").out)["here"]
    assert {"engine", "storage", "home", "tools", "vault"} <= {check["name"] for check in checks}
