"""A path rehearsed on the real engine: hop by hop on one copy, back over all, and the gate that asks for it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.engine.test_paths import CRASH, SERVICE
from tests.engine.upgrade_lab import Bench, bench_on

RELEASES = {"1.1.6.1": SERVICE, "1.2.0.0": SERVICE.replace(":1.0", ":migrates"), "1.2.0.3": SERVICE, "1.2.0.4": CRASH}


@pytest.fixture
def flow(lab_images: str, tmp_path: Path) -> Iterator[Bench]:
    with bench_on(lab_images, tmp_path / "home") as bench:
        for version, made in RELEASES.items():
            bench.build(f"{bench.name}/omflow:{version}", f"{made}LABEL org.opencontainers.image.version={version}\n")
        bench.target_with_data(f"{bench.name}/omflow:1.1.6.1")
        yield bench


def process(flow: Bench) -> tuple[str, str, int]:
    return flow.target.id, flow.target.state.started_at, flow.target.state.pid


def test_a_path_is_rehearsed_hop_by_hop_and_only_then_let_through(flow: Bench, tmp_path: Path) -> None:
    refused = flow.apply("--to", "1.2.0.3", "--rehearsed", "--json")
    assert (refused.status, refused.error) == (3, "not-rehearsed")
    before, tree, page = process(flow), flow.tree(), tmp_path / "path.json"
    rehearse = ("rehearse", flow.name, "--vault", flow.vault, "--dwell", "1")
    ran = flow.refloat(*rehearse, "--to", "1.2.0.3", "--json", "--report", str(page))
    told = json.loads(ran.out)
    assert (ran.status, told["passed"], told["rolled_back"]) == (0, True, True), ran.told
    first, second = told["hops"]
    assert [(each["old"], each["new"]) for each in (first, second)] == [("1.1.6.1", "1.2.0.0"), ("1.2.0.0", "1.2.0.3")]
    touched = [{file["path"] for one in each["changes"] for file in one["biggest"]} for each in (first, second)]
    assert ["schema" in each for each in touched] == [True, False], "the second hop finds what the first one migrated"
    assert [hop["ok"] for hop in json.loads(page.read_text(encoding="utf-8"))["hops"]] == [True, True]
    failed = flow.refloat(*rehearse, "--to", "1.2.0.4", "--quick")
    (ended,) = [line for line in failed.out.splitlines() if "Hop 2 of 2 (1.2.0.0 → 1.2.0.4): the copy d" in line]
    assert (failed.status, "not stay up" in ended) == (4, True), failed.told
    assert (process(flow), flow.tree(), flow.left_of_runs()) == (before, tree, [])
    waiting = flow.apply("--to", "1.2.0.3", "--rehearsed", "--json")
    assert (waiting.status, waiting.error) == (75, "gate-open"), "only its own gate holds it back now"
