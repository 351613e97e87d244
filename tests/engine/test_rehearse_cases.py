"""Rehearsals of products that migrate, corrupt or forget: the true verdict, and a target that never notices."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.engine.rehearse_lab import Bench, bench_on, with_service

FILL = "for n = 1, 100 do redis.call('SET', 'key' .. n, n * n) end"
CONFIG = """
targets:
  {name}:
    evidence:
      - {{kind: command, name: token, argv: [cat, /data/token], compare: equal}}
"""


@pytest.fixture
def bench(lab_images: str, tmp_path: Path) -> Iterator[Bench]:
    with bench_on(lab_images, tmp_path / "home") as bench:
        yield bench


def redis(bench: Bench, version: str) -> tuple[str, str, int, str]:
    """Runs with a hundred keys in its append-only file; gives its process."""
    bench.run(f"refloat-lab/redis:{version}", "--volume", f"{bench.name}-data:/data", "--env", "REDISCLI_AUTH=hunter2",
              command=("redis-server", "--appendonly", "yes", "--requirepass", "hunter2"))  # fmt: skip
    bench.wait_for("sh", "-c", "redis-cli ping | grep -q PONG")
    bench.docker("exec", bench.name, "redis-cli", "EVAL", FILL, "0")
    return bench.process


def test_redis_keeps_every_key_and_its_password(bench: Bench) -> None:
    before = redis(bench, "6.0.16")
    ran = bench.rehearse("7.0.15", "--json")
    told = json.loads(ran.out)
    assert (ran.status, told["rolled_back"], told["drift"]) == (0, True, []), ran.out
    assert ("keys", "100", "100") in {(one["name"], one["before"], one["after"]) for one in told["evidence"]}
    assert told["changes"][0]["added"] > 0, "the append-only file is kept in a folder from 7 on"
    assert "hunter2" not in ran.out + ran.err
    assert bench.process == before
    assert bench.left() == []


def test_an_older_redis_that_is_healthy_and_empty_fails(bench: Bench) -> None:
    before = redis(bench, "7.0.15")
    ran = bench.rehearse("6.0.16", "--force")
    assert ran.status == 4, ran.out + ran.err
    assert "keys: 100 → 0: it must not change" in ran.out
    assert bench.process == before
    assert bench.docker("exec", bench.name, "redis-cli", "GET", "key7") == "49"
    assert bench.left() == []


def test_a_version_that_corrupts_the_data_and_says_it_is_healthy_fails_by_the_evidence(bench: Bench) -> None:
    before, config = with_service(bench).process, bench.home.parent / "refloat.yaml"
    config.write_text(CONFIG.format(name=bench.name))
    ran = bench.rehearse("migrates", "--config", str(config))
    assert ran.status == 4, ran.out + ran.err
    assert "token: was mine, and the new version does not answer" in ran.out
    assert bench.process == before
    assert bench.docker("exec", bench.name, "cat", "/data/token") == "mine"
    assert bench.left() == []


def test_a_version_that_is_unhealthy_as_long_as_it_migrates_passes(bench: Bench) -> None:
    """Its health check fails three times, a second apart, long before it is done: the engine calls it unhealthy."""
    before = with_service(bench, "--env", "SLOW_S=12").process
    ran = bench.rehearse("slow-healthy", "--quick", "--json")
    told = json.loads(ran.out)
    assert (ran.status, told["passed"]) == (0, True), ran.out
    assert told["ready_s"] > 10
    assert told["migration_s"] > 5
    assert told["expected"]["downtime_s"] > 10
    assert bench.process == before
    assert bench.left() == []
