"""Monitors kept quiet about an upgrade on the real engine: Alertmanager, node-exporter's textfiles, a command file."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest

from tests.engine.upgrade_lab import BUSYBOX, Bench, bench_on
from tests.lab.engines import until

CONFIG = """\
targets:
  db:
    container: {name}
    goal: 2.0
    dwell_s: 1
    vault: {name}-vault
    silence:
      - {{kind: alertmanager, url: "http://{name}-am:9093", matchers: {{instance: "~{name}.*"}}, minutes: 20}}
      - {{kind: textfile, path: /var/tmp/refloat.prom, container: {name}-ne}}
      - {{kind: nagios, command_file: /tmp/nagios.cmd, container: {name}-na, hosts: [{name}]}}
      - {{kind: pushgateway, url: "http://nobody.invalid:9091"}}
    hooks:
      - {{when: before-verdict, where: tools, argv: [curl, -fsS, "http://{name}-am:9093/api/v2/silences?silenced=true"]}}
      - {{when: before-verdict, where: tools,
         argv: [sh, -c, 'curl -fsS http://{name}-ne:9100/metrics | grep ^refloat_upgrade_running']}}
"""
READS = "mkfifo -m 666 /tmp/nagios.cmd; while :; do cat /tmp/nagios.cmd; done"


@pytest.fixture
def bench(lab_images: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    with bench_on(lab_images, tmp_path / "home") as bench:
        name, net = bench.name, f"{bench.name}-net"
        bench.docker("network", "create", net)
        bench.run("refloat-lab/alertmanager:0.28.1", "--network", net, name=f"{name}-am")
        bench.run("refloat-lab/node-exporter:1.9.0", "--network", net, name=f"{name}-ne",
                  command=("--collector.textfile.directory=/var/tmp",))  # fmt: skip
        bench.run(BUSYBOX, "--network", net, "--init", name=f"{name}-na", command=("sh", "-c", READS))
        bench.target_with_data("refloat-lab/misbehave:1.0", "--network", net)
        config = tmp_path / "refloat.yaml"
        config.write_text(CONFIG.format(name=name))
        monkeypatch.setenv("REFLOAT_CONFIG", str(config))
        yield bench


def silences(bench: Bench, *options: str) -> list[tuple[str, float]]:
    """State and length in seconds of what Alertmanager has, by its own tool."""
    line = ("exec", f"{bench.name}-am", "amtool", "--alertmanager.url=http://localhost:9093", "silence", "query",
            *options, "-o", "json")  # fmt: skip
    every = json.loads(bench.docker(*line))
    moments = [[datetime.fromisoformat(each[key]) for key in ("startsAt", "endsAt")] for each in every]
    lengths = [(last - first).total_seconds() for first, last in moments]
    return sorted((each["status"]["state"], length) for each, length in zip(every, lengths, strict=True))


def gauges(bench: Bench) -> dict[str, str]:
    """The last words of each metric in node-exporter's folder."""
    lines = bench.docker("exec", f"{bench.name}-ne", "cat", "/var/tmp/refloat.prom").splitlines()
    pairs = (line.rpartition(" ") for line in lines if not line.startswith("#"))
    return {left.partition("{")[0].removeprefix("refloat_upgrade_"): value for left, _, value in pairs}


def test_monitors_are_quiet_during_the_upgrade_and_speak_again_after_it_whatever_its_end(bench: Bench) -> None:
    done = bench.refloat("apply", "db")
    assert done.status == 0, done.out + done.err
    assert "! the monitor (Pushgateway) was not kept quiet: curl: (6)" in done.err
    assert "the monitor (Alertmanager) was" not in done.err
    journal = "".join(path.read_text() for path in (bench.home / "runs").glob("*/journal.jsonl"))
    assert '\\"state\\":\\"active\\"' in journal
    assert "refloat_upgrade_running{" in journal
    (one,) = silences(bench, "--expired")
    assert one[0] == "expired"
    assert one[1] < 20 * 60
    assert (gauges(bench)["running"], gauges(bench)["accepted"]) == ("0", "1")
    until(
        lambda: "DEL_DOWNTIME_BY_HOST_NAME" in bench.docker("logs", f"{bench.name}-na"), "the end in the command file"
    )
    assert f"SCHEDULE_HOST_SVC_DOWNTIME;{bench.name};" in bench.docker("logs", f"{bench.name}-na")

    failed = bench.refloat("apply", "db", "--to", "crash")
    assert failed.status == 5, failed.out + failed.err
    assert (len(silences(bench, "--expired")), silences(bench)) == (2, [])
    assert gauges(bench)["accepted"] == "0"


def test_a_runner_that_dies_leaves_a_silence_that_ends_by_itself(bench: Bench) -> None:
    bench.refloat("apply", "db", REFLOAT_DEBUG_KILL_AT="did stop-container")
    ((state, length),) = silences(bench)  # those that are not over
    assert state == "active"
    assert 0 < length <= 20 * 60
    recovered = bench.refloat("recover", bench.name)
    assert recovered.status == 0, recovered.out + recovered.err
    assert silences(bench) == []
