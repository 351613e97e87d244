"""`refloat upgrade-all` on the real engine: what has a goal goes there, and the first way back stops the others."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.engine.upgrade_lab import MISBEHAVE, Bench, bench_on

CONFIG = """\
defaults: {{dwell_s: 1, vault: {name}-vault}}
targets:
  good: {{container: {name}-good, goal: 2.0}}
  there: {{container: {name}-there, goal: 1.0}}
  aimless: {{container: {name}-there2}}
  bad: {{container: {name}, goal: crash}}
  gone: {{container: {name}-gone, goal: 2.0}}
  shut: {{container: {name}-shut, goal: 2.0, window: "{far} 00:00-00:01"}}
  later: {{container: {name}-later, goal: 2.0}}
stacks:
  both: {{members: {{later: , {name}-beside: same}}}}
"""


@pytest.fixture
def bench(lab_images: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    with bench_on(lab_images, tmp_path / "home") as bench:
        for end in ("good", "there", "shut", "later", "beside"):
            bench.run(f"{MISBEHAVE}:1.0", name=f"{bench.name}-{end}")
        bench.target_with_data()
        config = tmp_path / "refloat.yaml"
        far = datetime.now(UTC) + timedelta(days=3)
        config.write_text(CONFIG.format(name=bench.name, far=f"{far:%a}"))
        monkeypatch.setenv("REFLOAT_CONFIG", str(config))
        yield bench


def test_all_go_to_their_goals_and_the_first_way_back_stops_the_rest(bench: Bench, tmp_path: Path) -> None:
    report = tmp_path / "all.html"
    ran = bench.refloat("upgrade-all", "--json", "--report", str(report))
    told = json.loads(ran.out)
    ends = {one["target"]: one["ending"] for one in told["targets"]}
    assert ends == {"good": "upgraded", "there": "up to date", "aimless": "skipped", "bad": "rolled back",
                    "gone": "not begun", "shut": "not begun", "both": "not begun"}, ran.err  # fmt: skip
    assert (ran.status, told["exit"]) == (5, 5)
    assert "good  prepare  create the successor" in ran.err
    assert bench.engine.container(bench.name).image_ref.endswith(":1.0")
    assert f"{bench.name} runs 1.0 again" in report.read_text()

    again = bench.refloat("upgrade-all", "--keep-going", "--jobs", "2")
    assert again.status == 5, again.out + again.err
    rows = {line.split()[0]: line for line in again.out.splitlines()[1:]}
    assert [" ".join(rows[name].split()[1:3]) for name in ("good", "bad", "gone", "shut")] == [
        "up to", "rolled back", "held back", "held back"]  # fmt: skip
    assert "upgraded" in rows["both"], "a stack goes as a whole"
    assert bench.refloat("upgrade-all", "both", "there").status == 0
    assert bench.refloat("upgrade-all", "nobody", "--json").error == "no-such-target"
