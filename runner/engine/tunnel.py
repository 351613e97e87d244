"""Reaches an engine on another machine: a local socket that ssh carries there for as long as we live; it asks nothing.

The system's own ssh, so that its configuration, agent and known hosts count.
"""

from __future__ import annotations

import atexit
import shutil
import subprocess
import tempfile
import time
from pathlib import Path
from urllib.parse import urlsplit

from runner.errors import EngineUnreachable

REMOTE_SOCKET = "/var/run/docker.sock"
OPEN_WITHIN_S = 30.0
POLL_S = 0.05
THEN = "Check that `ssh {host} docker version` works here without a question (key, agent, known host)."


def ssh_command(url: str, local: str) -> tuple[str, ...]:
    """Yield the command that forwards a local socket to the engine named by ``ssh://[user@]host[:port][/socket]``."""
    parts = urlsplit(url)
    if not parts.hostname:
        raise EngineUnreachable("engine-address", f"{url} names no host.", then="Say ssh://user@host.")
    host = f"{parts.username}@{parts.hostname}" if parts.username else parts.hostname
    port = ("-p", str(parts.port)) if parts.port else ()
    remote = parts.path if len(parts.path) > 1 else REMOTE_SOCKET
    options = ("BatchMode=yes", "ExitOnForwardFailure=yes", "ServerAliveInterval=15", "ControlPath=none")
    flags = [flag for option in options for flag in ("-o", option)]
    # ``cat`` ends when our end of its input closes: however we die, the tunnel does not outlive us.
    return ("ssh", "-T", *flags, *port, "-L", f"{local}:{remote}", "--", host, "cat")


def open_tunnel(url: str) -> str:
    """Forward a socket and yield its address; EngineUnreachable with what ssh said."""
    folder = Path(tempfile.mkdtemp(prefix="refloat-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    local = folder / "docker.sock"
    command = ssh_command(url, str(local))
    said = (folder / "said").open("w+b")
    try:
        # A session of its own: Ctrl-C is ours to answer, and we need the engine to do so.
        ssh = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=said, start_new_session=True
        )
    except FileNotFoundError as missing:
        raise EngineUnreachable("engine-address", "There is no ssh here.", then="Install the ssh client.") from missing
    finally:
        said.close()
    atexit.register(ssh.kill)
    await_socket(ssh, local, folder / "said", url)
    return f"unix://{local}"


def await_socket(ssh: subprocess.Popen[bytes], local: Path, said: Path, url: str) -> None:
    """Wait until ssh listens; it does so once it is let in."""
    deadline = time.monotonic() + OPEN_WITHIN_S
    while not local.exists():
        if ssh.poll() is None and time.monotonic() < deadline:
            time.sleep(POLL_S)
            continue
        ssh.kill()
        complaint = said.read_text(errors="replace").strip() or "no answer"
        host = urlsplit(url).hostname or ""
        raise EngineUnreachable("engine-unreachable", f"ssh to {host} fails: {complaint}", then=THEN.format(host=host))
