"""The promise: whatever kills the runner, `recover` ends at the old version on its data or at the new one, proven.

A run is killed at its step boundaries, named by kind. "meant" is before a step, "performed" after it but before the
journal knows, "did" once it does.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.engine.upgrade_bench import UpgradeBench, laid_out, migrated
from tests.lab.engines import ENGINE_SH, Lab

BEFORE_THE_START = (
    "meant create-successor",
    "performed create-successor",
    "performed hold-image",
    "did take-evidence",
    "performed warm-copy",
    "performed stop-container",
    "performed set-restart-policy",
    "did ensure-sole-use",
    "performed cold-copy",
    "performed rename",
    "performed rename#2",
    "meant start-successor",
    "performed start-successor",
)
AFTER_THE_START = (
    "did start-successor",
    "did prove-health",
    "performed set-restart-policy#2",
    "performed accept-verdict",
    "did commit:remove-kept",
    "did commit:close-vault",
)
ON_THE_WAY_BACK = (
    "performed undo:capture-failure",
    "performed undo:stop-ours",
    "performed undo:restore-data",
    "performed undo:name-back",
    "performed undo:name-back#2",
    "performed undo:set-policy-back",
    "performed undo:start-container",
    "performed undo:prove-back",
    "performed undo:release-image",
    "performed undo:remove-ours",
    "performed undo:discard-room",
)


@pytest.fixture
def bench(lab_images: str, tmp_path: Path) -> Iterator[UpgradeBench]:
    with laid_out(Lab(ENGINE_SH.parent, lab_images), tmp_path) as bench:
        bench.run_target("unless-stopped")
        yield bench


def assert_policy(bench: UpgradeBench) -> None:
    assert bench.field("{{.HostConfig.RestartPolicy.Name}}") == "unless-stopped"


@pytest.mark.parametrize("boundary", BEFORE_THE_START)
def test_killed_before_the_new_version_is_known_to_run_it_goes_back(bench: UpgradeBench, boundary: str) -> None:
    before = bench.read_data()
    bench.kill_at(boundary, *bench.apply_line("migrates"))
    recovered = bench.recover()
    assert recovered.status == 0, recovered.told
    bench.assert_old(before)
    assert_policy(bench)


@pytest.mark.parametrize("boundary", AFTER_THE_START)
def test_killed_after_the_new_version_was_started_it_goes_on(bench: UpgradeBench, boundary: str) -> None:
    expected = migrated(bench.read_data())
    bench.kill_at(boundary, *bench.apply_line("migrates"))
    recovered = bench.recover()
    assert recovered.status == 0, recovered.told
    bench.assert_new(expected, "migrates")
    assert_policy(bench)


def test_killed_again_and_again_on_the_way_back_it_still_gets_there(bench: UpgradeBench) -> None:
    before = bench.read_data()
    bench.kill_at("meant undo:capture-failure", *bench.apply_line("migrates-then-crashes"))
    for boundary in ON_THE_WAY_BACK:
        bench.kill_at(boundary, "recover", bench.name, "--vault", bench.vault)
    recovered = bench.recover()
    assert recovered.status == 5, recovered.told
    bench.assert_old(before)
    assert_policy(bench)
    assert bench.recover().out == f"Nothing of {bench.name} was cut off.\n"


@pytest.mark.parametrize(
    "boundary",
    [
        "did stop-container",
        "did cold-copy",
        "performed start-successor",
        "did prove-health",
    ],
)
def test_killed_with_its_journal_lost_it_goes_back_from_what_stands(bench: UpgradeBench, boundary: str) -> None:
    before = bench.read_data()
    bench.kill_at(boundary, *bench.apply_line("migrates"))
    bench.lose_home()
    recovered = bench.recover()
    assert recovered.status == 0, recovered.told
    bench.assert_old(before)
    assert_policy(bench)


def test_killed_with_its_journal_lost_an_accepted_version_stays(bench: UpgradeBench) -> None:
    expected = migrated(bench.read_data())
    bench.kill_at("did accept-verdict", *bench.apply_line("migrates"))
    bench.lose_home()
    recovered = bench.recover()
    assert recovered.status == 0, recovered.told
    bench.assert_new(expected, "migrates")
    assert_policy(bench)


def test_killed_again_and_again_with_its_journal_lost_each_time_it_still_gets_back(bench: UpgradeBench) -> None:
    before = bench.read_data()
    bench.kill_at("meant undo:restore-data", *bench.apply_line("migrates-then-crashes"))
    for boundary in ON_THE_WAY_BACK[2:-2:2]:
        bench.lose_home()
        bench.kill_at(boundary, "recover", bench.name, "--vault", bench.vault)
    bench.lose_home()
    recovered = bench.recover()
    assert recovered.status == 0, recovered.told
    bench.assert_old(before)
    assert_policy(bench)


@pytest.mark.parametrize(
    ("boundary", "goes_on"),
    [
        ("performed bring-back-data", False),
        ("performed start-successor", False),
        ("did start-successor", True),
    ],
)
def test_a_rollback_that_was_killed_ends_at_one_of_both_versions(
    bench: UpgradeBench, boundary: str, goes_on: bool
) -> None:
    first = bench.read_data()
    applied = bench.refloat(*bench.apply_line("2.0"))
    assert applied.status == 0, applied.told
    bench.sh("echo later >/data/later")
    later = bench.read_data()
    bench.kill_at(boundary, "rollback", bench.name, "--yes")
    recovered = bench.recover()
    assert recovered.status == 0, recovered.told
    assert bench.image.endswith(":1.0" if goes_on else ":2.0")
    assert bench.read_data().tree == (first.tree if goes_on else later.tree)
    assert_policy(bench)
