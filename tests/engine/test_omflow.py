"""OMFLOW's way of upgrading, on its stand-in: step by step, through the change of its runtime, and back from there."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.engine.upgrade_lab import Bench, bench_on

OMFLOW = "refloat-lab/omflow"
DATA = "/opt/omflow/data"
SITES = "/etc/apache2/sites-enabled"
AGREED = ("--answer", "terms=read and accepted")


@pytest.fixture
def bench(lab_images: str, tmp_path: Path) -> Iterator[Bench]:
    with bench_on(lab_images, tmp_path / "home") as made:
        yield made


def flow(bench: Bench, image: str, *options: str) -> None:
    """A running OMFLOW with a flow of one's own."""
    bench.run(image, "--volume", f"{bench.data}:{DATA}", *options)
    running = "until /opt/omflow/server/omflow_server status; do sleep 0.1; done"
    bench.exec("sh", "-c", f"{running}; echo mine >>{DATA}/flows")


def flows(bench: Bench) -> list[str]:
    return bench.exec("cat", f"{DATA}/flows").splitlines()


def test_an_old_one_goes_step_by_step_and_comes_back_from_behind_the_change_of_runtime(bench: Bench) -> None:
    flow(bench, f"{OMFLOW}:1.1.3.0")
    before = bench.tree()
    ran = bench.upgraded("--to", "1.2.0.3", *AGREED, "--json")
    told = json.loads(ran.out)
    assert told["hops"]["versions"] == ["1.1.4.0", "1.2.0.0", "1.2.0.3"]
    came = [f"updated to {version}" for version in told["hops"]["versions"]]
    assert flows(bench) == ["first flow", "mine", *came]
    assert "running" in bench.exec("/opt/omflow/server/omflow_server", "status")
    volume = ("--volume", f"{bench.data}:{DATA}")
    alone = bench.docker("run", "--rm", *volume, f"{OMFLOW}:1.1.4.0", check=False)
    assert "cannot be used with Django 4.2" in alone
    back = bench.refloat("rollback", told["ends"][0]["run"], "--yes")
    assert back.status == 0, back.out + back.err
    assert bench.tree() == before
    assert bench.target.image_ref == f"{OMFLOW}:1.1.3.0"


def test_packages_that_the_new_runtime_lacks_are_named_until_none_is_missing(bench: Bench) -> None:
    """The old one has a driver installed by hand; the new one gets it from a wheel, as where there is no network."""
    home = f"{bench.name}/omflow"
    wheel = "/opt/omflow/tmp/pymysql-1.1.0.whl"
    bench.build(f"{home}:1.1.6.1", f"FROM {OMFLOW}:1.1.6.1\nRUN /opt/omflow/python/bin/pip install PyMySQL==1.0.2\n")
    bench.build(f"{home}:1.2.0.0", f"FROM {OMFLOW}:1.2.0.0\n")
    flow(bench, f"{home}:1.1.6.1")
    before, started = bench.tree(), bench.target.state.started_at
    ran = bench.apply("--to", "1.2.0.0", *AGREED, "--json")
    told = json.loads(ran.out)
    assert (ran.status, told["code"]) == (5, "packages-missing"), ran.out + ran.err
    assert "what the old one has: pymysql." in told["why"]
    assert (bench.tree(), bench.target.state.started_at) == (before, started)
    install = f"mkdir -p /opt/omflow/tmp && touch {wheel} && /opt/omflow/python/bin/pip install /opt/omflow/tmp/*.whl"
    bench.build(f"{home}:1.2.0.0", f"FROM {OMFLOW}:1.2.0.0\nRUN {install}\n")
    bench.upgraded("--to", "1.2.0.0")
    assert flows(bench) == ["first flow", "mine", "updated to 1.2.0.0"]


def test_a_service_that_does_not_start_is_restored_and_the_update_is_run_again(bench: Bench) -> None:
    flow(bench, f"{OMFLOW}:1.2.0.0")
    before = bench.tree()
    ran = bench.apply("--to", "1.2.0.1", *AGREED)
    assert ran.status == 5, ran.out + ran.err
    assert "omflow service could not be started" in ran.out
    assert bench.tree() == before
    bench.upgraded("--to", "1.2.0.3", *AGREED)
    assert flows(bench) == ["first flow", "mine", "updated to 1.2.0.3"]


def test_the_path_of_the_web_servers_module_follows_the_runtime_and_own_settings_stay(bench: Bench) -> None:
    flow(bench, f"{OMFLOW}:1.1.6.1", "--volume", f"{bench.data}-sites:{SITES}")
    bench.exec("sed", "-i", "s/^ServerName .*/ServerName flow.example.org/", f"{SITES}/django.conf")
    ran = bench.apply("--to", "1.2.0.0", *AGREED, "--no-refresh")
    assert ran.status == 5, ran.out + ran.err
    assert "apache2: cannot load" in ran.out
    bench.upgraded("--to", "1.2.0.0")
    conf = bench.exec("cat", f"{SITES}/django.conf")
    assert "ServerName flow.example.org" in conf
    assert "python3.11/mod_wsgi.so" in conf
