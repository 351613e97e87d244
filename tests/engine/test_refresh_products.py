"""Debian's Nagios and Icinga 2, edited as people edit them: refreshed in upgrades that their own checkers watch."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from runner.journal import Runs
from tests.engine.upgrade_lab import Bench, bench_on
from tests.lab.engines import until

NAGIOS = "/opt/nagios"
ICINGA = "/data/etc/icinga2"
EDITS = f"""cd {NAGIOS}/etc
sed -i 's,^max_concurrent_checks=.*,max_concurrent_checks=64,; s,^admin_email=.*,admin_email=ops@example.org,' *.cfg
sed -i 's,nagios@localhost,ops@example.org,' objects/contacts.cfg
sed -i '/^ *retry_interval  *1  .*service/ s,1  ,2  ,' objects/templates.cfg
rm objects/printer.cfg
printf 'define host {{\\n use linux-server\\n host_name mine\\n address 127.0.0.1\\n}}\\n' >conf.d/mine.cfg
"""
FEATURES = f"""icinga2 feature enable statusdata
cd {ICINGA}
sed -i 's,^object.*{{,&\\n  update_interval = 30s,' features-available/statusdata.conf
sed -i 's,max_check_attempts = 3,max_check_attempts = 7,' conf.d/templates.conf
rm features-enabled/notification.conf
"""


@pytest.fixture
def bench(lab_images: str, tmp_path: Path) -> Iterator[Bench]:
    with bench_on(lab_images, tmp_path / "home") as bench:
        yield bench


def nagios(bench: Bench) -> None:
    volumes = ("--volume", f"{bench.name}-conf:{NAGIOS}/etc", "--volume", f"{bench.data}:{NAGIOS}/var")
    bench.run("refloat-lab/nagios:4.4.6", *volumes)
    until(lambda: "launched command file worker" in bench.docker("logs", bench.name), "Nagios started")
    bench.exec("sh", "-c", EDITS)
    bench.docker("restart", bench.name)
    until(lambda: f"{NAGIOS}/var/status.dat" in bench.exec("sh", "-c", f"ls {NAGIOS}/var/*"), "Nagios has a state")


def resolved(half_merged: str) -> str:
    """Both sides of every conflict, as a person would write them: the user's line, then the default's others."""
    lines, side = [], ""
    for line in half_merged.splitlines(keepends=True):
        if line.startswith(("<<<<<<<", "=======", ">>>>>>>")):
            side = {"<": "yours", "=": "theirs", ">": ""}[line[0]]
        elif side != "theirs" or "retry_interval" not in line:
            lines.append(line)
    return "".join(line for line in lines if side or "DONT REGISTER" not in line or "SERVICE" not in line)


def answers(bench: Bench, goal: str, folder: Path) -> str:
    """A file with the one open conflict of the target merged by hand."""
    told = json.loads(bench.refloat("refresh", bench.name, "--to", goal, "--json").out)
    (question,) = told["open"]
    answer = {key: question[key] for key in ("path", "question", "fingerprint")}
    text = resolved(question["half_merged"])
    path = folder / "answers.json"
    path.write_text(json.dumps({"version": 1, "answers": [{**answer, "choice": "keep", "text": text}]}))
    return str(path)


def test_nagios_gets_the_new_defaults_and_keeps_what_people_changed(bench: Bench, tmp_path: Path) -> None:
    nagios(bench)
    refused = bench.plan("--to", "4.5.14", "--json")
    assert (refused.status, refused.error) == (3, "refresh-unanswered")
    goal = ("--to", "4.5.14", "--answers", answers(bench, "4.5.14", tmp_path))
    rehearsed = bench.refloat("rehearse", bench.name, *goal, "--vault", bench.vault, "--quick", "--dwell", "1")
    assert rehearsed.status == 0, rehearsed.out + rehearsed.err
    assert "check_for_updates=1" in bench.exec("cat", f"{NAGIOS}/etc/nagios.cfg")
    ran = bench.upgraded(*goal)
    assert "check the refreshed configuration, on a copy" in ran.err
    config = bench.exec("cat", f"{NAGIOS}/etc/nagios.cfg")
    for line in ("max_concurrent_checks=64", "admin_email=ops@example.org", "check_for_updates=0",
                 "#	$NOTIFICATIONAUTHORALIAS$"):  # fmt: skip
        assert f"{line}\n" in config
    templates = bench.exec("cat", f"{NAGIOS}/etc/objects/templates.cfg")
    assert "<<<<<<<" not in templates
    assert "retry_interval                  2" in templates
    assert "DON'T REGISTER THIS DEFINITION" in templates
    assert "ops@example.org" in bench.exec("cat", f"{NAGIOS}/etc/objects/contacts.cfg")
    assert "printer.cfg" not in bench.exec("ls", f"{NAGIOS}/etc/objects")
    assert "host_name\tmine" in bench.exec("cat", f"{NAGIOS}/var/objects.cache")


def icinga(bench: Bench) -> None:
    named = ("--hostname", "monitor", "--env", "ICINGA_MASTER=1", "--env", "ICINGA_CN=monitor")
    bench.run("refloat-lab/icinga2:2.13.6", *named, "--volume", f"{bench.data}:/data")
    until(lambda: "Activated all objects" in bench.docker("logs", bench.name), "Icinga 2 started")


def test_icinga_is_not_stopped_for_a_feature_that_the_new_version_has_no_more(bench: Bench) -> None:
    icinga(bench)
    bench.exec("sh", "-c", FEATURES)
    started = bench.target.state.started_at
    ran = bench.apply("--to", "2.14.6", "--conflict", "keepold")
    assert ran.status == 5, ran.out + ran.err
    assert "StatusDataWriter" in ran.out
    assert bench.target.state.started_at == started

    bench.upgraded("--to", "2.14.6", "--conflict", "install")
    assert "notification_servicenotes" in bench.exec("cat", f"{ICINGA}/conf.d/commands.conf")
    assert "max_check_attempts = 7" in bench.exec("cat", f"{ICINGA}/conf.d/templates.conf")
    features = bench.exec("ls", f"{ICINGA}/features-available", f"{ICINGA}/features-enabled").split()
    assert "journald.conf" in features
    assert features.count("notification.conf") == 1
    shown = bench.refloat("show", Runs(bench.home).all()[0]).out
    assert "Removed        features-available/statusdata.conf" in shown
    assert "-  update_interval = 30s" in shown
