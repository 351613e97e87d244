"""New versions that fail, each in its own way: the old one runs again on its data, and the message says why."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.engine.command_line import Ran
from tests.engine.upgrade_lab import MISBEHAVE, Bench, bench_on

POLICY = {"Name": "on-failure", "MaximumRetryCount": 3}
SILENCE_S = "20"
"""How long the ones that say nothing at all may stay silent."""


@pytest.fixture
def bench(lab_images: str, tmp_path: Path) -> Iterator[Bench]:
    with bench_on(lab_images, tmp_path / "home") as bench:
        yield bench


@dataclass(frozen=True)
class Failing:
    """One tag: what must be in the last report, and what it needs to fail."""

    tag: str
    said: tuple[str, ...]
    options: tuple[str, ...] = ()
    line: tuple[str, ...] = ()
    dwell_s: float = 1

    def __str__(self) -> str:
        return self.tag


FAILING = (
    Failing("crash", ("exit code 3", "fatal: cannot go on")),
    Failing("crashloop", ("exit code 1", "fatal: gave up")),
    Failing("never-healthy", ("unhealthy", "404 Not Found"), line=("--deadline", SILENCE_S)),
    Failing("dies-late", ("exit code 4", "fatal: died late"), dwell_s=60),
    Failing("oom", ("memory", "allocating"), options=("--memory", "30m")),
    Failing("other-uid", ("exit code 1", "fatal: cannot write to /data as uid 4242")),
    Failing("migrates-then-crashes", ("exit code 5", "fatal: the migration was wrong")),
)


@pytest.mark.parametrize("failing", FAILING, ids=str)
def test_a_version_that_fails_leaves_the_old_one_running_on_its_data(bench: Bench, failing: Failing) -> None:
    old = bench.target_with_data(f"{MISBEHAVE}:1.0", "--restart", "on-failure:3", *failing.options)
    before = bench.tree()
    ran = bench.apply("--to", failing.tag, *failing.line, dwell_s=failing.dwell_s)
    assert ran.status == 5, ran.out + ran.err
    for said in failing.said:
        assert said in ran.out
    assert_as_before(bench, old.id, before)


def assert_as_before(bench: Bench, container_id: str, tree: tuple[str, ...]) -> None:
    target = bench.target
    assert (target.id, target.state.running) == (container_id, True)
    assert target.host_config["RestartPolicy"] == POLICY
    assert bench.tree() == tree
    assert set(bench.exec("cat", "/data/journal").splitlines()) == {"started 1.0"}
    assert bench.left_of_runs() == []
    assert bench.snapshots() == []


def test_an_image_without_its_entrypoint_leaves_everything_as_it_was(bench: Bench) -> None:
    old = bench.target_with_data(f"{MISBEHAVE}:1.0", "--restart", "on-failure:3")
    before = bench.tree()
    ran = bench.apply("--to", "no-entrypoint")
    assert ran.status == 5, ran.out + ran.err
    assert "/service" in ran.out
    assert "no such file" in ran.out
    assert_as_before(bench, old.id, before)


def test_a_version_that_is_slow_to_be_healthy_is_waited_for(bench: Bench) -> None:
    bench.target_with_data()
    assert "runs slow-healthy" in bench.upgraded("--to", "slow-healthy").out
    assert "mine" in bench.exec("cat", "/data/a")


def test_an_old_version_that_ignores_the_request_to_stop_is_said_to_have_been_killed(bench: Bench) -> None:
    bench.target_with_data(f"{MISBEHAVE}:ignores-term")
    ran: Ran = bench.upgraded("--to", "2.0", "--stop-timeout", "1")
    assert "killed" in ran.err
    assert "--stop-timeout" in ran.err
    assert bench.exec("cat", "/data/a") == "mine"


def test_a_new_version_that_ignores_the_request_to_stop_can_be_left_again(bench: Bench) -> None:
    old = bench.target_with_data(f"{MISBEHAVE}:1.0", "--restart", "on-failure:3", "--stop-timeout", "1")
    before = bench.tree()
    assert bench.upgraded("--to", "ignores-term", "--hold").status == 0
    ran = bench.refloat("rollback", bench.name, "--yes")
    assert ran.status == 0, ran.out + ran.err
    assert_as_before(bench, old.id, before)
