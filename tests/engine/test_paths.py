"""Several hops in one go: each a whole upgrade, and the death of the runner on the way or between them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.engine.command_line import Ran
from tests.engine.upgrade_lab import MISBEHAVE, Bench, bench_on

SERVICE = f"""FROM {MISBEHAVE}:1.0
RUN mkdir -p /opt/omflow/server && printf '#!/bin/sh\\nexit 0\\n' >/opt/omflow/server/omflow_server \\
    && chmod +x /opt/omflow/server/omflow_server
"""
"""It numbers its releases as OMFLOW does, whose rules lead from 1.1.6.1 to 1.2.0.3 by way of 1.2.0.0."""
CRASH = f"FROM {MISBEHAVE}:crash\n"
RELEASES = {"1.1.6.1": SERVICE, "1.2.0.0": SERVICE, "1.2.0.3": SERVICE, "1.2.0.4": CRASH}
AGREED = ("--answer", "terms=accepted")


@pytest.fixture
def flow(lab_images: str, tmp_path: Path) -> Iterator[Bench]:
    with bench_on(lab_images, tmp_path / "home") as bench:
        for version, made in RELEASES.items():
            bench.build(f"{bench.name}/omflow:{version}", f"{made}LABEL org.opencontainers.image.version={version}\n")
        bench.target_with_data(f"{bench.name}/omflow:1.1.6.1")
        yield bench


def release(bench: Bench) -> str:
    return bench.target.image_ref.rpartition(":")[2]


def ends(ran: Ran) -> list[str]:
    return [str(one["end"]) for one in json.loads(ran.out)["ends"]]


def test_a_path_is_planned_asked_about_and_carried_out_hop_by_hop(flow: Bench) -> None:
    before = flow.tree()
    planned = flow.plan("--to", "1.2.0.3")
    assert planned.status == 0, planned.out + planned.err
    assert "first of 2 hops: 1.1.6.1 → 1.2.0.0 → 1.2.0.3" in planned.out
    waiting = flow.apply("--to", "1.2.0.3", "--json")
    assert (waiting.status, waiting.error, release(flow)) == (75, "gate-open", "1.1.6.1")
    ran = flow.upgraded("--to", "1.2.0.3", *AGREED, "--json")
    told = json.loads(ran.out)
    assert (ends(ran), told["reached"], release(flow)) == (["new", "new"], "1.2.0.3", "1.2.0.3")
    assert "hop 1 of 2: 1.1.6.1 → 1.2.0.0" in ran.err
    assert len(flow.snapshots(sealed=True)) == 2
    back = flow.refloat("rollback", told["ends"][0]["run"], "--yes")
    assert back.status == 0, back.out + back.err
    assert (release(flow), flow.tree()) == ("1.1.6.1", before)


def test_a_hop_that_fails_leaves_the_last_proven_one_or_the_start(flow: Bench, tmp_path: Path) -> None:
    before = flow.tree()
    ran = flow.apply("--to", "1.2.0.4", *AGREED, "--all-or-nothing", "--json")
    told = json.loads(ran.out)
    assert (ran.status, ends(ran), told["undone"]["end"]) == (5, ["new", "old"], "new"), ran.out + ran.err
    assert (told["reached"], release(flow), flow.tree()) == ("1.1.6.1", "1.1.6.1", before)
    report = tmp_path / "path.json"
    ran = flow.apply("--to", "1.2.0.4", *AGREED, "--report", str(report))
    assert ran.status == 5, ran.out + ran.err
    told = json.loads(report.read_text(encoding="utf-8"))
    assert ([hop["ok"] for hop in told["hops"]], told["exit_status"]) == ([True, False], 5)
    assert "runs 1.2.0.0, on its path 1.1.6.1 → 1.2.0.0 → 1.2.0.4" in ran.out
    assert "Back to the start: refloat rollback" in ran.out
    assert release(flow) == "1.2.0.0"
    assert [left for left in flow.left_of_runs() if not left.startswith("refloat/held:")] == []


@pytest.mark.parametrize(("boundary", "came_to"), [("did rename#3", "1.2.0.0"), ("did commit:remove-kept", "1.2.0.0")])
def test_a_runner_that_dies_on_a_path_is_recovered_and_says_how_far_it_came(
    flow: Bench, monkeypatch: pytest.MonkeyPatch, boundary: str, came_to: str
) -> None:
    monkeypatch.setenv("REFLOAT_DEBUG_KILL_AT", boundary)
    killed = flow.apply("--to", "1.2.0.3", *AGREED)
    assert killed.status == -9, killed.out + killed.err
    monkeypatch.delenv("REFLOAT_DEBUG_KILL_AT")
    ran = flow.refloat("recover", flow.name, "--vault", flow.vault)
    assert ran.status == 0, ran.out + ran.err
    assert f"it came to {came_to}. The rest: refloat apply {flow.name} --to 1.2.0.3" in ran.err
    assert release(flow) == came_to
    assert "was cut off" not in flow.refloat("recover", flow.name, "--vault", flow.vault).err
    flow.upgraded("--to", "1.2.0.3", *AGREED)
    assert release(flow) == "1.2.0.3"


def test_a_stack_goes_over_the_hops_of_its_member_and_is_taken_up_again_where_it_was_cut_off(flow: Bench) -> None:
    web, name = f"{flow.name}-web", f"{flow.name}-all"
    flow.run(f"{MISBEHAVE}:1.0", "--volume", f"{web}:/data", name=web)
    file, stack = (
        flow.home.parent / "refloat.yaml",
        {"members": {web: "2.0", flow.name: "1.2.0.3"}, "vault": flow.vault},
    )
    file.write_text(json.dumps({"stacks": {name: stack}}))
    line = ("apply", name, "--dwell", "1", *AGREED, "--json")
    planned = flow.refloat("plan", name, *AGREED, REFLOAT_CONFIG=str(file))
    assert f"first of 2 hops: 1.1.6.1 → 1.2.0.0 → 1.2.0.3. refloat apply {name} carries out all" in planned.out
    assert f"member {web}: 1.0, the same version" in planned.out
    killed = flow.refloat(*line, REFLOAT_CONFIG=str(file), REFLOAT_DEBUG_KILL_AT="did commit:remove-kept")
    assert killed.status == -9, killed.told
    ran = flow.refloat("recover", name, "--vault", flow.vault)
    assert f"it came to 1.2.0.0. The rest: refloat apply {name}" in ran.err, ran.told
    assert (release(flow), flow.engine.container(web).image_ref) == ("1.2.0.0", f"{MISBEHAVE}:1.0")
    ran = flow.refloat(*line, REFLOAT_CONFIG=str(file))
    assert ran.status == 0, ran.told
    assert (release(flow), flow.engine.container(web).image_ref) == ("1.2.0.3", f"{MISBEHAVE}:2.0")
