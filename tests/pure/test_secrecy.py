"""Which command lines show a secret, and which only say where one is."""

from __future__ import annotations

import shlex

import pytest

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
