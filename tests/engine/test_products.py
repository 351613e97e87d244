"""Real products on the real engine: what they hold survives the upgrade, and what cannot go on comes back whole."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode

import pytest

from tests.engine.product_lab import beside, fetch, unlabelled
from tests.engine.upgrade_lab import BUSYBOX, Bench, bench_on
from tests.lab.engines import until

PROMETHEUS = "refloat-lab/prometheus"
POSTGRES = "refloat-lab/postgres"
REDIS = "refloat-lab/redis"
ALERTMANAGER = "refloat-lab/alertmanager"
PROMETHEUS_3 = ("three-flags", "content-type", "le-labels")
DEADLINE_S = 600
"""Nothing that crashes may be waited for that long."""


@pytest.fixture
def bench(lab_images: str, tmp_path: Path) -> Iterator[Bench]:
    with bench_on(lab_images, tmp_path / "home") as bench:
        yield bench


def samples(bench: Bench, at: int) -> int:
    """How many samples of its own scrape Prometheus has up to that second."""
    question = urlencode({"query": 'count_over_time(up{job="prometheus"}[1h])', "time": at})
    answer = fetch(bench, f"http://127.0.0.1:9090/api/v1/query?{question}")
    result = json.loads(answer)["data"]["result"] if answer else []
    return int(result[0]["value"][1]) if result else 0


def scraped(bench: Bench) -> tuple[int, int]:
    """A moment in the past, and the number of samples up to it."""
    until(lambda: samples(bench, int(time.time()) - 2) >= 3, "three scrapes")
    at = int(time.time()) - 2
    return at, samples(bench, at)


def versions(bench: Bench) -> dict[str, str]:
    """What is said of where it stands."""
    ran = bench.refloat("versions", bench.name, "--offline", "--json")
    assert ran.status == 0, ran.out + ran.err
    found: dict[str, str] = json.loads(ran.out)
    return found


def test_prometheus_keeps_its_series_over_three_upgrades(bench: Bench) -> None:
    bench.run(unlabelled(bench, "prometheus", "2.24.1"), "--volume", f"{bench.data}:/prometheus")
    bench.acknowledge("3.0.0", *PROMETHEUS_3)
    at, count = scraped(bench)
    asked = versions(bench)["version"]  # of a page: the image of this build does not say it
    assert asked.startswith("2.24.1"), asked
    for version in ("2.42.0", "2.53.3", "3.5.3"):
        said = bench.upgraded("--image", f"{PROMETHEUS}:{version}").out
        assert f"{bench.name} runs {version}." in said
        assert samples(bench, at) == count


def test_prometheus_with_a_flag_that_was_removed_comes_back_with_the_reason(bench: Bench) -> None:
    flags = ("--config.file=/etc/prometheus/prometheus.yml", "--storage.tsdb.path=/prometheus",
             "--storage.tsdb.retention=7d")  # fmt: skip
    old = bench.run(f"{PROMETHEUS}:2.53.3", "--volume", f"{bench.data}:/prometheus", command=flags)
    bench.acknowledge("3.0.0", *PROMETHEUS_3)
    at, count = scraped(bench)
    ran = bench.apply("--to", "3.5.3")
    assert ran.status == 5, ran.out + ran.err
    assert "unknown long flag '--storage.tsdb.retention'" in ran.out
    assert bench.target.id == old.id
    until(lambda: samples(bench, at) == count, "the same samples as before")
    assert bench.left_of_runs() == []


CONFIG = """global: {scrape_interval: 1s}
scrape_configs: [{job_name: all, static_configs: [{targets: ["localhost:9090", "bare:9000"]}]}]
"""
HASTY = """extends: prometheus
name: hasty-prometheus
evidence:
  - {name: targets-up, kind: http, port: 9090, path: /api/v1/targets?state=active, regex: '"health":"up"', count: true,
     compare: not_less, settle_s: 5}
"""
"""The shipped recipe waits for a whole scrape interval before it believes that a target stays away."""
BARE = "while read -r l && [ ${#l} -gt 1 ]; do :; done; printf 'HTTP/1.0 200 OK\\r\\n\\r\\nsold 1\\n'"


def up(bench: Bench) -> int:
    """How many targets it scrapes."""
    return fetch(bench, "http://127.0.0.1:9090/api/v1/targets?state=active").count('"health":"up"')


def test_a_prometheus_that_is_healthy_and_no_longer_scrapes_a_target_comes_back(bench: Bench, tmp_path: Path) -> None:
    bench.docker("network", "create", bench.name)
    joined, configured = ("--network", bench.name), ("--volume", f"{bench.name}-conf:/etc/prometheus")
    bench.docker("run", "--rm", *configured, BUSYBOX, "sh", "-c", f"echo '{CONFIG}' >/etc/prometheus/prometheus.yml")
    old = bench.run(f"{PROMETHEUS}:2.53.3", "--volume", f"{bench.data}:/prometheus", *configured, *joined)
    # A target that says nothing of what it sends: Prometheus 2 reads it, Prometheus 3 does not.
    bare = ("nc", "-ll", "-p", "9000", "-e", "sh", "-c", BARE)
    bench.run(BUSYBOX, *joined, "--network-alias", "bare", command=bare, name=f"{bench.name}-bare")
    until(lambda: up(bench) == 2, "both targets are up")
    bench.acknowledge("3.0.0", *PROMETHEUS_3)
    (tmp_path / "hasty.yaml").write_text(HASTY)
    ran = bench.apply("--to", "3.5.3", "--recipe", str(tmp_path / "hasty.yaml"))
    assert ran.status == 5, ran.told
    assert "targets-up" in ran.out
    assert bench.target.id == old.id


def alertmanager_silences(bench: Bench) -> list[str]:
    listed = bench.docker("exec", bench.name, "amtool", "--alertmanager.url=http://127.0.0.1:9093", "silence", "query",
                          "--quiet", check=False)  # fmt: skip
    return sorted(listed.split())


def test_alertmanager_keeps_its_silences(bench: Bench) -> None:
    bench.run(f"{ALERTMANAGER}:0.25.0", "--volume", f"{bench.data}:/alertmanager")
    until(lambda: fetch(bench, "http://127.0.0.1:9093/-/ready") != "", "alertmanager ready")
    for name in ("one", "two"):
        bench.exec("amtool", "--alertmanager.url=http://127.0.0.1:9093", "silence", "add", f"alertname={name}",
                   "--comment=planned", "--duration=2h", "--author=me")  # fmt: skip
    before = alertmanager_silences(bench)
    assert len(before) == 2
    bench.acknowledge("0.27.0", "api-v1")
    assert "silences" in bench.upgraded("--to", "0.28.1").err
    assert alertmanager_silences(bench) == before


def test_node_exporter_has_no_data_and_goes_through(bench: Bench) -> None:
    bench.run("refloat-lab/node-exporter:1.5.0")
    assert "no data" in bench.plan("--to", "1.9.0").out
    bench.upgraded("--to", "1.9.0")
    assert 'version="1.9.0"' in fetch(bench, "http://127.0.0.1:9100/metrics")


def postgres(bench: Bench, version: str) -> str:
    """Start it with a table of a thousand rows; gives the container's id."""
    options = ("--env", "POSTGRES_PASSWORD=correct-horse", "--env", "POSTGRES_HOST_AUTH_METHOD=trust")
    made = bench.run(f"{POSTGRES}:{version}", "--volume", f"{bench.data}:/var/lib/postgresql/data", *options)
    until(lambda: psql(bench, "select 1", check=False) == "1", "postgres answers")
    psql(bench, "create table kept as select n, md5(n::text) as m from generate_series(1, 1000) as n")
    return made.id


def psql(bench: Bench, query: str, *, check: bool = True) -> str:
    # Over TCP: the server that only prepares the cluster listens on its socket alone.
    ask = ("exec", bench.name, "psql", "--host=127.0.0.1", "--username=postgres", "--no-align", "--tuples-only", "-c")
    return bench.docker(*ask, query, check=check)


CHECKSUM = "select count(*) || ' ' || md5(string_agg(m, '' order by n)) from kept"


def test_postgres_of_another_major_crashes_is_seen_at_once_and_the_rows_are_intact(bench: Bench) -> None:
    old = postgres(bench, "15")
    before = psql(bench, CHECKSUM)
    refused = bench.apply("--to", "17", "--force", "--json")
    assert (refused.status, refused.error, bench.target.id) == (3, "hop", old)
    unread = unlabelled(bench, "postgres", "17")
    begun = time.monotonic()
    ran = bench.apply("--image", unread, "--deadline", str(DEADLINE_S))
    assert time.monotonic() - begun < DEADLINE_S
    assert ran.status == 5, ran.out + ran.err
    assert "database files are incompatible with server" in ran.out
    assert bench.target.id == old
    until(lambda: psql(bench, "select 1", check=False) == "1", "postgres answers again")
    assert psql(bench, CHECKSUM) == before
    assert bench.left_of_runs() == []
    bench.docker("stop", bench.name)
    newer = beside(bench, "newer")
    newer.run(f"{POSTGRES}:17", "--volume", f"{bench.data}:/var/lib/postgresql/data")
    until(lambda: newer.target.state.status == "exited", "the newer one refuses the data")
    assert versions(newer)["data"] == "15"


def test_postgres_under_another_name_of_the_same_image_needs_nothing_and_a_rebuilt_one_is_an_upgrade(
    bench: Bench,
) -> None:
    postgres(bench, "15")
    before = psql(bench, CHECKSUM)
    bench.docker("tag", f"{POSTGRES}:15", f"{bench.name}/postgres:15-again")
    ran = bench.plan("--image", f"{bench.name}/postgres:15-again")
    assert (ran.status, "already" in ran.out) == (0, True)
    bench.build(f"{bench.name}/postgres:15", f"FROM {POSTGRES}:15\nLABEL rebuilt=yes\n")
    bench.upgraded("--image", f"{bench.name}/postgres:15")
    assert psql(bench, CHECKSUM) == before
    assert bench.target.labels["rebuilt"] == "yes"


def redis(bench: Bench, version: str, *flags: str) -> str:
    """Start it with a hundred keys; gives the container's id."""
    made = bench.run(f"{REDIS}:{version}", "--volume", f"{bench.data}:/data", command=("redis-server", *flags))
    until(lambda: cli(bench, "PING", check=False) == "PONG", "redis answers")
    cli(bench, "EVAL", "for n = 1, 100 do redis.call('SET', 'key' .. n, n * n) end", "0")
    return made.id


def cli(bench: Bench, *command: str, check: bool = True) -> str:
    return bench.docker("exec", bench.name, "redis-cli", *command, check=check)


def keys(bench: Bench) -> tuple[str, str]:
    return cli(bench, "DBSIZE"), cli(bench, "DEBUG", "DIGEST")


REDIS_DEBUG = ("--enable-debug-command", "yes")


def test_redis_is_taken_back_later_to_its_snapshot_and_the_losses_are_named(bench: Bench) -> None:
    redis(bench, "7.0.15", *REDIS_DEBUG)
    bench.acknowledge("8.0.0", "eight-permissions")
    before = keys(bench)
    bench.upgraded("--to", "8.0.2")
    assert cli(bench, "DBSIZE") == "100"
    cli(bench, "SET", "written", "later")
    asked = bench.refloat("rollback", bench.name)
    assert asked.status == 3
    assert f"All that was written to volume {bench.data} since run" in asked.out + asked.err
    ran = bench.refloat("rollback", bench.name, "--yes")
    assert ran.status == 0, ran.out + ran.err
    assert bench.target.image_ref == f"{REDIS}:7.0.15"
    assert keys(bench) == before


def test_an_older_redis_that_starts_healthy_and_empty_is_caught_by_the_evidence(bench: Bench) -> None:
    old = redis(bench, "7.0.15", "--appendonly", "yes")
    refused = bench.apply("--to", "6.0.16", "--json")
    assert (refused.status, refused.error, bench.target.id) == (3, "hop", old)
    ran = bench.apply("--image", unlabelled(bench, "redis", "6.0.16"))
    assert ran.status == 5, ran.out + ran.err
    assert "keys" in ran.out
    assert bench.target.id == old
    until(lambda: cli(bench, "DBSIZE", check=False) == "100", "all keys back")
    assert cli(bench, "GET", "key7") == "49"
    assert bench.left_of_runs() == []
