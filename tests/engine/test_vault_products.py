"""Real products on clones: databases with their own ideas of a filesystem start there and find all their data."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import pytest

from runner.engine.docker import DockerEngine, connect_engine
from runner.facts import Json
from tests.engine.vault_bench import Bench, laid_out

PATIENCE_S = 120.0
FILL_REDIS = "for i = 1, 10000 do redis.call('set', 'k' .. i, i) end return 'OK'"
SQL = ("psql", "-U", "postgres", "-Atqc")


@pytest.fixture
def bench(engine_host: str, leftovers: str) -> Iterator[Bench]:
    with laid_out(connect_engine(engine_host), leftovers) as laid:
        yield laid


def until(engine: DockerEngine, name: str, argv: tuple[str, ...], fulfilled: Callable[[str], bool]) -> str:
    """Ask in a container until the answer is right; never for ever."""
    deadline = time.monotonic() + PATIENCE_S
    while True:
        done = engine.execute(name, argv)
        if done.exit_code == 0 and fulfilled(done.text):
            return done.text
        assert time.monotonic() < deadline, f"{argv}: {done.text}{done.complaint}\n{engine.logs(name, tail=20)}"
        time.sleep(0.2)


def clone_of_running(bench: Bench, name: str) -> str:
    """Snapshot a running container's volume with a short pause, and clone it."""
    room = bench.room()
    bench.vault.warm_copy(room, bench.sources)
    bench.engine.pause(name)
    try:
        bench.vault.cold_copy(room, bench.sources)
        bench.vault.seal(room, bench.sources, {})
    finally:
        bench.engine.unpause(name)
    clone = bench.volume("clone")
    bench.engine.remove_volume(clone)
    assert bench.vault.clone(room, {"d0": clone}, {}) in ("overlay", "reflink", "copy")
    return clone


def test_postgresql_finds_every_row_on_a_clone_of_its_running_self(bench: Bench) -> None:
    at, env = "/var/lib/postgresql/data", ["POSTGRES_PASSWORD=secret"]
    first = bench.container("refloat-lab/postgres:15", bench.data, at, Env=env)
    until(bench.engine, first, (*SQL, "select 1"), lambda text: text == "1\n")
    fill = "create table if not exists t as select generate_series(1, 50000) as n"
    until(bench.engine, first, (*SQL, fill), lambda _: True)
    second = bench.container("refloat-lab/postgres:15", clone_of_running(bench, first), at, Env=env)
    until(bench.engine, second, (*SQL, "select count(*) from t"), lambda text: text == "50000\n")
    until(bench.engine, second, (*SQL, "delete from t; checkpoint; select count(*) from t"), lambda text: text == "0\n")
    until(bench.engine, first, (*SQL, "select count(*) from t"), lambda text: text == "50000\n")


@pytest.mark.parametrize("arguments", [["--appendonly", "yes"], ["--save", "1 1"]])
def test_redis_finds_every_key_on_a_clone_of_its_running_self(bench: Bench, arguments: list[str]) -> None:
    command: Json = {"Cmd": ["redis-server", *arguments]}
    first = bench.container("refloat-lab/redis:7.0.15", bench.data, "/data", **command)
    until(bench.engine, first, ("redis-cli", "ping"), lambda text: text == "PONG\n")
    until(bench.engine, first, ("redis-cli", "eval", FILL_REDIS, "0"), lambda text: text == "OK\n")
    until(bench.engine, first, ("redis-cli", "set", "last", "one"), lambda text: text == "OK\n")
    until(bench.engine, first, ("redis-cli", "save"), lambda text: text == "OK\n")
    second = bench.container("refloat-lab/redis:7.0.15", clone_of_running(bench, first), "/data", **command)
    until(bench.engine, second, ("redis-cli", "dbsize"), lambda text: text == "10001\n")
    until(bench.engine, second, ("redis-cli", "flushall"), lambda text: text == "OK\n")
    until(bench.engine, first, ("redis-cli", "dbsize"), lambda text: text == "10001\n")


def test_prometheus_starts_on_a_clone_with_its_memory_mapped_head(bench: Bench) -> None:
    ready = ("promtool", "query", "instant", "http://localhost:9090", "count(up)")
    first = bench.container("refloat-lab/prometheus:2.42.0", bench.data, "/prometheus")
    until(bench.engine, first, ready, lambda text: "=>" in text)
    second = bench.container("refloat-lab/prometheus:2.42.0", clone_of_running(bench, first), "/prometheus")
    until(bench.engine, second, ready, lambda text: "=>" in text)


OPEN = "import sqlite3; c = sqlite3.connect('/v/db'); c.execute('pragma journal_mode=wal')"
ROWS = (
    "c.execute('create table t(n)'); c.executemany('insert into t values(?)', [(n,) for n in range(1000)]); c.commit()"
)
FEWER = "c.execute('delete from t where n < 10'); c.commit(); print(c.execute('select count(*) from t').fetchone()[0])"
CHECK = "print(c.execute('pragma integrity_check').fetchone()[0])"


def test_sqlite_works_on_a_clone(bench: Bench) -> None:
    bench.python(bench.data, f"{OPEN}; {ROWS}")
    room = bench.snapshot()
    clone = bench.volume("clone")
    bench.engine.remove_volume(clone)
    bench.vault.clone(room, {"d0": clone}, {})
    assert bench.python(clone, f"{OPEN}; {FEWER}; {CHECK}") == "990\nok\n"
    bench.vault.verify(room)
