"""Opmantek's way of upgrading, on stand-ins: two families, daemons in order, a way back that replaces."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.engine.upgrade_lab import Bench, bench_on
from tests.wire.receivers import webhook

OPCHARTS, NMIS = "refloat-lab/opcharts", "refloat-lab/nmis"
OMK, NMIS8, NMIS9 = "/usr/local/omk", "/usr/local/nmis8", "/usr/local/nmis9"
DAEMONS = ("opeventsd", "opconfigd", "opchartsd", "omkd")
QUESTIONS = ("deprecations", "compatibility", "dependencies", "custom", "test-plan")
ANSWERED = tuple(word for question in QUESTIONS for word in ("--answer", f"{question}=yes"))


@pytest.fixture
def bench(lab_images: str, tmp_path: Path) -> Iterator[Bench]:
    with bench_on(lab_images, tmp_path / "home") as made:
        yield made


def running(bench: Bench, image: str, home: str = OMK, *options: str, name: str = "") -> None:
    """A running one with a setting of one's own."""
    name = name or bench.name
    bench.run(image, "--volume", f"{name}-data:{home}", *options, name=name)
    own = f"until service omkd status; do sleep 0.1; done; echo mine >>{home}/conf/own.json"
    bench.docker("exec", name, "sh", "-c", own)


def settings(bench: Bench, name: str, home: str) -> list[str]:
    return bench.docker("exec", name, "cat", f"{home}/conf/own.json").splitlines()


def test_the_families_are_never_mixed_and_one_of_them_goes_and_comes_back_as_a_stack(bench: Bench) -> None:
    bench.docker("network", "create", bench.name)
    charts = f"{bench.name}-charts"
    running(bench, f"{NMIS}:8.6.8G", NMIS8, "--network", bench.name)
    running(bench, f"{OPCHARTS}:3.4.0", OMK, "--network", bench.name, name=charts)
    crossing = bench.refloat("plan", charts, "--to", "4.2.1", "--json")
    assert (crossing.status, crossing.error) == (3, "hop"), crossing.out
    assert "families of NMIS 8 and NMIS 9 are never mixed" in crossing.out
    answers = dict.fromkeys(QUESTIONS, "yes")
    file = bench.home.parent / "refloat.yaml"
    stack = {"members": {bench.name: "8.7.1G", charts: "3.5.0"}, "vault": bench.vault}
    named = {bench.name: {"answers": answers}, charts: {"answers": answers}}
    file.write_text(json.dumps({"targets": named, "stacks": {"omk": stack}}))
    gone = bench.refloat("apply", "omk", "--dwell", "1", REFLOAT_CONFIG=str(file))
    assert gone.status == 0, gone.told
    assert settings(bench, bench.name, NMIS8) == ["of the family 8", "mine", "converted by 8.7.1G"]
    assert settings(bench, charts, OMK) == ["of the family 3", "mine", "converted by 3.5.0"]
    assert len(bench.snapshots(sealed=True)) == 2
    back = bench.refloat("rollback", "omk", "--yes", REFLOAT_CONFIG=str(file))
    assert back.status == 0, back.told
    assert settings(bench, bench.name, NMIS8) == ["of the family 8", "mine"]
    assert settings(bench, charts, OMK) == ["of the family 3", "mine"]


def test_another_family_beside_it_and_what_lies_between_the_bounds_are_warned_of(bench: Bench) -> None:
    bench.docker("network", "create", bench.name)
    between = f"{bench.name}/opcharts"
    for tag in ("4.1.4", "4.2.1"):
        bench.build(f"{between}:{tag}", f"FROM {OPCHARTS}:4.2.1\nLABEL org.opencontainers.image.version={tag}\n")
    bench.run(f"{NMIS}:8.7.1G", "--network", bench.name, name=f"{bench.name}-nmis")
    bench.run(f"{between}:4.1.4", "--network", bench.name)
    told = {one["code"]: one["text"] for one in json.loads(bench.plan("--to", "4.2.1", "--json").out)["warnings"]}
    assert "4.1.4 lies between 4.1.3 and 4.2" in told["vendor"]
    assert f"{bench.name}-nmis (NMIS 8.7.1G) is of the family NMIS 8" in told["family"]


def test_questions_wait_daemons_stop_in_order_and_the_way_back_leaves_nothing_of_the_upgrade(bench: Bench) -> None:
    """Four daemons, the web daemon last; the installer names its own backup alike all day."""
    running(bench, f"{NMIS}:9.1.0G", NMIS9)
    programs = ["omkd.exe", "opchartsd.exe", "opconfigd.exe", "opeventsd.exe"]
    waiting = bench.apply("--to", "9.4.2", "--json")
    assert (waiting.status, waiting.error) == (75, "gate-open"), waiting.out
    assert all(question in waiting.out for question in QUESTIONS)
    run = json.loads(bench.upgraded("--to", "9.4.2", *ANSWERED, "--json").out)["run"]
    assert bench.exec("cat", f"{NMIS9}/var/stops").split() == list(DAEMONS)
    assert "lost" not in bench.exec("ls", f"{NMIS9}/var")
    assert bench.exec("ls", f"{NMIS9}/bin").split() == ["added-by-9.1.0G", "added-by-9.4.2", *programs]
    file = bench.home.parent / "refloat.yaml"
    with webhook() as hook:
        file.write_text(json.dumps({"defaults": {"notify": [{"url": hook.url, "events": ["announce"]}]}}))
        back = bench.refloat("rollback", bench.name, "--yes", "--announce", "1s", REFLOAT_CONFIG=str(file))
    assert back.status == 0, back.out + back.err
    assert [title.partition(" begins at ")[0] for title in hook.titles] == [f"{bench.name} rollback to 9.1.0G"]
    stops = [back.err.index(f"service {daemon} stop") for daemon in DAEMONS]
    assert stops == sorted(stops), "before a restore, too, each is stopped and proven stopped"
    assert f"{bench.name}: waiting until " in back.err
    assert "added-by-9.4.2" in back.out
    assert bench.exec("ls", f"{NMIS9}/bin").split() == ["added-by-9.1.0G", *programs]
    assert settings(bench, bench.name, NMIS9) == ["of the family 9", "mine"]
    assert "running" in bench.exec("service", "opeventsd", "status")
    again = json.loads(bench.upgraded("--to", "9.4.2", "--json").out)["run"]
    assert {run, again} <= set(bench.snapshots(sealed=True))


def test_a_daemon_that_does_not_stop_turns_back_before_anything_else_is_stopped(bench: Bench) -> None:
    running(bench, f"{OPCHARTS}:4.1.3")
    bench.exec("touch", f"{OMK}/var/stuck-omkd")
    started = bench.target.state.started_at
    ran = bench.apply("--to", "4.2.1", *ANSWERED)
    assert ran.status == 5, ran.out + ran.err
    assert "omkd does not stop" in ran.out
    assert bench.target.state.started_at == started
    assert "running" in bench.exec("service", "opchartsd", "status")


def test_an_installer_that_meets_a_running_daemon_is_found_by_what_it_says(bench: Bench) -> None:
    running(bench, f"{OPCHARTS}:4.1.3")
    ran = bench.apply("--to", "4.2.2", *ANSWERED)
    assert ran.status == 5, ran.out + ran.err
    assert "Text file busy" in ran.out
    assert bench.exec("ls", f"{OMK}/bin").split() == ["added-by-4.1.3", "omkd.exe", "opchartsd.exe"]
    assert "running" in bench.exec("service", "omkd", "status")
