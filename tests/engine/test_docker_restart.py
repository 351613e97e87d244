"""The real engine dies in the middle and comes back: what is doubt, what did not happen, and that we go on with it."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from runner.engine.docker import DockerEngine, connect_engine, wait_for_engine
from runner.errors import EngineUnreachable, OutcomeUnknown
from runner.facts import Json
from tests.lab.engines import ENGINE_SH, Lab, further_engine, until

FOREVER: Json = {"Image": "refloat-lab/busybox:1", "Cmd": ["sleep", "100000"], "StopSignal": "KILL"}


@pytest.fixture
def machine(lab_images: str) -> Iterator[Lab]:
    """An engine that may be killed."""
    with further_engine(Lab(ENGINE_SH.parent, lab_images), "refloat-lab/busybox:1") as further:
        yield further


def kill_daemon(machine: Lab) -> None:
    pid = int((machine.directory / "docker.pid").read_text())
    os.kill(pid, signal.SIGKILL)
    until(lambda: not is_alive(pid), "the daemon is dead")
    # Its process may stay a zombie for a while, which must not pass for a daemon that runs.
    (machine.directory / "docker.pid").unlink(missing_ok=True)


def is_alive(pid: int) -> bool:
    seen = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False)
    return seen.stdout.strip()[:1] not in ("", "Z")


def heard_ready(engine: DockerEngine, heard: list[str]) -> None:
    engine.execute("app", ["sh", "-c", "echo ready; sleep 100000"], timeout_s=120, on_line=heard.append)


def test_a_daemon_that_dies_and_comes_back(machine: Lab) -> None:
    engine = connect_engine(machine.host)
    engine.create_container("app", {**FOREVER, "HostConfig": {"RestartPolicy": {"Name": "always"}}})
    engine.start("app")
    started = engine.container("app").state.started_at
    heard: list[str] = []
    with ThreadPoolExecutor(2) as threads:
        cut = threads.submit(heard_ready, engine, heard)
        waiting = threads.submit(engine.wait, "app", 120.0)
        until(lambda: heard == ["ready"], "the command runs")
        kill_daemon(machine)
        with pytest.raises(OutcomeUnknown):
            cut.result(timeout=120)
        with pytest.raises(EngineUnreachable):
            waiting.result(timeout=120)
    with pytest.raises(EngineUnreachable) as dead:
        engine.stop("app", 1)
    assert dead.value.code == "engine-unreachable"
    with ThreadPoolExecutor(1) as threads:
        back = threads.submit(machine.engine, "start")
        again = wait_for_engine(machine.host, deadline_s=120)
        back.result(timeout=120)
    until(lambda: again.container("app").state.started_at > started, "its restart policy started it again")
    # The old connections are dead; that must show before a change is sent, not as doubt about it.
    engine.rename("app", "renamed")
    assert engine.execute("renamed", ["echo", "here"]).text == "here\n"
