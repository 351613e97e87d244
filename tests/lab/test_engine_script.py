"""Private engines beside each other: what engine.sh starts, what it survives, and that stopping leaves nothing."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import tempfile
import urllib.request
from pathlib import Path

from tests.lab.engines import ENGINE_SH, Lab, until

SLEEP = ("run", "--detach", "--stop-signal", "KILL", "refloat-lab/busybox:1", "sleep", "1000")


def _daemon_pid(engine: Lab) -> int:
    return int((engine.directory / "docker.pid").read_text())


def _answers(url: str, content: bytes) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:  # noqa: S310 - our own http URL
            return bool(answer.read().strip() == content)
    except OSError:
        return False


def _of_the_machine() -> dict[str, str]:
    """Everything an engine puts on the machine, as text in which its directory or its number shows."""
    commands = {
        "links": ["ip", "-o", "link"],
        "namespaces": ["ip", "netns", "list"],
        "rules": ["iptables-save"],
        "processes": ["ps", "-eo", "args"],
    }
    seen = {name: subprocess.check_output(command, text=True) for name, command in commands.items()}
    return seen | {"mounts": Path("/proc/self/mountinfo").read_text()}


def test_a_further_engine_has_its_own_containers_and_leaves_the_first_ones_alone(lab: Lab, further: Lab) -> None:
    container = further.docker(*SLEEP)
    assert further.state(container, "Running") == "true"
    assert container not in lab.docker("ps", "--quiet", "--no-trunc")
    assert further.engine("host") == further.host != lab.host
    assert further.engine("status").startswith("running")


def test_starting_twice_is_starting_once(further: Lab) -> None:
    before = _daemon_pid(further)
    assert further.engine("start") == further.host
    assert _daemon_pid(further) == before


def test_a_published_port_answers_at_the_address(further: Lab) -> None:
    serve = "mkdir /www; echo here > /www/index.html; exec httpd -f -p 8000 -h /www"
    container = further.docker(
        "run", "--detach", "--stop-signal", "KILL", "--publish", "8000", "refloat-lab/busybox:1", "sh", "-c", serve
    )
    port = further.docker("port", container, "8000").splitlines()[0].rpartition(":")[2]
    url = f"http://{further.engine('address')}:{port}/"
    until(lambda: _answers(url, b"here"), f"{url} answers")


def test_a_killed_daemon_comes_back_with_its_containers(further: Lab) -> None:
    before = _daemon_pid(further)
    kept = further.docker(
        "run", "--detach", "--stop-signal", "KILL", "--restart", "always", "refloat-lab/busybox:1", "sleep", "1000"
    )
    once = further.docker(*SLEEP)
    assert further.engine("restart", "--kill") == further.host
    assert _daemon_pid(further) != before
    until(lambda: further.state(kept, "Running") == "true", "the container with a restart policy runs again")
    until(lambda: further.state(once, "Running") == "false", "the one without stays down")


def test_a_clean_restart_keeps_what_was_there(further: Lab) -> None:
    container = further.docker(*SLEEP)
    further.engine("restart")
    assert further.state(container, "Status") == "exited"


def test_stopping_leaves_no_mount_namespace_process_link_or_rule(further: Lab) -> None:
    further.docker(*SLEEP)
    further.docker(
        "run",
        "--detach",
        "--stop-signal",
        "KILL",
        "--network",
        "host",
        "--volume",
        "data:/data",
        "refloat-lab/busybox:1",
        "sleep",
        "1000",
    )
    address = further.engine("address")
    number = address.split(".")[2]
    further.engine("stop")
    machine = _of_the_machine()
    taken = Path("/run/refloat-engines", number).exists()  # by an engine that another test has started since
    for kind, seen in machine.items():
        assert str(further.directory) not in seen, kind
        assert taken or not re.search(rf"refloat-(veth)?{number}\b", seen), kind
    assert {path.name for path in further.directory.iterdir()} == {"data", "lock", "log"}


def test_stopping_tidies_up_after_a_daemon_that_was_killed(further: Lab) -> None:
    further.docker(*SLEEP)
    os.kill(_daemon_pid(further), signal.SIGKILL)
    further.engine("stop")
    further.engine("stop")
    assert not [line for line in _of_the_machine()["processes"].splitlines() if str(further.directory) in line]
    assert further.engine("start") == further.host, "and it starts again on its data"
    assert "refloat-lab/busybox:1" in further.docker("image", "ls", "--format", "{{.Repository}}:{{.Tag}}")


def test_a_stopped_engine_says_so(further: Lab) -> None:
    further.engine("stop")
    environment = {**os.environ, "ENGINE_DIR": str(further.directory)}
    status = subprocess.run([ENGINE_SH, "status"], env=environment, capture_output=True, text=True, check=False)
    assert (status.returncode, status.stdout) == (3, f"stopped ({further.directory})\n")
    address = subprocess.run([ENGINE_SH, "address"], env=environment, capture_output=True, text=True, check=False)
    assert address.returncode == 1
    assert "start it with" in address.stderr


def test_where_no_engine_can_be_made_it_says_what_to_install() -> None:
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        shutil.copytree(ENGINE_SH.parent, Path(folder, "engine"))
        command = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", f"{folder}/engine/engine.sh", "start"]
        environment = {"PATH": os.environ["PATH"], "DOCKER_HOST": "unix:///nonexistent.sock", "HOME": folder}
        refused = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert refused.returncode == 1
    assert "Install docker.io and iptables, or start Docker, then try again." in refused.stderr
