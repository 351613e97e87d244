"""Opmantek's way of upgrading, on a stand-in of opCharts: two families, daemons in order, a way back that replaces."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.engine.upgrade_lab import Bench, bench_on

OPCHARTS = "refloat-lab/opcharts"
OMK = "/usr/local/omk"
QUESTIONS = ("deprecations", "compatibility", "dependencies", "custom", "test-plan")
ANSWERED = tuple(word for question in QUESTIONS for word in ("--answer", f"{question}=yes"))


@pytest.fixture
def bench(lab_images: str, tmp_path: Path) -> Iterator[Bench]:
    with bench_on(lab_images, tmp_path / "home") as made:
        yield made


def opcharts(bench: Bench, version: str) -> None:
    """A running one with a setting of one's own."""
    bench.run(f"{OPCHARTS}:{version}", "--volume", f"{bench.data}:{OMK}")
    bench.exec("sh", "-c", f"until service omkd status; do sleep 0.1; done; echo mine >>{OMK}/conf/opcharts.json")


def test_the_families_are_never_mixed_and_what_lies_between_the_bounds_is_warned_of(bench: Bench) -> None:
    opcharts(bench, "3.4.0")
    mixed = bench.plan("--to", "4.2.1", "--json")
    assert (mixed.status, mixed.error) == (3, "hop"), mixed.out
    assert "families of NMIS 8 and NMIS 9 are never mixed" in mixed.out
    between = f"{bench.name}/opcharts"
    for tag in ("4.1.4", "4.2.1"):
        bench.build(f"{between}:{tag}", f"FROM {OPCHARTS}:4.2.1\nLABEL org.opencontainers.image.version={tag}\n")
    bench.docker("rm", "--force", bench.name)
    bench.run(f"{between}:4.1.4")
    warnings = json.loads(bench.plan("--to", "4.2.1", "--json").out)["warnings"]
    told = [one["text"] for one in warnings if one["code"] == "vendor"]
    assert any("4.1.4 lies between 4.1.3 and 4.2" in text for text in told), warnings


def test_questions_wait_daemons_stop_in_order_and_the_way_back_leaves_nothing_of_the_upgrade(bench: Bench) -> None:
    opcharts(bench, "4.1.3")
    waiting = bench.apply("--to", "4.2.1", "--json")
    assert (waiting.status, waiting.error) == (75, "gate-open"), waiting.out
    assert all(question in waiting.out for question in QUESTIONS)
    run = json.loads(bench.upgraded("--to", "4.2.1", *ANSWERED, "--json").out)["run"]
    assert bench.exec("cat", f"{OMK}/var/stops").split() == ["opchartsd", "omkd"]
    assert "lost" not in bench.exec("ls", f"{OMK}/var")
    assert bench.exec("ls", f"{OMK}/bin").split() == ["added-by-4.1.3", "added-by-4.2.1", "omkd.exe", "opchartsd.exe"]
    back = bench.refloat("rollback", bench.name, "--yes", "--announce", "1s")
    assert back.status == 0, back.out + back.err
    assert f"{bench.name}: waiting until " in back.err
    assert "added-by-4.2.1" in back.out
    assert bench.exec("ls", f"{OMK}/bin").split() == ["added-by-4.1.3", "omkd.exe", "opchartsd.exe"]
    assert bench.exec("cat", f"{OMK}/conf/opcharts.json").splitlines()[-1] == "mine"
    again = json.loads(bench.upgraded("--to", "4.2.1", "--json").out)["run"]
    assert {run, again} <= set(bench.snapshots(sealed=True))


def test_a_daemon_that_does_not_stop_turns_back_before_anything_else_is_stopped(bench: Bench) -> None:
    opcharts(bench, "4.1.3")
    bench.exec("touch", f"{OMK}/var/stuck-omkd")
    started = bench.target.state.started_at
    ran = bench.apply("--to", "4.2.1", *ANSWERED)
    assert ran.status == 5, ran.out + ran.err
    assert "omkd does not stop" in ran.out
    assert bench.target.state.started_at == started
    assert "running" in bench.exec("service", "opchartsd", "status")


def test_an_installer_that_meets_a_running_daemon_is_found_by_what_it_says(bench: Bench) -> None:
    opcharts(bench, "4.1.3")
    ran = bench.apply("--to", "4.2.2", *ANSWERED)
    assert ran.status == 5, ran.out + ran.err
    assert "Text file busy" in ran.out
    assert bench.exec("ls", f"{OMK}/bin").split() == ["added-by-4.1.3", "omkd.exe", "opchartsd.exe"]
    assert "running" in bench.exec("service", "omkd", "status")
