"""Reports of real runs: an upgrade, a failed one and rehearsals of both, in every format, and no secret in any."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from tests.engine.upgrade_lab import MISBEHAVE, Bench, bench_on

SECRET = "correct-horse-battery"
SUFFIXES = ("html", "json", "xml", "md", "txt")


@pytest.fixture
def bench(lab_images: str, tmp_path: Path) -> Iterator[Bench]:
    """A target with a secret wherever people put one: variables, labels, arguments, the health check, the log."""
    with bench_on(lab_images, tmp_path / "home") as bench:
        says = f'echo "connecting with $DB_PASSWORD"; TOKEN={SECRET} exec /service'
        check = f"wget -q -O /dev/null http://127.0.0.1:8000/health?{SECRET}"
        bench.run(
            f"{MISBEHAVE}:1.0", "--volume", f"{bench.data}:/data", "--restart", "unless-stopped",
            "--env", f"DB_PASSWORD={SECRET}", "--label", f"api-token={SECRET}", "--health-cmd", check,
            "--log-opt", "max-size=10m", "--health-interval", "1s", "--entrypoint", "sh",
            command=("-c", says, "sh", "--password", SECRET),
        )  # fmt: skip
        bench.wait_healthy()
        yield bench


def reports(folder: Path, name: str) -> tuple[str, ...]:
    """The options for a report in every format."""
    return tuple(part for suffix in SUFFIXES for part in ("--report", str(folder / f"{name}.{suffix}")))


def read(folder: Path, name: str) -> dict[str, str]:
    """The reports, each without a secret."""
    told = {suffix: (folder / f"{name}.{suffix}").read_text(encoding="utf-8") for suffix in SUFFIXES}
    assert not [suffix for suffix, text in told.items() if SECRET in text]
    return told


def test_an_upgrade_and_a_failed_one_leave_reports_that_say_so(bench: Bench, tmp_path: Path) -> None:
    gone_through = bench.apply("--to", "2.0", *reports(tmp_path, "good"))
    assert gone_through.status == 0, gone_through.err
    good = read(tmp_path, "good")
    told = json.loads(good["json"])
    assert (told["state"], told["exit_status"]) == ("done", 0)
    assert told["acts"][0]["down"]["until_s"] - told["acts"][0]["down"]["begun_s"] == pytest.approx(told["downtime_s"])
    assert {step["state"] for act in told["acts"] for step in act["steps"]} == {"done"}
    assert told["probes"][0]["ok"] is True
    assert f"{bench.name} runs 2.0." in good["html"]
    assert {suite.get("failures") for suite in ET.fromstring(good["xml"])} == {"0"}  # noqa: S314  # our own

    came_back = bench.apply("--to", "migrates-then-crashes", *reports(tmp_path, "bad"))
    assert came_back.status == 5, came_back.err
    bad = read(tmp_path, "bad")
    told = json.loads(bad["json"])
    assert (told["state"], told["exit_status"], told["code"]) == ("rolled back", 5, "crashed")
    log = next(listing["lines"] for listing in told["listings"] if listing["is_log"])
    assert any("connecting with ***" in line for line in log)
    for text in bad.values():
        assert "the migration was wrong" in text
    assert not [path for path in bench.home.rglob("*.json*") if SECRET in path.read_text(encoding="utf-8")]


def test_rehearsals_are_told_with_what_was_played(bench: Bench, tmp_path: Path) -> None:
    for version, status in (("migrates", 0), ("migrates-then-crashes", 4)):
        line = ("rehearse", bench.name, "--to", version, "--vault", bench.vault, "--dwell", "1")
        ran = bench.refloat(*line, *reports(tmp_path, version))
        assert ran.status == status, ran.out + ran.err
    passed = json.loads(read(tmp_path, "migrates")["json"])
    assert (passed["verb"], passed["state"]) == ("rehearsal", "passed")
    assert [act["title"] for act in passed["acts"]] == ["The way there", "The way back"]
    assert passed["changes"][0]["added"] > 0
    failed = json.loads(read(tmp_path, "migrates-then-crashes")["json"])
    assert (failed["state"], failed["exit_status"], failed["code"]) == ("failed", 4, "crashed")
    assert (
        bench.refloat("show", failed["run"], "--format", "markdown").out
        == read(tmp_path, "migrates-then-crashes")["md"]
    )
