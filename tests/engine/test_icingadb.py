"""Icinga DB on its real database: it looks at the schema before all else, and its changes are made by hand."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.engine.product_lab import beside
from tests.engine.upgrade_lab import Bench, bench_on
from tests.lab.engines import until

IMAGE = "refloat-lab/icingadb"
PASSWORD = "correct-horse-never-shown"
SETTINGS = ("--env", "ICINGADB_DATABASE_HOST=db", "--env", f"ICINGADB_DATABASE_PASSWORD={PASSWORD}",
            "--env", "ICINGADB_REDIS_HOST=redis", "--env", "ICINGADB_REDIS_PORT=6379")  # fmt: skip


@pytest.fixture
def bench(lab_images: str, tmp_path: Path) -> Iterator[Bench]:
    """Icinga DB 1.1.0 with its schema, beside a database that has the files of both versions at hand."""
    with bench_on(lab_images, tmp_path / "home") as bench:
        bench.docker("network", "create", bench.name)
        files: list[str] = []
        for version in ("1.1.0", "1.3.0"):
            volume = f"{bench.name}-{version}"
            bench.docker("run", "--rm", "--volume", f"{volume}:/schema", "--entrypoint", "true", f"{IMAGE}:{version}")
            files += ["--volume", f"{volume}:/{version}:ro"]
        joined = ("--network", bench.name, "--network-alias")
        account = ("--env", "POSTGRES_USER=icingadb", "--env", f"POSTGRES_PASSWORD={PASSWORD}")
        beside(bench, "redis").run("refloat-lab/redis:7.0.15", *joined, "redis")
        beside(bench, "db").run("refloat-lab/postgres:15", *joined, "db", *files, *account)
        until(lambda: sql(bench, "-c", "select 1", check=False) == "1", "the database answers")
        sql(bench, "-f", "/1.1.0/pgsql/schema.sql")
        made = bench.run(f"{IMAGE}:1.1.0", "--network", bench.name, *SETTINGS)
        until(lambda: "Connecting to Redis" in bench.engine.logs(made.id), "Icinga DB likes its schema")
        yield bench


def sql(bench: Bench, *question: str, check: bool = True) -> str:
    psql = ("psql", "-h", "127.0.0.1", "-U", "icingadb", "-XqtA", "-v", "ON_ERROR_STOP=1")
    return bench.docker("exec", beside(bench, "db").name, *psql, *question, check=check)


def test_icinga_db_turns_back_until_its_schema_was_changed_and_does_not_go_back_after(bench: Bench) -> None:
    old = bench.target.id
    planned = bench.plan("--to", "1.3.0")
    for release in ("1.1.1", "1.2.0", "1.2.1"):
        assert f"Apply the schema file of {release}" in planned.out
    early = bench.apply("--to", "1.3.0")
    assert early.status == 5, early.told
    assert "unexpected database schema version: v1 (expected v4)" in early.out
    assert bench.target.id == old

    for release in ("1.1.1", "1.2.0", "1.2.1"):
        sql(bench, "-f", f"/1.3.0/pgsql/upgrades/{release}.sql")
    done = bench.upgraded("--to", "1.3.0")
    assert PASSWORD not in done.told
    back = bench.apply("--to", "1.1.0", "--json")
    assert (back.status, back.error) == (3, "hop")
    assert "exactly its own schema" in back.out
