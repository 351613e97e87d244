"""`refloat` as a command line of its own process against one engine and one home; what every bench runs it with."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from tests.lab.engines import ROOT

REFLOAT = [sys.executable, "-m", "runner.cli.main"]
PATIENCE_S = 600.0


@dataclass(frozen=True)
class Ran:
    """One finished command line; a negative status is the signal that ended it."""

    status: int
    out: str
    err: str

    @property
    def told(self) -> str:
        """All of it, for the message of an assertion."""
        return f"status {self.status}\n{self.out}\n{self.err}"

    @property
    def json(self) -> dict[str, object]:
        """What it said on its standard output."""
        said: dict[str, object] = json.loads(self.out)
        return said

    @property
    def error(self) -> str:
        """The code of its error."""
        return str(json.loads(self.out)["error"]["code"])


def surroundings(host: str, home: Path, **more: str) -> dict[str, str]:
    """The environment for an engine and a home."""
    return {**os.environ, "DOCKER_HOST": host, "REFLOAT_HOME": str(home), "COLUMNS": "400", **more}


def start(environment: dict[str, str], *line: str) -> subprocess.Popen[str]:
    """Begin a command line; it has no terminal."""
    return subprocess.Popen([*REFLOAT, *line], cwd=ROOT, env=environment, stdin=subprocess.DEVNULL,
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)  # fmt: skip


def finished(running: subprocess.Popen[str]) -> Ran:
    """Let it come to its end; no end is a traceback or a bug of ours."""
    try:
        out, err = running.communicate(timeout=PATIENCE_S)
    except subprocess.TimeoutExpired:
        running.kill()
        raise
    ran = Ran(running.returncode, out, err)
    assert "Traceback (most recent call last)" not in err, ran.told
    assert ran.status != 70, ran.told
    return ran


def refloat(environment: dict[str, str], *line: str) -> Ran:
    """Run a command line to its end."""
    return finished(start(environment, *line))


def docker(host: str, *line: str, check: bool = True) -> str:
    """What one docker command printed, without its complaints."""
    ran = subprocess.run(["docker", "--host", host, *line], capture_output=True, text=True, timeout=300, check=False)
    assert ran.returncode == 0 or not check, f"docker {' '.join(line)}: {ran.stderr}"
    return ran.stdout.strip()
