"""Which command lines show a secret, and which only say where one is."""

from __future__ import annotations

import shlex

import pytest

from runner.config.reading import config_from_yaml
from runner.errors import UsageError
from runner.fitness import probe_from
from runner.secrecy import secret_word


@pytest.mark.parametrize(
    ("line", "named"),
    [
        ("mysqladmin -phunter2 ping", "-p"),
        ("/usr/bin/mariadb-admin ping -phunter2", "-p"),
        ("mysqladmin --password=hunter2 ping", "--password="),
        ("redis-cli -a hunter2 ping", "-a"),
        ("redis-cli --pass hunter2 ping", "--pass"),
        ("curl -fsS http://me:hunter2@localhost/", "the address"),
        ("curl -fsS http://me:hun@ter2@localhost/", "the address"),
        ("sh -c 'PGPASSWORD=hunter2 pg_isready'", "PGPASSWORD="),
        ("api --auth-token hunter2", "--auth-token"),
        ("mysqladmin -p$MYSQL_PASSWORD ping", ""),
        ("sh -c 'mysqladmin -p\"$MYSQL_PASSWORD\" ping'", ""),
        ("sh -c 'PGPASSWORD=$(cat /run/secrets/pg) pg_isready'", ""),
        ("api --token-file /run/secrets/token", ""),
        ("redis-cli -p 6380 ping", ""),
        ("ssh -p22 host", ""),
        ("psql -c 'select count(*) from keys where author = 1'", ""),
        ("pg_isready -U postgres", ""),
    ],
)
def test_a_secret_in_the_clear_is_named_and_never_shown(line: str, named: str) -> None:
    assert secret_word(shlex.split(line)) == named


def test_a_probe_with_a_secret_is_refused_for_its_plan_would_hold_it() -> None:
    with pytest.raises(UsageError) as refused:
        probe_from("cmd:mysqladmin -phunter2 ping")
    assert refused.value.code == "secret-in-probe"
    assert "hunter2" not in str(refused.value)
    pointed = refused.value.then.partition("--probe ")[2]
    assert probe_from(shlex.split(pointed)[0]).kind == "command"


@pytest.mark.parametrize(
    "lines",
    [
        '    probes: ["cmd:mysqladmin -phunter2 ping"]',
        "    evidence: [{kind: command, name: rows, argv: [redis-cli, -a, hunter2, dbsize], compare: equal}]",
        "    hooks: [{when: before-stop, where: host, argv: [api, --token=hunter2]}]",
    ],
)
def test_refloat_yaml_holds_no_secret_in_a_command_and_says_where_one_is(lines: str) -> None:
    with pytest.raises(UsageError, match=r"refloat\.yaml:3.*secret") as refused:
        config_from_yaml(f"targets:\n  db:\n{lines}\n", "refloat.yaml")
    assert "hunter2" not in str(refused.value)
