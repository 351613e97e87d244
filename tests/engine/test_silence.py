"""Monitors kept quiet about an upgrade on the real engine: Alertmanager, Prometheus' metrics, Nagios, Icinga 2."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest

from tests.engine.upgrade_lab import BUSYBOX, Bench, bench_on
from tests.lab.engines import until

HEAD = """\
targets:
  db:
    container: {name}
    goal: 2.0
    dwell_s: 1
    vault: {name}-vault
    silence:
      - {{kind: alertmanager, url: "http://{name}-am:9093", matchers: {{instance: "~{name}.*"}}, minutes: 20}}
"""
CONFIG = (
    HEAD
    + """\
      - {{kind: textfile, path: /var/tmp/refloat.prom, container: {name}-ne}}
      - {{kind: nagios, command_file: /tmp/nagios.cmd, container: {name}-na, hosts: [{name}]}}
      - {{kind: pushgateway, url: "http://{name}-pg:9091"}}
      - {{kind: pushgateway, url: "http://nobody.invalid:9091"}}
    hooks:
      - {{when: before-verdict, where: tools, argv: [curl, -fsS, "http://{name}-am:9093/api/v2/silences?silenced=true"]}}
      - {{when: before-verdict, where: tools,
         argv: [sh, -c, 'curl -fsS http://{name}-ne:9100/metrics | grep ^refloat_upgrade_running']}}
"""
)
READS = "mkfifo -m 666 /tmp/nagios.cmd; while :; do cat /tmp/nagios.cmd; done"


@pytest.fixture
def bench(lab_images: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    with bench_on(lab_images, tmp_path / "home") as bench:
        name, net = bench.name, f"{bench.name}-net"
        bench.docker("network", "create", net)
        bench.run("refloat-lab/alertmanager:0.28.1", "--network", net, name=f"{name}-am")
        bench.run("refloat-lab/node-exporter:1.9.0", "--network", net, name=f"{name}-ne",
                  command=("--collector.textfile.directory=/var/tmp",))  # fmt: skip
        bench.run("refloat-lab/pushgateway:1.5.1", "--network", net, name=f"{name}-pg")
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


def pushed(bench: Bench) -> dict[str, str]:
    """The same from the Pushgateway, which names the target as a label."""
    ask = ("wget", "-q", "-O", "-", f"http://{bench.name}-pg:9091/metrics")
    told = bench.docker("run", "--rm", "--network", f"{bench.name}-net", BUSYBOX, *ask)
    pairs = (line.rpartition(" ") for line in told.splitlines() if line.startswith("refloat_upgrade_"))
    assert f'target="{bench.name}"' in told
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
    for told in (gauges(bench), pushed(bench)):
        assert (told["running"], told["accepted"]) == ("0", "1")
    until(
        lambda: "DEL_DOWNTIME_BY_HOST_NAME" in bench.docker("logs", f"{bench.name}-na"), "the end in the command file"
    )
    assert f"SCHEDULE_HOST_SVC_DOWNTIME;{bench.name};" in bench.docker("logs", f"{bench.name}-na")

    failed = bench.refloat("apply", "db", "--to", "crash")
    assert failed.status == 5, failed.out + failed.err
    assert (len(silences(bench, "--expired")), silences(bench)) == (2, [])
    assert (gauges(bench)["accepted"], pushed(bench)["accepted"]) == ("0", "0")


REAL = (
    HEAD
    + """\
      - {{kind: nagios, command_file: /opt/nagios/var/rw/nagios.cmd, container: {name}-na, hosts: [localhost]}}
      - {{kind: icinga2, url: "https://{name}-ic:5665", user: refloat, password: !file password, ca: ca.crt,
         hosts: [db]}}
"""
)
ICINGA = """\
object ApiUser "refloat" {{
  password = "{secret}"
  permissions = [ "actions/schedule-downtime", "actions/remove-downtime", "objects/query/Downtime" ]
}}
object Host "db" {{ check_command = "dummy" }}
object Service "disk" {{ host_name = "db", check_command = "dummy" }}
"""
SECRET = "correct-horse-never-shown"
WRITTEN = 'printf "%s" "$LAB" >/data/etc/icinga2/conf.d/lab.conf && exec icinga2 daemon'
QUICKER = (
    "sed -i 's/^status_update_interval=.*/status_update_interval=1/' /opt/nagios/etc/nagios.cfg; exec start_nagios"
)


def start_nagios_and_icinga(bench: Bench, folder: Path) -> None:
    """The real ones: Nagios with its command file, Icinga 2 with its API behind a certificate of its own authority."""
    name, net = bench.name, f"{bench.name}-net"
    bench.docker("rm", "--force", f"{name}-na")
    bench.run("refloat-lab/nagios:4.5.14", "--network", net, name=f"{name}-na", command=("sh", "-c", QUICKER))
    variables = ("ICINGA_MASTER=1", f"ICINGA_CN={name}-ic", f"LAB={ICINGA.format(secret=SECRET)}")
    bench.run("refloat-lab/icinga2:2.14.6", "--network", net, *(f"--env={each}" for each in variables),
              name=f"{name}-ic", command=("sh", "-c", WRITTEN))  # fmt: skip
    until(lambda: "Activated all objects" in bench.docker("logs", f"{name}-ic"), "Icinga runs")
    (folder / "ca.crt").write_text(bench.docker("exec", f"{name}-ic", "cat", "/data/var/lib/icinga2/certs/ca.crt"))
    (folder / "password").write_text(SECRET)
    (folder / "refloat.yaml").write_text(REAL.format(name=name))


def of_icinga(bench: Bench) -> list[tuple[str, str, float]]:
    """Host, service and length in seconds of each downtime, as its API says."""
    url = f"https://{bench.name}-ic:5665/v1/objects/downtimes"
    ask = ("curl", "--silent", "--insecure", "--user", f"refloat:{SECRET}", url)
    told = bench.docker("run", "--rm", "--network", f"{bench.name}-net", "refloat/tools:1", *ask)
    every = [each["attrs"] for each in json.loads(told)["results"]]
    return sorted((each["host_name"], each["service_name"], each["end_time"] - each["start_time"]) for each in every)


def of_nagios(bench: Bench) -> tuple[int, int]:
    """How many downtimes of hosts and of services its status file names."""
    status = bench.docker("exec", f"{bench.name}-na", "cat", "/opt/nagios/var/status.dat", check=False)
    return status.count("hostdowntime {"), status.count("servicedowntime {")


def test_a_runner_that_dies_leaves_real_monitors_quiet_for_a_while_and_recover_lets_them_speak(
    bench: Bench, tmp_path: Path
) -> None:
    start_nagios_and_icinga(bench, tmp_path)
    bench.refloat("apply", "db", REFLOAT_DEBUG_KILL_AT="did stop-container")
    ((state, length),) = silences(bench)  # those that are not over
    assert state == "active"
    assert 0 < length <= 20 * 60
    host, service = of_icinga(bench)
    assert (host[:2], service[:2]) == (("db", ""), ("db", "disk"))
    assert host[2] == 30 * 60
    until(lambda: of_nagios(bench) == (1, 8), "Nagios has the host and its services in a downtime")

    recovered = bench.refloat("recover", bench.name)
    assert recovered.status == 0, recovered.out + recovered.err
    assert "may stay quiet" not in recovered.err
    assert silences(bench) == []
    assert of_icinga(bench) == []
    until(lambda: of_nagios(bench) == (0, 0), "Nagios has none any more")
    kept = "".join(path.read_text() for path in (bench.home / "runs").glob("*/*.json*"))
    assert "Icinga" in kept or "icinga2" in kept
    assert SECRET not in kept + recovered.out + recovered.err
