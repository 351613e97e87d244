"""A target with volumes, a folder and a single file of the host: one set, upgraded and brought back together."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.engine.upgrade_bench import UpgradeBench, go_on, laid_out
from tests.lab.engines import ENGINE_SH, Lab

FILL = """echo 1 >/more/a; mkdir /more/sub; ln /more/a /more/sub/b; echo 2 >/conf/c; chown 7:8 /conf/c
chmod 600 /etc/one.conf"""
CHANGE = (
    "echo 9 >>/more/a; rm -r /more/sub; echo 9 >/conf/new; rm /conf/c; echo 9 >/etc/one.conf; echo 9 >/data/a-first"
)
PORTRAIT = """cd /; find data more conf etc/one.conf ! -path data/journal -exec stat -c '%n %F %a %u %g %h' {} +
find data more conf etc/one.conf -type f ! -path data/journal -exec sha256sum {} +"""


@pytest.fixture
def bench(lab_images: str, tmp_path: Path) -> Iterator[UpgradeBench]:
    with laid_out(Lab(ENGINE_SH.parent, lab_images), tmp_path) as bench:
        (tmp_path / "conf").mkdir()
        (tmp_path / "one.conf").write_text("setting: 1\n")
        mounts = (f"{bench.name}-more:/more", f"{tmp_path}/conf:/conf", f"{tmp_path}/one.conf:/etc/one.conf")
        bench.run_target("always", *(f"--volume={mount}" for mount in mounts))
        bench.sh(FILL)
        yield bench


def portrait(bench: UpgradeBench) -> list[str]:
    return sorted(bench.sh(PORTRAIT).splitlines())


def test_all_of_it_is_sealed_as_one_set_and_goes_back_with_the_version(bench: UpgradeBench) -> None:
    before = portrait(bench)
    upgraded = bench.refloat(*bench.apply_line("2.0"))
    assert upgraded.status == 0, upgraded.told
    sealed = json.loads(bench.refloat("verify", bench.name, "--vault", bench.vault, "--json").out)
    assert {source["destination"] for source in sealed["sources"]} == {"/data", "/more", "/conf", "/etc/one.conf"}
    bench.sh(CHANGE)
    back = bench.refloat("rollback", bench.name, "--yes")
    assert back.status == 0, back.told
    assert bench.image.endswith(":1.0")
    assert portrait(bench) == before


def test_all_of_it_is_as_it_was_after_a_failure(bench: UpgradeBench, tmp_path: Path) -> None:
    before = portrait(bench)
    line = bench.apply_line("migrates-then-crashes")
    with bench.halted_at("meant undo:restore-data", *line) as running:
        (tmp_path / "conf/c").write_text("spoilt\n")
        (tmp_path / "one.conf").write_text("spoilt\n")
        ran = go_on(running)
    assert ran.status == 5, ran.told
    assert portrait(bench) == before
