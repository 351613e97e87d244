"""Trees as monitoring products have them, edited as people edit them, through a change of version."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.refresh.refresh_trees import Thing, grow, picture, refloat_refresh

NAGIOS = """\
# MAIN CONFIGURATION
log_file=/var/log/nagios/nagios.log

cfg_file=/etc/nagios/objects/commands.cfg
cfg_file=/etc/nagios/objects/contacts.cfg

check_for_updates=1
bare_update_check=0

max_concurrent_checks=0
check_result_reaper_frequency=10

retain_state_information=1
use_retained_program_state=1
"""
CONTACTS = """\
define contact {
    contact_name  nagiosadmin
    use           generic-contact
    email         nagios@localhost
}
"""
FEATURE = 'object CheckerComponent "checker" { }\n'

NAGIOS_OLD: dict[str, Thing] = {
    "nagios.cfg": (NAGIOS, 0o644),
    "cgi.cfg": ("use_authentication=1\nrefresh_rate=90\n", 0o644),
    "objects/contacts.cfg": (CONTACTS, 0o644),
    "objects/printer.cfg": ("# a sample\n", 0o644),
    "resource.cfg": ("$USER1$=/usr/lib/nagios/plugins\n", 0o644),
}
NAGIOS_NEW: dict[str, Thing] = {
    **{name: thing for name, thing in NAGIOS_OLD.items() if name != "objects/printer.cfg"},
    "nagios.cfg": (NAGIOS.replace("check_for_updates=1", "check_for_updates=0") + "worker_limit=0\n", 0o644),
    "cgi.cfg": ("use_authentication=1\nrefresh_rate=30\n", 0o644),
    "resource.cfg": ("$USER1$=/usr/lib/nagios/plugins\n", 0o640),
    "objects/timeperiods.cfg": ("# new\n", 0o644),
}


@pytest.fixture
def nagios(tmp_path: Path) -> Path:
    grow(tmp_path / "old", NAGIOS_OLD)
    grow(tmp_path / "new", NAGIOS_NEW)
    edited = NAGIOS.replace("max_concurrent_checks=0", "max_concurrent_checks=64").replace("/var/log/nagios/", "/data/")
    mine: dict[str, Thing] = {
        "nagios.cfg": (edited, 0o644),
        "objects/contacts.cfg": (CONTACTS.replace("nagios@localhost", "ops@example.org"), 0o600),
        "objects/my-hosts.cfg": ("define host { host_name mine }\n", 0o644),
    }
    return grow(tmp_path / "tree", NAGIOS_OLD | mine)


def arguments(tree: Path) -> list[str]:
    return ["--old", str(tree.parent / "old"), "--new", str(tree.parent / "new"), "--tree", str(tree)]


def test_nagios_keeps_every_edit_and_gets_every_new_default(nagios: Path) -> None:
    done = refloat_refresh(*arguments(nagios))
    assert done.output.splitlines()[:-1] == [
        " * Updated        cgi.cfg",
        " * Merged         nagios.cfg",
        " * Permissions    0644 -> 0640 resource.cfg",
        " * Installed file objects/timeperiods.cfg",
        " * Vanished       objects/printer.cfg",
    ]
    merged = (nagios / "nagios.cfg").read_text()
    for line in ("max_concurrent_checks=64", "log_file=/data/nagios.log", "check_for_updates=0", "worker_limit=0"):
        assert f"{line}\n" in merged
    assert picture(nagios)["objects/contacts.cfg"][1] == 0o600
    assert (nagios / "objects/my-hosts.cfg").exists()


def test_the_preview_of_nagios_shows_the_merge_as_a_diff(nagios: Path) -> None:
    said = refloat_refresh(*arguments(nagios), "--preview").output
    assert "   -check_for_updates=1\n   +check_for_updates=0\n" in said
    assert "+max_concurrent_checks" not in said


def test_icinga_keeps_the_features_people_switched_on_and_off(tmp_path: Path) -> None:
    available = {f"features-available/{name}.conf": FEATURE for name in ("api", "checker", "mainlog", "notification")}
    on = {f"features-enabled/{name}.conf@": f"../features-available/{name}.conf" for name in ("checker", "mainlog")}
    grow(tmp_path / "old", {**available, **on})
    grow(tmp_path / "new", {**available, **on, "features-available/checker.conf": FEATURE + "// new\n"})
    tree = grow(tmp_path / "tree", {**available, **on})
    (tree / "features-enabled/mainlog.conf").unlink()
    (tree / "features-enabled/api.conf").symlink_to("../features-available/api.conf")
    done = refloat_refresh(*arguments(tree))
    assert done.output.splitlines()[:-1] == [
        " * Updated        features-available/checker.conf",
        " * Unwanted       features-enabled/mainlog.conf (unchanged, removed by you)",
    ]
    assert sorted(path.name for path in (tree / "features-enabled").iterdir()) == ["api.conf", "checker.conf"]


def test_a_single_file_of_rules_that_collides_is_shown_with_both_sides(tmp_path: Path) -> None:
    rules = "groups:\n- name: a\n  interval: {}\n"
    for name, interval in (("old", "15s"), ("new", "30s"), ("tree", "1m")):
        grow(tmp_path / name, {"prometheus.yml": rules.format(interval)})
    done = refloat_refresh(*arguments(tmp_path / "tree"), "--preview", "--json")
    report = json.loads(done.output)
    assert [question["path"] for question in report["open"]] == ["prometheus.yml"]
    assert "-  interval: 1m\n+  interval: 30s\n" in report["paths"][0]["diff"]
