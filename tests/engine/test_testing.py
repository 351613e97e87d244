"""People's own tests against the upgraded copy: the plugin run as they run it, in a pytest of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

OLD, NEW, CRASHES = "refloat-lab/busybox:1", "refloat-lab/busybox:2", "refloat-lab/misbehave:crash"
SERVE = """mkdir -p /data/www
[ -e /data/www/index.html ] || echo written by the old one > /data/www/index.html
trap 'exit 0' TERM
httpd -f -p 8000 -h /data/www & wait"""
THEIR_TESTS = """
import socket
from urllib.request import urlopen

import pytest

from runner.testing import upgraded_copy


def test_the_copy_answers_with_the_data(upgraded):
    url = f"http://{upgraded.get_container_host_ip()}:{upgraded.get_exposed_port(8000)}/index.html"
    for _ in range(3):
        with urlopen(url, timeout=60) as answer:
            assert answer.read() == b"written by the old one\\n"


def test_who_speaks_first_is_heard_from_its_first_byte(upgraded):
    upgraded.exec(["sh", "-c", "echo 'echo hello; exec cat' >/tmp/greet"])
    upgraded.exec(["sh", "-c", "nc -ll -p 7777 -e sh /tmp/greet >/dev/null 2>&1 &"])
    port = upgraded.get_exposed_port(7777)
    for _ in range(5):
        with socket.create_connection((upgraded.get_container_host_ip(), port), timeout=60) as line:
            heard = line.makefile("rb")
            assert heard.readline() == b"hello\\n"
            line.sendall(b"again\\n")
            assert heard.readline() == b"again\\n"


def test_the_api_is_the_one_they_know(upgraded):
    assert upgraded.exec(["cat", "/data/www/index.html"]).output == b"written by the old one\\n"
    assert upgraded.exec(["sh", "-c", "echo spoilt > /data/www/index.html"]).exit_code == 0
    assert upgraded.get_wrapped_container().status == "running"
    assert upgraded.rehearsal.new.endswith("2")
"""


@pytest.fixture
def target(engine_host: str) -> Iterator[str]:
    name = f"plugin-{uuid.uuid4().hex[:6]}"
    docker(engine_host, "run", "--detach", "--name", name, "--volume", f"{name}:/data", OLD, "sh", "-c", SERVE)
    yield name
    docker(engine_host, "rm", "--force", "--volumes", name)
    docker(engine_host, "volume", "rm", name)


def docker(host: str, *line: str) -> str:
    return subprocess.run(["docker", "--host", host, *line], capture_output=True, text=True, check=True).stdout.strip()


def their_pytest(host: str, folder: Path, tests: str, *line: str) -> subprocess.CompletedProcess[str]:
    (folder / "test_theirs.py").write_text(tests, encoding="utf-8")
    own = json.loads((folder / "refloat.yaml").read_text()) if (folder / "refloat.yaml").exists() else {}
    (folder / "refloat.yaml").write_text(json.dumps({"defaults": {"dwell_s": 0}, **own}), encoding="utf-8")
    env = {
        **os.environ,
        "DOCKER_HOST": host,
        "REFLOAT_HOME": str(folder / "home"),
        "TESTCONTAINERS_RYUK_DISABLED": "true",
    }
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--rootdir", str(folder), str(folder), *line]
    return subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, timeout=600)


def left_of(host: str, name: str) -> str:
    listed = docker(host, "ps", "--all", "--filter", f"name={name}", "--format", "{{.Names}}").splitlines()
    return " ".join(each for each in listed if each != name)


def test_their_tests_run_against_the_upgraded_copy_and_nothing_is_left(
    engine_host: str, target: str, tmp_path: Path
) -> None:
    before = docker(engine_host, "inspect", "--format", "{{.Id}} {{.State.StartedAt}}", target)
    ran = their_pytest(engine_host, tmp_path, THEIR_TESTS, "--refloat-target", target, "--refloat-image", NEW)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "3 passed" in ran.stdout
    assert docker(engine_host, "inspect", "--format", "{{.Id}} {{.State.StartedAt}}", target) == before
    assert docker(engine_host, "exec", target, "cat", "/data/www/index.html") == "written by the old one"
    assert left_of(engine_host, target) == ""


STACK_TESTS = """
from urllib.request import urlopen


def test_the_copy_of_each_member_answers(rehearsed):
    copy = rehearsed("pair")
    assert copy.rehearsal.new.endswith("2")
    assert sorted(copy.members) == sorted(NAMES)
    for one in copy.members.values():
        url = f"http://{one.get_container_host_ip()}:{one.get_exposed_port(8000)}/index.html"
        with urlopen(url, timeout=60) as page:
            assert page.read() == b"written by the old one\\n"
"""


def test_of_a_stack_every_member_that_runs_is_there(engine_host: str, target: str, tmp_path: Path) -> None:
    lodger = f"{target}-lodger"
    joins = ("--network", f"container:{target}", "--stop-timeout", "1")
    docker(engine_host, "run", "--detach", "--name", lodger, *joins, OLD, "sleep", "1d")
    members = {target: NEW.rpartition(":")[2], lodger: "same"}
    (tmp_path / "refloat.yaml").write_text(json.dumps({"stacks": {"pair": {"members": members}}}), encoding="utf-8")
    try:
        ran = their_pytest(engine_host, tmp_path, STACK_TESTS.replace("NAMES", repr(list(members))))
        assert ran.returncode == 0, ran.stdout + ran.stderr
        assert left_of(engine_host, target) == lodger
    finally:
        docker(engine_host, "rm", "--force", lodger)


def test_an_upgrade_that_fails_on_the_copy_fails_their_test_in_words(
    engine_host: str, target: str, tmp_path: Path
) -> None:
    tests = f"def test_it(rehearsed):\n    rehearsed({target!r}, image={CRASHES!r})\n"
    ran = their_pytest(engine_host, tmp_path, tests)
    assert ran.returncode == 1, ran.stdout + ran.stderr
    assert "the rehearsal failed" in ran.stdout
    assert "Traceback" not in ran.stdout
    assert left_of(engine_host, target) == ""


def test_what_cannot_be_rehearsed_is_told_in_words(engine_host: str, tmp_path: Path) -> None:
    tests = "def test_it(rehearsed):\n    rehearsed('no-such-container', to='2')\n"
    ran = their_pytest(engine_host, tmp_path, tests)
    assert "no-such-container" in ran.stdout
    assert "Traceback" not in ran.stdout
    assert "another exception" not in ran.stdout


def test_without_a_target_it_says_what_to_type(engine_host: str, tmp_path: Path) -> None:
    ran = their_pytest(engine_host, tmp_path, "def test_it(upgraded):\n    pass\n")
    assert "--refloat-target" in ran.stdout
