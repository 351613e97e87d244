"""An engine behind ssh: the command we give, and what is said when ssh cannot get there."""

from __future__ import annotations

import pytest

from runner.engine.docker import connect_engine
from runner.engine.tunnel import ssh_command
from runner.errors import EngineUnreachable


def test_the_socket_is_forwarded_with_the_users_own_ssh() -> None:
    command = ssh_command("ssh://admin@box:2222", "/tmp/s")
    assert command[:2] == ("ssh", "-T")
    assert command[command.index("-p") + 1] == "2222"
    assert command[-5:] == ("-L", "/tmp/s:/var/run/docker.sock", "--", "admin@box", "cat")


def test_another_socket_can_be_named() -> None:
    assert "/tmp/s:/run/podman.sock" in ssh_command("ssh://box/run/podman.sock", "/tmp/s")


def test_a_host_that_looks_like_an_option_stays_a_host() -> None:
    command = ssh_command("ssh://-oProxyCommand=x", "/tmp/s")
    assert command[-3] == "--"


def test_a_url_without_a_host_is_refused() -> None:
    with pytest.raises(EngineUnreachable) as nowhere:
        ssh_command("ssh://", "/tmp/s")
    assert nowhere.value.code == "engine-address"


def test_a_host_that_does_not_answer_is_said_with_what_to_type() -> None:
    with pytest.raises(EngineUnreachable) as refused:
        connect_engine("ssh://127.0.0.1:1")
    assert refused.value.then != ""
