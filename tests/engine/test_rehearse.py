"""Rehearsals on the real engine: true verdicts, a target that never notices, nothing left."""

from __future__ import annotations

import json
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.engine import command_line
from tests.engine.rehearse_lab import Bench, bench_on, with_service


@pytest.fixture
def bench(lab_images: str, tmp_path: Path) -> Iterator[Bench]:
    with bench_on(lab_images, tmp_path / "home") as bench:
        yield bench


@pytest.fixture
def service(bench: Bench) -> Bench:
    return with_service(bench)


def test_prometheus_passes_through_four_versions_and_production_never_notices(bench: Bench) -> None:
    bench.run("refloat-lab/prometheus:2.24.1", "--volume", f"{bench.name}-data:/prometheus", "--publish", "9090")
    bench.wait_for("promtool", "query", "instant", "http://localhost:9090", "count(up)")
    before = bench.process
    ran = bench.rehearse("<=3.5.3", "--all-hops", "--json")
    told = json.loads(ran.out)
    assert (ran.status, told["passed"]) == (0, True), ran.out
    assert [each["asked"] for each in told["candidates"]] == ["2.42.0", "2.53.3", "3.5.3"]
    for each in told["candidates"]:
        assert each["rolled_back"] is True
        assert "published ports" in each["taken"]
        assert any(one["name"] == "version" and each["asked"] in one["after"] for one in each["evidence"])
        assert each["expected"]["downtime_s"] > 0
    assert bench.process == before
    assert bench.left() == []


def test_of_several_versions_each_has_its_verdict_and_any_failure_is_status_4(service: Bench, tmp_path: Path) -> None:
    before, report = service.process, tmp_path / "versions.json"
    line = ("--to", "crash", "--to", "1.0", "--quick", "--json", "--report", str(report))
    ran = service.rehearse("migrates", *line)
    assert ran.status == 4, ran.err
    works, fails, same = json.loads(ran.out)["candidates"]
    assert (works["passed"], works["changes"][0]["deleted"]) == (True, 1)
    assert (fails["passed"], fails["code"]) == (False, "crashed")
    assert fails["why"] == "the copy does not stay up: exit code 3."
    assert same["error"]["code"] == "already-there"
    told = json.loads(report.read_text(encoding="utf-8"))
    assert [each["verdict"] for each in told["candidates"]] == ["works", "fails", "not tried"]
    assert service.process == before
    assert service.left() == []


def test_postgresql_15_to_17_fails_and_production_never_notices(bench: Bench) -> None:
    bench.run("refloat-lab/postgres:15", "--env", "POSTGRES_PASSWORD=correct-horse",
              "--volume", f"{bench.name}-data:/var/lib/postgresql/data")  # fmt: skip
    bench.wait_for("pg_isready", "-h", "127.0.0.1")
    before = bench.process
    refused = bench.rehearse("17", "--json")
    assert (refused.status, json.loads(refused.out)["error"]["code"]) == (3, "hop")
    ran = bench.rehearse("17", "--force")
    assert ran.status == 4, ran.out + ran.err
    assert "the rehearsal failed" in ran.out
    assert "incompatible" in ran.out
    assert "correct-horse" not in ran.out + ran.err
    assert bench.process == before
    assert bench.left() == []


def test_what_migrates_the_copy_leaves_the_data_alone_and_its_rehearsal_opens_the_gate(service: Bench) -> None:
    refused = service.refloat("apply", service.name, "--to", "migrates", "--rehearsed", "--json")
    assert (refused.status, json.loads(refused.out)["error"]["code"]) == (3, "not-rehearsed")
    service.docker("exec", service.name, "sh", "-c", "dd if=/dev/zero of=/data/big bs=1M count=3")
    before = service.process
    ran = service.rehearse("migrates")
    assert ran.status == 0, ran.out + ran.err
    assert "The way back was rehearsed, too." in ran.out
    for said in (f"volume {service.name}-data on /data: 1 file added (2 B), 1 file changed (21 B), 1 file deleted",
                 "~ big  3.1 MB → 21 B", "- journal  ", "+ schema  2 B", "of memory at its peak",
                 "Expect a downtime of about", "Env MISBEHAVE has another value"):  # fmt: skip
        assert said in ran.out
    assert service.process == before
    assert service.docker("exec", service.name, "sh", "-c", "cat /data/token; ls /data") == "mine\nbig\njournal\ntoken"
    assert service.left() == []
    applied = service.refloat("apply", service.name, "--to", "migrates", "--rehearsed", "--dwell", "1")
    assert applied.status == 0, applied.err


def test_a_migration_that_crashes_is_seen_on_the_copy_only(service: Bench) -> None:
    before = service.process
    ran = service.rehearse("migrates-then-crashes")
    assert (ran.status, "the migration was wrong" in ran.out) == (4, True), ran.out + ran.err
    assert service.process == before
    assert service.docker("exec", service.name, "cat", "/data/token") == "mine"
    assert service.left() == []


def killed_at(bench: Bench, moment: str, *line: str) -> None:
    """A rehearsal that is killed as soon as it says this."""
    command = ("rehearse", bench.name, "--dwell", "0", "--vault", bench.vault, *line)
    with command_line.start(bench.environment, *command) as running:
        assert running.stderr
        said = next((line for line in running.stderr if moment in line), "")
        running.send_signal(signal.SIGKILL)
        running.communicate(timeout=120)
    assert said, f"it never came as far as: {moment}"


def test_whenever_a_rehearsal_is_killed_the_next_call_clears_it_away(service: Bench) -> None:
    before, versions = service.process, ("--to", "2.0", "--to", "migrates")
    for moment, line, then in (
        ("a snapshot", ("--to", "2.0"), ("ls",)),
        ("settles on the copy", versions, ("recover", service.name)),
        ("freeze   copy what changed", versions, ("prune", "--yes")),
        ("back     restore volume", ("--to", "2.0"), ("plan", service.name, "--to", "2.0")),
    ):
        killed_at(service, moment, *line)
        assert [*service.home.glob("rehearsals/*/scene.json")], "it could clear away itself"
        assert "a rehearsal of" in service.refloat(*then).err
        assert service.left() == []
        assert service.process == before


def test_what_is_slow_comes_up_beside_the_new_one_and_goes_with_a_killed_rehearsal_too(bench: Bench) -> None:
    data = ("--volume", f"{bench.name}-data:/data", "--env", "SLOW_S=4")
    bench.run("refloat-lab/misbehave:slow-healthy", *data)
    bench.wait_for("wget", "-q", "-O", "/dev/null", "http://127.0.0.1:8000/health")
    before = bench.process
    killed_at(bench, "prove    prove", "--to", "2.0")
    assert [name for name in bench.left() if name.endswith("-twin")]
    assert "a rehearsal of" in bench.refloat("ls").err
    assert bench.left() == []
    told = json.loads(bench.rehearse("2.0", "--json").out)
    assert (told["passed"], told["beside"], told["rolled_back"]) == (True, True, True), told["why"]
    assert bench.left() == []
    assert bench.process == before


def test_ten_rehearsals_leave_the_engine_the_mounts_and_the_space_as_they_were(service: Bench) -> None:
    """The space is that of the vault, where all a rehearsal writes is: the disk is shared with other tests."""
    before, image_ids = service.process, {each.id for each in service.engine.images()}
    others, taken = ("migrates", "crash", "crashloop", "migrates-then-crashes"), []
    for _ in range(2):
        ran = service.rehearse("2.0", *(part for tag in others for part in ("--to", tag)), "--quick", "--json")
        assert ran.status == 4, ran.err
        told = json.loads(ran.out)["candidates"]
        assert [each["passed"] for each in told] == [True, True, False, False, False]
        assert service.left() == []
        taken.append(space_taken(service))
    assert len(set(service.runs())) == 10
    mounts = Path("/proc/self/mountinfo").read_text(encoding="utf-8")
    assert not [run for run in service.runs() if run in mounts]
    assert taken[0] == taken[1], "the second five take no more than the first"
    assert not [path for path in taken[1] if path.startswith("f ")], "the vault is as empty as it was"
    assert image_ids <= {each.id for each in service.engine.images()}
    assert service.process == before


def space_taken(bench: Bench) -> list[str]:
    """Everything in the vault: its sort, its size in kilobytes on the disk, and its path."""
    find = "find /vault -exec stat -c '%F %b %n' {} + | sed 's/^regular.*file/f/' | sort"
    return bench.docker("run", "--rm", "--network", "none", "--volume", f"{bench.vault}:/vault:ro",
                        "refloat-lab/busybox:1", "sh", "-c", find).splitlines()  # fmt: skip
