"""New default configuration in real upgrades: edits stay, defaults come in, what the new version refuses goes back."""

from __future__ import annotations

import json
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from runner.journal import Runs
from tests.engine.upgrade_lab import BUSYBOX, Bench, bench_on
from tests.refresh.refresh_person import PROMPT, Person, editor

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
    rehearsed = bench.refloat(
        "rehearse", bench.name, "--to", "2.53.3", "--vault", bench.vault, "--quick", "--dwell", "1"
    )
    assert (rehearsed.status, tree(bench)) == (0, before), rehearsed.out + rehearsed.err
    said = bench.upgraded("--to", "2.53.3").err
    assert "refresh configuration /etc/prometheus (Installed file 1, Merged 1)" in said
    assert "check the refreshed configuration, on a copy, with the new version's own “promtool check config" in said
    assert shell(bench, "cat prometheus.yml").strip() == CONFIG.format(evaluation="10s", job="mine").strip()
    assert shell(bench, "cat rules.yml") == "groups: []"
    told = bench.refloat("show", Runs(bench.home).all()[0]).out
    assert "* Merged         prometheus.yml" in told
    assert "+  evaluation_interval: 10s" in told
    back = bench.refloat("rollback", bench.name, "--yes")
    assert (back.status, tree(bench)) == (0, before), back.out + back.err


def test_what_the_new_versions_own_checker_refuses_of_the_merge_is_found_before_the_old_one_is_stopped(
    bench: Bench, tmp_path: Path
) -> None:
    broken = CONFIG.format(evaluation="15s", job="prometheus") + "no_such_setting: true\n"
    prometheus(bench, tmp_path, {"prometheus.yml": broken})
    before, started = tree(bench), bench.target.state.started_at
    ran = bench.apply("--to", "2.53.3")
    assert ran.status == 5, ran.out + ran.err
    assert "no_such_setting" in ran.out
    assert (tree(bench), bench.target.state.started_at) == (before, started)
    assert "refloat-draft" not in bench.docker("volume", "ls")


def alertmanager(bench: Bench, folder: Path) -> None:
    """A target whose owner and vendor have changed the same line."""
    old = image_with(bench, "alertmanager", "0.25.0", {"alertmanager.yml": ALERTS.format(receiver="nobody")}, folder)
    image_with(bench, "alertmanager", "0.28.1", {"alertmanager.yml": ALERTS.format(receiver="nowhere")}, folder)
    run_with_configuration(bench, old, "alertmanager")
    bench.acknowledge("0.27.0", "api-v1")
    edit(bench, "alertmanager.yml", ALERTS.format(receiver="somebody"))


def answered(bench: Bench, folder: Path, text: str) -> str:
    """A file that answers the open conflict with this text, made as a program makes it."""
    told = json.loads(bench.refloat("refresh", bench.name, "--to", "0.28.1", "--json").out)
    (question,) = told["open"]
    assert "<<<<<<< yours" in question["half_merged"]
    answer = {key: question[key] for key in ("path", "question", "fingerprint")}
    path = folder / "answers.json"
    path.write_text(json.dumps({"version": 1, "answers": [{**answer, "choice": "keep", "text": text}]}))
    return str(path)


def typed(bench: Bench, folder: Path, text: str) -> str:
    """The same by a person at a terminal, who edits the half-merged file and accepts it."""
    path = folder / "answers.json"
    place = {"DOCKER_HOST": bench.host, "REFLOAT_HOME": str(bench.home)}
    place["EDITOR"] = editor(folder, f"cat >\"$1\" <<'END'\n{text}END")
    with Person([bench.name, "--to", "0.28.1", "--save-answers", str(path)], place) as person:
        for key in "ek":
            person.sees(PROMPT)
            person.presses(key)
        status, shown = person.leaves()
    assert status == 0, shown
    assert "Merged         alertmanager.yml (as you accepted it)" in shown
    return str(path)


def test_a_conflict_is_answered_before_or_nothing_begins(bench: Bench, tmp_path: Path) -> None:
    alertmanager(bench, tmp_path)
    refused = bench.plan("--to", "0.28.1", "--json")
    assert (refused.status, refused.error) == (3, "refresh-unanswered")
    left = json.loads(bench.plan("--to", "0.28.1", "--no-refresh", "--json").out)
    assert "refresh-configuration" not in [step["kind"] for step in left["steps"]]
    answers = typed(bench, tmp_path, ALERTS.format(receiver="both"))
    plan = str(tmp_path / "plan.json")
    planned = bench.plan("--to", "0.28.1", "--answers", answers, "--dwell", "1", "--out", plan)
    assert planned.status == 0, planned.out + planned.err
    assert "receiver: both" not in Path(plan).read_text()
    texts_missing = bench.refloat("apply", plan, "--json")
    assert (texts_missing.status, texts_missing.error) == (2, "no-texts")
    applied = bench.refloat("apply", plan, "--answers", answers)
    assert applied.status == 0, applied.out + applied.err
    assert "on a copy, with the new version's own “amtool check-config" in applied.err
    assert shell(bench, "cat alertmanager.yml").strip() == ALERTS.format(receiver="both").strip()


def test_an_answer_to_what_changed_since_turns_back_before_anything_is_stopped(bench: Bench, tmp_path: Path) -> None:
    alertmanager(bench, tmp_path)
    plan = str(tmp_path / "plan.json")
    answers = answered(bench, tmp_path, ALERTS.format(receiver="both"))
    assert bench.plan("--to", "0.28.1", "--answers", answers, "--dwell", "1", "--out", plan).status == 0
    edit(bench, "alertmanager.yml", ALERTS.format(receiver="another"))
    before, started = tree(bench), bench.target.state.started_at
    ran = bench.refloat("apply", plan, "--answers", answers)
    assert ran.status == 5, ran.out + ran.err
    assert "was given to another conflict" in ran.out
    assert (tree(bench), bench.target.state.started_at) == (before, started)


@pytest.mark.parametrize("boundary", ["meant refresh-configuration", "performed refresh-configuration"])
def test_a_runner_that_dies_at_the_refresh_leaves_what_recover_brings_back(bench: Bench, tmp_path: Path,
                                                                           boundary: str) -> None:  # fmt: skip
    alertmanager(bench, tmp_path)
    before = tree(bench)
    ran = bench.refloat("apply", bench.name, "--to", "0.28.1", "--vault", bench.vault, "--conflict", "install",
                        REFLOAT_DEBUG_KILL_AT=boundary)  # fmt: skip
    assert ran.status == -signal.SIGKILL, ran.err
    recovered = bench.refloat("recover", bench.name, "--vault", bench.vault)
    assert recovered.status in (0, 5), recovered.out + recovered.err
    assert tree(bench) == before
    assert bench.target.image_ref.endswith(":0.25.0")
    assert bench.target.state.running


def test_a_configuration_the_new_version_refuses_is_found_before_the_old_one_is_stopped(
    bench: Bench, tmp_path: Path
) -> None:
    rules = "groups:\n- name: g\n  rules:\n  - record: r\n    expr: holt_winters(up[1h], 0.5, 0.5)\n"
    prometheus(bench, tmp_path, {})
    edit(bench, "prometheus.yml", CONFIG.format(evaluation="15s", job="mine") + "rule_files: [rules.yml]\n")
    edit(bench, "rules.yml", rules)
    started = bench.target.state.started_at
    bench.acknowledge("3.0.0", "three-flags", "content-type", "le-labels")
    ran = bench.apply("--image", "refloat-lab/prometheus:3.5.3", "--no-refresh")
    assert ran.status == 5, ran.out + ran.err
    assert "holt_winters" in ran.out
    assert "--unchecked" in ran.out
    assert bench.target.state.started_at == started


def test_a_check_that_does_not_suit_a_setup_is_left_out_when_asked(bench: Bench, tmp_path: Path) -> None:
    """Prometheus runs on it; its checker insists on the file."""
    job = "  - job_name: j\n    authorization: {credentials_file: /run/nowhere/token}\n    static_configs: []\n"
    prometheus(bench, tmp_path, {})
    edit(bench, "prometheus.yml", CONFIG.format(evaluation="15s", job="mine") + job)
    goal = ("--image", "refloat-lab/prometheus:2.53.3", "--no-refresh")
    assert bench.apply(*goal).status == 5
    bench.upgraded(*goal, "--unchecked")
