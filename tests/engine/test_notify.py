"""Upgrades that tell how they went, on the real engine: an end is never changed by who could not be told."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.engine.upgrade_lab import Bench, bench_on
from tests.wire.receivers import webhook


@pytest.fixture
def bench(lab_images: str, tmp_path: Path) -> Iterator[Bench]:
    with bench_on(lab_images, tmp_path / "home") as bench:
        bench.target_with_data()
        yield bench


def test_start_and_end_are_told_and_a_service_that_fails_changes_nothing(
    bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with webhook() as hook, webhook(500) as broken:
        (tmp_path / "broken.url").write_text(broken.url + "\n")
        config = tmp_path / "refloat.yaml"
        config.write_text(f"""\
defaults:
  notify:
    - url: ${{HOOK}}
    - {{url: !file broken.url, events: [verdict]}}
targets:
  db: {{container: {bench.name}, goal: 2.0, dwell_s: 1, vault: {bench.vault}}}
""")
        monkeypatch.setenv("REFLOAT_CONFIG", str(config))
        unset = bench.refloat("apply", "db", "--json")
        assert (unset.status, unset.error) == (2, "secret-missing")
        assert hook.got == []
        monkeypatch.setenv("HOOK", hook.url)
        done = bench.refloat("apply", "db")
        assert done.status == 0, done.err
        assert hook.titles == [f"{bench.name} upgrade begins: 1.0 → 2.0", f"{bench.name} runs 2.0"]
        assert f"! “{bench.name} runs 2.0” could not be sent to json://…" in done.err
        assert "hunter2" not in done.err + done.out
        failed = bench.refloat("apply", "db", "--to", "crash")
        assert failed.status == 5, failed.err
        assert hook.titles[-1] == f"{bench.name} rolled back to 2.0, the upgrade failed"
        assert "refloat show" in hook.got[-1]["message"]
