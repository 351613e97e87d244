"""A path rehearsed on the real engine: hop by hop on one copy, back over all, and the gate that asks for it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from runner.testing import stage
from runner.testing.copy import UpgradedCopy
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


@contextmanager
def in_their_test(flow: Bench, patch: pytest.MonkeyPatch, marks: dict[str, str]) -> Iterator[UpgradedCopy]:
    """The upgraded copy as people's own tests get it, with these as the labels of their reaper."""
    patch.setenv("DOCKER_HOST", flow.host)
    patch.setenv("REFLOAT_HOME", str(flow.home))
    patch.setattr(stage, "reaper_labels", lambda: marks)
    with stage.rehearsed_copy(flow.name, to="1.2.0.3", image="", snapshot="", way_back=False) as copy:
        yield copy


def all_of_rehearsals(flow: Bench) -> list[dict[str, str]]:
    """The labels of all that was made for rehearsals of this target, and is there."""
    runs = {path.stem for path in flow.home.glob("rehearsals/*.json")} | {
        path.name for path in flow.home.glob("rehearsals/*") if path.is_dir()
    }
    labels = (
        *(each.labels for each in flow.engine.containers()),
        *(each.labels for each in flow.engine.volumes()),
        *(each.labels for each in flow.engine.networks()),
    )
    return [{"refloat.role": "", **each} for each in labels if each.get("refloat.run", "")[:22] in runs]


def test_a_path_is_rehearsed_hop_by_hop_and_only_then_let_through(
    flow: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
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
    marks = {"their.session": flow.name}
    with in_their_test(flow, monkeypatch, marks) as copy:
        assert [hop.new for hop in copy.rehearsal.hops] == ["1.2.0.0", "1.2.0.3"]
        assert copy.exec(["ls", "/data/schema"]).exit_code == 0, "the first hop migrated what the second one runs on"
        made = all_of_rehearsals(flow)
        assert {"tools", "prober", "successor", "clone"} <= {each["refloat.role"] for each in made}
        assert all(each.items() >= marks.items() for each in made)
    assert (process(flow), flow.tree(), all_of_rehearsals(flow)) == (before, tree, [])
    waiting = flow.apply("--to", "1.2.0.3", "--rehearsed", "--json")
    assert (waiting.status, waiting.error) == (75, "gate-open"), "only its own gate holds it back now"
