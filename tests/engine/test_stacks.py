"""Several containers upgraded as one on a real engine: forward together, back together, whatever fails or dies."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.engine.command_line import Ran
from tests.engine.compose_lab import V2, shop_on
from tests.engine.upgrade_lab import BUSYBOX, MISBEHAVE, Bench, bench_on
from tests.lab.engines import until


@pytest.fixture
def bench(lab_images: str, tmp_path: Path) -> Iterator[Bench]:
    with bench_on(lab_images, tmp_path / "home") as bench:
        yield bench


@pytest.fixture
def pair(bench: Bench) -> Bench:
    """Two with data of their own; the second depends on nothing but the order in which they are named."""
    bench.target_with_data()
    bench.run(f"{MISBEHAVE}:1.0", "--volume", f"{web(bench)}:/data", "--restart", "always", name=web(bench))
    return bench


def web(bench: Bench) -> str:
    return f"{bench.name}-web"


def stack(bench: Bench, first: str, second: str, *line: str, verb: str = "apply", **variables: str) -> Ran:
    file = bench.home.parent / "refloat.yaml"
    members = {bench.name: first, web(bench): second}
    file.write_text(json.dumps({"stacks": {f"{bench.name}-pair": {"members": members, "vault": bench.vault}}}))
    return bench.refloat(verb, f"{bench.name}-pair", "--dwell", "1", *line, REFLOAT_CONFIG=str(file), **variables)


def images(bench: Bench) -> list[str]:
    return [bench.engine.container(name).image_ref.rpartition(":")[2] for name in (bench.name, web(bench))]


def test_where_the_second_fails_the_migrated_data_of_the_first_goes_back(pair: Bench) -> None:
    before = (pair.tree(), pair.tree(web(pair)))
    failed = stack(pair, "migrates", "crash")
    assert failed.status == 5, failed.told
    assert f"{pair.name}-pair runs 1.0 again" in failed.out
    assert (images(pair), pair.tree(), pair.tree(web(pair))) == (["1.0", "1.0"], *before)
    assert pair.left_of_runs() == []


def test_both_go_and_one_rollback_brings_both_back(pair: Bench) -> None:
    before = pair.tree()
    gone = stack(pair, "migrates", "2.0")
    assert gone.status == 0, gone.told
    assert images(pair) == ["migrates", "2.0"]
    assert pair.tree() != before
    back = pair.refloat("rollback", web(pair), "--yes")
    assert back.status == 0, back.told
    assert (images(pair), pair.tree()) == (["1.0", "1.0"], before)
    assert pair.engine.container(web(pair)).host_config["RestartPolicy"] == {"Name": "always", "MaximumRetryCount": 0}


@pytest.mark.parametrize(
    "boundary", ["did start-successor#2", "performed undo:restore-data", "performed undo:start-container"]
)
def test_a_runner_that_dies_with_its_journal_leaves_both_to_be_brought_back(pair: Bench, boundary: str) -> None:
    before = (pair.tree(), pair.tree(web(pair)))
    died = stack(pair, "migrates", "crash", REFLOAT_DEBUG_KILL_AT=boundary)
    assert died.status == -9, died.told
    shutil.rmtree(pair.home)
    recovered = pair.refloat("recover", f"{pair.name}-pair", "--vault", pair.vault)
    assert recovered.status in (0, 5), recovered.told
    assert (images(pair), pair.tree(), pair.tree(web(pair))) == (["1.0", "1.0"], *before)
    assert all(pair.engine.container(name).state.running for name in (pair.name, web(pair)))


def statuses(bench: Bench) -> list[str]:
    return [bench.engine.container(name).state.status for name in (bench.name, web(bench))]


def test_who_was_paused_is_paused_again_whatever_comes_of_it_and_who_was_stopped_stays_so(pair: Bench) -> None:
    pair.engine.pause(pair.name)
    pair.engine.stop(web(pair), 5)
    before = pair.tree()
    assert "[paused]" in stack(pair, "migrates", "2.0", verb="plan").out
    died = stack(pair, "migrates", "2.0", REFLOAT_DEBUG_KILL_AT="did thaw")
    assert died.status == -9, died.told
    assert statuses(pair) == ["running", "exited"]
    recovered = pair.refloat("recover", f"{pair.name}-pair", "--vault", pair.vault)
    assert recovered.status == 0, recovered.told
    assert statuses(pair) == ["paused", "exited"]
    failed = stack(pair, "crash", "2.0")
    assert failed.status == 5, failed.told
    assert (statuses(pair), images(pair), pair.tree()) == (["paused", "exited"], ["1.0", "1.0"], before)
    gone = stack(pair, "migrates", "2.0", "--hold")
    assert gone.status == 0, gone.told
    assert (statuses(pair), images(pair)) == (["paused", "created"], ["migrates", "2.0"])
    back = pair.refloat("rollback", pair.name, "--yes")
    assert back.status == 0, back.told
    assert (statuses(pair), images(pair), pair.tree()) == (["paused", "exited"], ["1.0", "1.0"], before)


def test_who_lives_in_the_network_of_one_is_made_anew_beside_the_new_one(bench: Bench) -> None:
    bench.target_with_data()
    beside = ("--network", f"container:{bench.name}", "--env", "SECRET=s3cret", "--stop-timeout", "1")
    old = bench.run(BUSYBOX, *beside, command=("sleep", "1d"), name=f"{bench.name}-side")
    gone = bench.apply("--to", "2.0")
    assert gone.status == 0, gone.told
    side = bench.engine.container(f"{bench.name}-side")
    assert side.id != old.id
    assert side.host_config["NetworkMode"] == f"container:{bench.target.id}"
    assert bench.docker("exec", side.id, "sh", "-c", "echo $SECRET").strip() == "s3cret"
    assert bench.target.image_ref == f"{MISBEHAVE}:2.0"


def test_a_compose_project_goes_as_one_and_its_file_names_both_new_images(
    lab_images: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with shop_on(lab_images, tmp_path, V2) as shop:
        before = shop.file.read_bytes()
        monkeypatch.setenv("PATH", shop.path)
        monkeypatch.setenv("TMPDIR", str(shop.temporary))
        line = ("--member", "db=2.0", "--member", "web=2", "--vault", shop.bench.vault, "--dwell", "1")
        rehearsed = shop.bench.refloat("rehearse", shop.bench.name, *line, "--quick")
        assert rehearsed.status == 0, rehearsed.told
        assert "--member db=2.0 --member web=2" in rehearsed.out
        assert shop.file.read_bytes() == before
        gone = shop.bench.refloat("apply", shop.bench.name, *line, "--rehearsed")
        assert gone.status == 0, gone.told
        after = before.replace(b"misbehave:1.0", b"misbehave:2.0").replace(b"busybox:1", b"busybox:2")
        assert shop.file.read_bytes() == after
        ids = shop.ids()
        shop.compose("up", "-d")
        assert shop.ids() == ids
        back = shop.bench.refloat("rollback", shop.bench.name, "--yes")
        assert back.status == 0, back.told
        assert shop.file.read_bytes() == before


ZABBIX = ("DB_SERVER_HOST=db", "ZBX_SERVER_HOST=server", "POSTGRES_USER=zabbix", "POSTGRES_PASSWORD=zabbix",
          "POSTGRES_DB=zabbix")  # fmt: skip
COUNTS = "select (select count(*) from hosts), (select count(*) from items), (select mandatory from dbversion)"


@pytest.fixture
def zabbix(bench: Bench) -> Bench:
    """PostgreSQL with Zabbix 6.0: server, web interface and agent, up with its first schema."""
    bench.docker("network", "create", bench.name)
    env = tuple(word for pair in ZABBIX for word in ("--env", pair))
    images = {"db": "postgres:15", "server": "zabbix-server-pgsql:6.0.14", "web": "zabbix-web-nginx-pgsql:6.0.14",
              "agent": "zabbix-agent:6.0.14"}  # fmt: skip
    for alias, image in images.items():
        data = ("--volume", f"{bench.data}:/var/lib/postgresql/data") if alias == "db" else ()
        bench.run(f"refloat-lab/{image}", "--network", bench.name, "--network-alias", alias, *env, *data,
                  name=f"{bench.name}-{alias}")  # fmt: skip
    ready = ("exec", f"{bench.name}-db", "pg_isready", "-h", "127.0.0.1")
    until(lambda: "accepting" in bench.docker(*ready, check=False), "PostgreSQL is up")
    server = bench.engine.container(f"{bench.name}-server").id
    until(lambda: "server #0 started" in bench.engine.logs(server), "Zabbix is up")
    return bench


def counts(bench: Bench) -> list[str]:
    told = bench.docker("exec", f"{bench.name}-db", "psql", "-h", "127.0.0.1", "-U", "zabbix", "-tAc", COUNTS)
    return told.strip().split("|")


def zabbix_file(bench: Bench) -> str:
    """The stack, and what is counted before and after in the database that keeps its version."""
    name = bench.name
    ask = ["psql", "-h", "127.0.0.1", "-U", "zabbix", "-tAc", COUNTS.partition(", (select mandatory")[0]]
    count = [{"kind": "command", "name": "hosts and items", "argv": ask, "compare": "equal"}]
    members = {f"{name}-agent": "7.0.22", f"{name}-web": "7.0.22", f"{name}-server": "7.0.22", f"{name}-db": "same"}
    file = bench.home.parent / "refloat.yaml"
    stack = {"members": members, "vault": bench.vault}
    file.write_text(json.dumps({"targets": {f"{name}-db": {"evidence": count}}, "stacks": {"zabbix": stack}}))
    return str(file)


def processes(bench: Bench) -> list[tuple[str, str]]:
    """Which process of each member runs, and since when."""
    seen = [bench.engine.container(f"{bench.name}-{member}") for member in ("db", "server", "web", "agent")]
    return [(each.id, each.state.started_at) for each in seen]


def test_zabbix_is_rehearsed_goes_from_6_0_to_7_0_with_its_schema_and_goes_back_with_it_where_the_web_interface_fails(
    zabbix: Bench,
) -> None:
    before, ran, file = counts(zabbix), processes(zabbix), zabbix_file(zabbix)
    broken = f"refloat-lab/zabbix-web-nginx-pgsql:7.0.22-{zabbix.name}"
    zabbix.build(broken, 'FROM refloat-lab/zabbix-web-nginx-pgsql:7.0.22\nENTRYPOINT ["false"]\n')
    line = ("zabbix", "--dwell", "1", "--json")
    with_broken = ("--member", f"{zabbix.name}-web=7.0.22-{zabbix.name}")

    bad = zabbix.refloat("rehearse", *line, *with_broken, REFLOAT_CONFIG=file)
    assert bad.status == 4, bad.told
    assert f"the copy of {zabbix.name}-web" in str(bad.json["why"])
    good = zabbix.refloat("rehearse", *line, REFLOAT_CONFIG=file)
    assert (good.status, good.json["rolled_back"]) == (0, True), good.told
    assert "database upgrade" in good.err
    assert (processes(zabbix), counts(zabbix)) == (ran, before)

    failed = zabbix.refloat("apply", *line, *with_broken, REFLOAT_CONFIG=file)
    assert failed.status == 5, failed.told
    assert "completed 100% of database upgrade" in failed.err or "database upgrade" in failed.err
    assert counts(zabbix) == before
    gone = zabbix.refloat("apply", *line, "--rehearsed", REFLOAT_CONFIG=file)
    assert gone.status == 0, gone.told
    assert counts(zabbix) == [*before[:2], "7000000"]
