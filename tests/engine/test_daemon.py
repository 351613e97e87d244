"""The engine's daemon ends or is killed in the middle of a run: old or new, never two servers, the data intact."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.engine.command_line import finished
from tests.engine.upgrade_bench import PRODUCT, Data, UpgradeBench, go_on, laid_out
from tests.lab.engines import ENGINE_SH, Lab, further_engine, until

IMAGES = ("refloat/tools:1", *(f"{PRODUCT}:{tag}" for tag in ("1.0", "2.0", "crash")))


@pytest.fixture(scope="module")
def engine(lab_images: str) -> Iterator[Lab]:
    """An engine of their own, whose daemon may die."""
    with further_engine(Lab(ENGINE_SH.parent, lab_images), *IMAGES) as engine:
        yield engine


@pytest.fixture
def bench(engine: Lab, tmp_path: Path) -> Iterator[UpgradeBench]:
    with laid_out(engine, tmp_path) as bench:
        yield bench


@contextmanager
def restarting(engine: Lab, *options: str) -> Iterator[None]:
    """The daemon goes down and comes up again meanwhile."""
    command = [str(ENGINE_SH), "restart", *options]
    environment = {**os.environ, "ENGINE_DIR": str(engine.directory)}
    restart = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL)
    try:
        yield
    finally:
        assert restart.wait(timeout=120) == 0


def kill_daemon(engine: Lab) -> None:
    """Kill it and see it gone: a start while it is still dying would start none."""
    pid = int((engine.directory / "docker.pid").read_text())
    os.kill(pid, signal.SIGKILL)
    until(lambda: not Path(f"/proc/{pid}").exists(), "the daemon is gone")


@contextmanager
def never_two_servers(bench: UpgradeBench) -> Iterator[None]:
    """Look again and again who runs on the data."""
    together: list[str] = []
    over = threading.Event()

    def watch() -> None:
        while not over.wait(0.5):
            seen = servers(bench)
            if len(seen) > 1:
                together.append(" and ".join(seen))

    watching = threading.Thread(target=watch)
    watching.start()
    try:
        yield
    finally:
        over.set()
        watching.join()
    assert not together


def servers(bench: UpgradeBench) -> list[str]:
    """The running containers of the product on the volume; none while the daemon is down."""
    line = ["ps", "--filter", f"volume={bench.volume}", "--format", "{{.Names}} {{.Image}}"]
    command = ["docker", "--host", bench.lab.host, *line]
    listed = subprocess.run(command, capture_output=True, text=True, check=False).stdout
    return [each for each in listed.splitlines() if PRODUCT in each]


def assert_old_or_new(bench: UpgradeBench, before: Data, policy: str) -> None:
    if bench.image.endswith(":1.0"):
        bench.assert_old(before)
    else:
        bench.assert_new(before.tree, "2.0")
    assert bench.field("{{.HostConfig.RestartPolicy.Name}}") == policy


@pytest.mark.parametrize(
    ("boundary", "policy", "options"),
    [
        ("meant warm-copy", "always", ("--kill",)),
        ("did stop-container", "always", ("--kill",)),
        ("did stop-container", "unless-stopped", ()),
        ("did rename", "always", ()),
        ("did start-successor", "unless-stopped", ("--kill",)),
        ("meant accept-verdict", "always", ("--kill",)),
    ],
)
def test_a_daemon_that_restarts_under_a_run_costs_no_data(
    bench: UpgradeBench, boundary: str, policy: str, options: tuple[str, ...]
) -> None:
    bench.run_target(policy)
    before = bench.read_data()
    with never_two_servers(bench), bench.halted_at(boundary, *bench.apply_line("2.0")) as running:
        with restarting(bench.lab, *options):
            ran = go_on(running)
        assert ran.status in (0, 5, 8), ran.told
        recovered = bench.recover()
        assert recovered.status in (0, 5), recovered.told
    assert_old_or_new(bench, before, policy)


@pytest.mark.parametrize(("boundary", "policy"), [("did stop-container", "always"), ("did start-successor", "always")])
def test_runner_and_daemon_die_together_and_recover_waits_for_the_daemon(
    bench: UpgradeBench, boundary: str, policy: str
) -> None:
    bench.run_target(policy)
    before = bench.read_data()
    with never_two_servers(bench):
        bench.kill_at(boundary, *bench.apply_line("2.0"))
        kill_daemon(bench.lab)
        recovering = bench.start("recover", bench.name, "--vault", bench.vault)
        bench.lab.engine("start")
        recovered = finished(recovering)
        assert recovered.status in (0, 5), recovered.told
    assert_old_or_new(bench, before, policy)
    bench.lab.engine("restart", "--kill")
    until(lambda: bench.lab.state(bench.name, "Running") == "true", "its restart policy brings it up again")
    assert_old_or_new(bench, before, policy)


def test_a_version_given_up_stays_down_when_the_daemon_restarts(bench: UpgradeBench) -> None:
    bench.run_target("always")
    before = bench.read_data()
    with bench.halted_at("did undo:stop-ours", *bench.apply_line("crash")) as running:
        bench.lab.engine("restart", "--kill")
        assert servers(bench) == []
        ran = go_on(running)
    assert ran.status == 5, ran.told
    bench.assert_old(before)
