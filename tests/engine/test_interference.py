"""Somebody else is at work on the engine while a run is halted: it turns back, and says who or what was in the way."""

from __future__ import annotations

import random
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.engine.upgrade_bench import UpgradeBench, go_on, laid_out
from tests.lab.engines import ENGINE_SH, Lab

BUSYBOX = "refloat-lab/busybox:1"


@pytest.fixture
def bench(lab_images: str, tmp_path: Path) -> Iterator[UpgradeBench]:
    with laid_out(Lab(ENGINE_SH.parent, lab_images), tmp_path) as bench:
        yield bench


@pytest.fixture
def serving(bench: UpgradeBench) -> UpgradeBench:
    """The bench with its target at work."""
    bench.run_target("unless-stopped")
    return bench


@contextmanager
def intruder(bench: UpgradeBench, *options: str) -> Iterator[str]:
    """Somebody else's container."""
    name = f"{bench.name}-intruder"
    label = f"refloat.test={bench.name}"
    bench.lab.docker("run", "--detach", "--name", name, "--label", label, "--stop-signal", "KILL", *options,
                     BUSYBOX, "sleep", "100000")  # fmt: skip
    try:
        yield name
    finally:
        bench.lab.docker("rm", "--force", name)


def test_a_host_port_taken_while_it_was_down_is_named_and_recover_goes_on_when_it_is_free(bench: UpgradeBench) -> None:
    port = random.randrange(20000, 30000)
    bench.run_target("always", "--publish", f"{port}:8000")
    before = bench.read_data()
    with bench.halted_at("did stop-container", *bench.apply_line("2.0")) as running:
        with intruder(bench, "--publish", f"{port}:8000"):
            ran = go_on(running)
            assert ran.status == 6, ran.told
            assert str(port) in ran.out
        recovered = bench.recover()
    assert recovered.status == 5, recovered.told
    bench.assert_old(before)


def test_another_container_on_the_data_turns_it_back_and_is_named(serving: UpgradeBench) -> None:
    before = serving.read_data()
    halted, mounted = serving.halted_at("did warm-copy", *serving.apply_line("2.0")), f"{serving.volume}:/data"
    with halted as running, intruder(serving, "--volume", mounted) as name:
        ran = go_on(running)
        assert ran.status == 5, ran.told
        assert name in ran.out
    serving.assert_old(before)


def test_a_successor_that_somebody_removes_is_no_success(serving: UpgradeBench) -> None:
    before = serving.read_data()
    with serving.halted_at("did start-successor", *serving.apply_line("migrates")) as running:
        serving.lab.docker("rm", "--force", serving.name)
        ran = go_on(running)
    assert ran.status == 5, ran.told
    serving.assert_old(before)


def test_a_successor_that_somebody_stops_is_no_success(serving: UpgradeBench) -> None:
    before = serving.read_data()
    with serving.halted_at("did start-successor", *serving.apply_line("migrates")) as running:
        serving.lab.docker("stop", serving.name)
        ran = go_on(running)
    assert ran.status == 5, ran.told
    serving.assert_old(before)


def test_a_kept_container_that_somebody_renames_is_found_on_the_way_back(serving: UpgradeBench) -> None:
    before = serving.read_data()
    with serving.halted_at("did rename", *serving.apply_line("crash")) as running:
        serving.lab.docker("rename", f"{serving.name}-refloat-kept", f"{serving.name}-mine")
        ran = go_on(running)
    assert ran.status == 5, ran.told
    serving.assert_old(before)


def test_a_kept_container_that_somebody_renamed_is_not_removed(serving: UpgradeBench) -> None:
    before = serving.read_data()
    kept, mine = f"{serving.name}-refloat-kept", f"{serving.name}-mine"
    with serving.halted_at("did accept-verdict", *serving.apply_line("2.0")) as running:
        serving.lab.docker("rename", kept, mine)
        ran = go_on(running)
    assert ran.status == 6, ran.told
    assert f"docker rename {mine} {kept}" in ran.err
    assert serving.containers() == {serving.name, mine}
    serving.lab.docker("rename", mine, kept)
    recovered = serving.recover()
    assert recovered.status == 0, recovered.told
    serving.assert_new(before.tree, "2.0")


def test_a_second_apply_meanwhile_is_busy_and_says_who_and_since_when(serving: UpgradeBench) -> None:
    before = serving.read_data()
    with serving.halted_at("did warm-copy", *serving.apply_line("crash")) as running:
        (run,) = serving.runs()
        second = serving.refloat(*serving.apply_line("2.0"))
        assert second.status == 7, second.told
        assert f"{run} (process {running.pid} on " in second.err
        assert " since 2" in second.err
        recovered = serving.recover()
        assert recovered.status == 7, recovered.told
        assert go_on(running).status == 5
    serving.assert_old(before)


def test_an_apply_from_another_machine_meanwhile_is_refused_and_names_the_run(serving: UpgradeBench) -> None:
    before = serving.read_data()
    with serving.halted_at("did warm-copy", *serving.apply_line("crash")) as running:
        (run,) = serving.runs()
        other = str(serving.home.with_name("other"))
        second = serving.refloat(*serving.apply_line("2.0"), REFLOAT_HOME=other)
        assert second.status == 3, second.told
        assert f"{serving.name}-refloat-next of run {run}" in second.err
        assert go_on(running).status == 5
    serving.assert_old(before)


@pytest.mark.parametrize("boundary", ["did warm-copy", "did stop-container", "did start-successor"])
def test_ctrl_c_goes_back_from_wherever_it_is(serving: UpgradeBench, boundary: str) -> None:
    before = serving.read_data()
    with serving.halted_at(boundary, *serving.apply_line("migrates")) as running:
        running.send_signal(signal.SIGINT)
        ran = go_on(running)
    assert ran.status == 130, ran.told
    serving.assert_old(before)


def test_ctrl_c_twice_while_proving_leaves_it_for_recover(serving: UpgradeBench) -> None:
    before = serving.read_data()
    with serving.halted_at("meant undo:stop-ours", *serving.apply_line("migrates-then-crashes")) as running:
        running.send_signal(signal.SIGINT)
        running.send_signal(signal.SIGTERM)
        ran = go_on(running)
    assert ran.status == 130, ran.told
    assert f"refloat recover {serving.name}" in ran.err
    recovered = serving.recover()
    assert recovered.status == 5, recovered.told
    serving.assert_old(before)


@contextmanager
def small_vault(bench: UpgradeBench) -> Iterator[Callable[[], None]]:
    """A vault of 24 MB, in memory as long as somebody has it mounted; what it gives fills the vault up."""
    options = ("type=tmpfs", "device=tmpfs", "o=size=24m")
    told = [word for option in options for word in ("--opt", option)]
    bench.lab.docker("volume", "create", "--driver", "local", *told, bench.vault)
    with intruder(bench, "--volume", f"{bench.vault}:/v") as holder:
        yield lambda: _fill_up(bench, holder)


def _fill_up(bench: UpgradeBench, holder: str) -> None:
    told = bench.lab.docker("exec", holder, "dd", "if=/dev/zero", "of=/v/filler", "bs=64k", check=False)
    assert "No space left" in told


def test_data_that_does_not_fit_into_the_vault_is_refused_before_anything_is_touched(serving: UpgradeBench) -> None:
    serving.sh("head -c 30000000 /dev/urandom >/data/large")
    before, since = serving.read_data(), serving.field("{{.State.StartedAt}}")
    with small_vault(serving):
        ran = serving.refloat(*serving.apply_line("2.0"))
    assert ran.status == 3, ran.told
    assert serving.field("{{.State.StartedAt}}") == since
    serving.assert_old(before)


def test_a_vault_that_fills_up_under_the_warm_copy_costs_no_downtime(serving: UpgradeBench) -> None:
    before, since = serving.read_data(), serving.field("{{.State.StartedAt}}")
    halted = serving.halted_at("did take-evidence", *serving.apply_line("2.0"))
    with small_vault(serving) as fill_up, halted as running:
        fill_up()
        ran = go_on(running)
    assert ran.status == 5, ran.told
    assert "space" in ran.out
    assert serving.field("{{.State.StartedAt}}") == since
    serving.assert_old(before)


def test_a_vault_that_fills_up_under_the_cold_copy_brings_the_old_version_back(serving: UpgradeBench) -> None:
    halted = serving.halted_at("did warm-copy", *serving.apply_line("2.0"))
    with small_vault(serving) as fill_up, halted as running:
        serving.sh("head -c 300000 /dev/urandom >/data/written-meanwhile")
        before = serving.read_data()
        fill_up()
        ran = go_on(running)
    assert ran.status == 5, ran.told
    assert "space" in ran.out
    serving.assert_old(before)
