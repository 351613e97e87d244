"""New default configuration in real upgrades: edits stay, defaults come in, what the new version refuses goes back."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from runner.journal import Runs
from tests.engine.upgrade_lab import BUSYBOX, Bench, bench_on

CONFIG = """global:
  scrape_interval: 1s
  evaluation_interval: {evaluation}

scrape_configs:
  - job_name: {job}
    static_configs:
      - targets: ["localhost:9090"]
"""
ALERTS = """route:
  receiver: {receiver}
receivers:
  - name: {receiver}
"""


@pytest.fixture
def bench(lab_images: str, tmp_path: Path) -> Iterator[Bench]:
    with bench_on(lab_images, tmp_path / "home") as bench:
        yield bench


def image_with(bench: Bench, product: str, tag: str, files: dict[str, str], folder: Path) -> str:
    """A lab image with other default configuration, as the vendor's next release would have it."""
    image = f"{bench.name}/{product}:{tag}"
    donor = bench.docker("create", f"refloat-lab/{product}:{tag}")
    for name, text in files.items():
        path = folder / name
        path.write_text(text)
        path.chmod(0o644)
        bench.docker("cp", str(path), f"{donor}:/etc/{product}/{name}")
    bench.docker("commit", donor, image)
    bench.docker("rm", "--volumes", donor)
    return image


def prometheus(bench: Bench, folder: Path, new: dict[str, str]) -> None:
    """A target on the older release, its configuration in a volume and edited; ``new`` are the newer one's defaults."""
    defaults = {"prometheus.yml": CONFIG.format(evaluation="15s", job="prometheus")}
    old = image_with(bench, "prometheus", "2.42.0", defaults, folder)
    image_with(bench, "prometheus", "2.53.3", new, folder)
    run_with_configuration(bench, old, "prometheus")
    edit(bench, "prometheus.yml", CONFIG.format(evaluation="15s", job="mine"))


def run_with_configuration(bench: Bench, image: str, product: str) -> None:
    bench.run(image, "--volume", f"{bench.name}-conf:/etc/{product}", "--volume", f"{bench.data}:/{product}")


def shell(bench: Bench, script: str) -> str:
    return bench.docker(
        "run", "--rm", "--volume", f"{bench.name}-conf:/conf", BUSYBOX, "sh", "-c", f"cd /conf\n{script}"
    )


def edit(bench: Bench, name: str, text: str) -> None:
    shell(bench, f"cat >{name} <<'END'\n{text}END\n")


def tree(bench: Bench) -> str:
    """Everything in the volume of the configuration: names, modes, owners and contents."""
    return shell(
        bench, "find . -exec stat -c '%n %F %a %u %g' {} + | sort && find . -type f -exec sha256sum {} + | sort"
    )


def test_edits_stay_and_new_defaults_come_in_and_the_way_back_brings_all_back(bench: Bench, tmp_path: Path) -> None:
    config = CONFIG.format(evaluation="10s", job="prometheus")
    prometheus(bench, tmp_path, {"prometheus.yml": config, "rules.yml": "groups: []\n"})
    before = tree(bench)
    rehearsed = bench.refloat("rehearse", bench.name, "--to", "2.53.3", "--vault", bench.vault, "--quick")
    assert (rehearsed.status, tree(bench)) == (0, before), rehearsed.out + rehearsed.err
    said = bench.upgraded("--to", "2.53.3").err
    assert "refresh configuration /etc/prometheus (Installed file 1, Merged 1)" in said
    assert "check the configuration with the new version's own “promtool check config" in said
    assert shell(bench, "cat prometheus.yml").strip() == CONFIG.format(evaluation="10s", job="mine").strip()
    assert shell(bench, "cat rules.yml") == "groups: []"
    told = bench.refloat("show", Runs(bench.home).all()[0]).out
    assert "* Merged         prometheus.yml" in told
    assert "+  evaluation_interval: 10s" in told
    back = bench.refloat("rollback", bench.name, "--yes")
    assert (back.status, tree(bench)) == (0, before), back.out + back.err


def test_what_the_new_versions_own_checker_refuses_is_put_back_before_the_start(bench: Bench, tmp_path: Path) -> None:
    broken = CONFIG.format(evaluation="15s", job="prometheus") + "no_such_setting: true\n"
    prometheus(bench, tmp_path, {"prometheus.yml": broken})
    before = tree(bench)
    ran = bench.apply("--to", "2.53.3")
    assert ran.status == 5, ran.out + ran.err
    assert "no_such_setting" in ran.out
    assert tree(bench) == before
    assert "start the successor" not in ran.err
    assert bench.target.state.running


def test_a_conflict_is_answered_before_or_nothing_begins(bench: Bench, tmp_path: Path) -> None:
    old = image_with(bench, "alertmanager", "0.25.0", {"alertmanager.yml": ALERTS.format(receiver="nobody")}, tmp_path)
    image_with(bench, "alertmanager", "0.28.1", {"alertmanager.yml": ALERTS.format(receiver="nowhere")}, tmp_path)
    run_with_configuration(bench, old, "alertmanager")
    edit(bench, "alertmanager.yml", ALERTS.format(receiver="somebody"))
    before = tree(bench)
    refused = bench.plan("--to", "0.28.1", "--json")
    assert (refused.status, refused.error) == (3, "refresh-unanswered")
    left = json.loads(bench.plan("--to", "0.28.1", "--no-refresh", "--json").out)
    assert "refresh-configuration" not in [step["kind"] for step in left["steps"]]
    bench.upgraded("--to", "0.28.1", "--conflict", "keepold")
    kept = [line for line in tree(bench).splitlines() if "/.refloat-defaults" not in line]
    assert kept == before.splitlines()
