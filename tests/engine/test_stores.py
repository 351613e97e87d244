"""More products that keep data, on the real engine: what survives, what needs a clean stop, what must not go back."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.engine.product_lab import fetch
from tests.engine.upgrade_lab import Bench, bench_on
from tests.lab.engines import until

MARIADB = "refloat-lab/mariadb"
METRICS = "refloat-lab/victoria-metrics"
INFLUXDB = "refloat-lab/influxdb:1.6.7"
PASSWORD = "correct-horse-never-shown"
CHECKSUM = "set group_concat_max_len = 99999; select count(*), md5(group_concat(m order by n)) from shop.kept"


@pytest.fixture
def bench(lab_images: str, tmp_path: Path) -> Iterator[Bench]:
    with bench_on(lab_images, tmp_path / "home") as bench:
        yield bench


def mariadb(bench: Bench, *options: str) -> str:
    """Start 10.11 with a table of a thousand rows; gives the container's id."""
    settings = ("--env", f"MARIADB_ROOT_PASSWORD={PASSWORD}", "--env", "MARIADB_DATABASE=shop", *options)
    made = bench.run(f"{MARIADB}:10.11.18", "--volume", f"{bench.data}:/var/lib/mysql", *settings)
    until(lambda: query(bench, "select 1", check=False) == "1", "mariadb answers")
    query(bench, "use shop; create table kept as select seq n, md5(seq) m from seq_1_to_1000")
    return made.id


def query(bench: Bench, text: str, *, check: bool = True) -> str:
    # Over TCP: the server that only prepares the files listens on its socket alone.
    ask = ("exec", "--env", f"MYSQL_PWD={PASSWORD}", bench.name, "mariadb", "-h127.0.0.1", "-uroot", "-Nse", text)
    return bench.docker(*ask, check=check)


def test_mariadb_keeps_its_rows_and_its_system_tables_are_brought_along_where_that_is_set(bench: Bench) -> None:
    mariadb(bench, "--env", "MARIADB_AUTO_UPGRADE=1")
    before = query(bench, CHECKSUM)
    # A copy of a running one is as after a crash, from which no new version starts: the old one tidies it first.
    quick = ("--quick", "--dwell", "1", "--vault", bench.vault)
    rehearsed = bench.refloat("rehearse", bench.name, "--to", "11.8.6", *quick)
    assert rehearsed.status == 0, rehearsed.told
    done = bench.upgraded("--to", "11.8.6")
    assert PASSWORD not in done.out + done.err
    assert query(bench, CHECKSUM) == before
    assert "Finished mariadb-upgrade" in bench.docker("logs", bench.name)
    # A tag that says nothing: the image's own variable does.
    older = f"{bench.name}/mariadb:older"
    bench.docker("tag", f"{MARIADB}:10.11.18", older)
    refused = bench.apply("--image", older, "--json")
    assert (refused.status, refused.error) == (3, "hop")


def test_mariadb_that_had_to_be_killed_stays_on_its_version(bench: Bench) -> None:
    # A signal it does not end at: it has to be killed.
    old = mariadb(bench, "--stop-signal", "SIGWINCH", "--stop-timeout", "1")
    before = query(bench, CHECKSUM)
    ran = bench.apply("--to", "11.8.6", "--stop-timeout", "1")
    assert ran.status == 5, ran.out + ran.err
    assert bench.target.id == old
    until(lambda: query(bench, "select 1", check=False) == "1", "mariadb answers again")
    assert query(bench, CHECKSUM) == before


def series(bench: Bench) -> list[int]:
    answer = fetch(bench, "http://127.0.0.1:8428/api/v1/series/count")
    return list(json.loads(answer)["data"]) if answer else []


def test_victoria_metrics_keeps_its_series_and_does_not_go_back_past_its_barrier(bench: Bench) -> None:
    bench.run(f"{METRICS}:1.79.5", "--volume", f"{bench.data}:/victoria-metrics-data")
    until(lambda: series(bench) != [], "victoria-metrics answers")
    lines = "\n".join(f'sold{{shop="{n}"}} {n}' for n in range(100))
    fetch(bench, "http://127.0.0.1:8428/api/v1/import/prometheus", "--post-data", lines)
    until(lambda: series(bench) == [100], "a hundred series")
    bench.upgraded("--to", "1.112.0")
    assert series(bench) == [100]
    refused = bench.apply("--to", "1.79.5", "--json")
    assert (refused.status, refused.error) == (3, "hop")
    assert "1.90.0" in refused.out


def test_valkey_reads_what_redis_saved_and_keeps_every_key(bench: Bench) -> None:
    bench.run("refloat-lab/redis:7.0.15", "--volume", f"{bench.data}:/data")
    until(lambda: bench.docker("exec", bench.name, "redis-cli", "PING", check=False) == "PONG", "redis answers")
    bench.exec("redis-cli", "EVAL", "for n = 1, 100 do redis.call('SET', 'key' .. n, n * n) end", "0")
    done = bench.upgraded("--image", "refloat-lab/valkey:8.1.1")
    assert "no vendor's rule speaks of such a change" in done.out + done.err
    assert bench.exec("valkey-cli", "DBSIZE") == "100"
    assert bench.exec("valkey-cli", "GET", "key7") == "49"
    back = bench.apply("--image", "refloat-lab/redis:7.0.15")
    assert back.status == 5, back.told
    assert "Can't handle RDB format version" in back.out
    until(lambda: bench.docker("exec", bench.name, "valkey-cli", "DBSIZE", check=False) == "100", "every key again")


def asked_of_netdata(bench: Bench, path: str, field: str) -> object:
    answer = fetch(bench, f"http://127.0.0.1:19999/api/v1/{path}")
    return json.loads(answer)[field] if answer else None


def history(bench: Bench) -> int:
    """The second of the oldest value it has of the machine's load."""
    return int(str(asked_of_netdata(bench, "chart?chart=system.load", "first_entry") or 0))


def test_netdata_keeps_its_identity_and_its_history_forward_and_back(bench: Bench) -> None:
    kept = ("--volume", f"{bench.data}:/var/lib/netdata", "--volume", f"{bench.name}-db:/var/cache/netdata")
    bench.run("refloat-lab/netdata:1.29.3", *kept)
    until(lambda: history(bench) > 0, "netdata has a first value")
    oldest, identity = history(bench), asked_of_netdata(bench, "info", "uid")
    called = bench.exec("hostname")  # nobody gave it one: it is a part of the first container's id
    for version in ("1.37.1", "1.29.3"):
        bench.upgraded("--to", version)
        assert asked_of_netdata(bench, "info", "version") == f"v{version}"
        assert (asked_of_netdata(bench, "info", "uid"), bench.exec("hostname")) == (identity, called)
        assert 0 < history(bench) <= oldest


def points(bench: Bench) -> str:
    return bench.docker("exec", bench.name, "influx", "-database", "shop", "-format", "csv", "-execute",
                        "select count(price) from sold", check=False)  # fmt: skip


def test_influxdb_of_the_same_version_on_another_suite_is_rehearsed_and_keeps_its_points(bench: Bench) -> None:
    bench.run(INFLUXDB, "--volume", f"{bench.data}:/var/lib/influxdb")
    create = ("exec", bench.name, "influx", "-execute", "create database shop; show databases")
    until(lambda: "shop" in bench.docker(*create, check=False), "influxdb answers")
    lines = "\n".join(f"sold,shop=s{n} price={n}" for n in range(100))
    fetch(bench, "http://127.0.0.1:8086/write?db=shop", "--post-data", lines)
    until(lambda: "100" in points(bench), "a hundred points")
    before = points(bench)
    rebuilt = f"{bench.name}/influxdb:1.6.7"
    binaries = f"COPY --from={INFLUXDB} /usr/bin/influx /usr/bin/influxd /usr/bin/"
    rest = f"COPY --from={INFLUXDB} /etc/influxdb /etc/influxdb\nVOLUME /var/lib/influxdb\nENV INFLUXDB_VERSION=1.6.7"
    bench.build(rebuilt, f'FROM refloat-lab/base:trixie\n{binaries}\n{rest}\nCMD ["influxd"]\n')
    rehearsed = bench.refloat("rehearse", bench.name, "--image", rebuilt, "--vault", bench.vault, "--dwell", "1")
    assert rehearsed.status == 0, rehearsed.told
    assert "databases" in bench.upgraded("--image", rebuilt).err
    assert points(bench) == before
