"""The jobs in docs/ci.md, each step run as the shell lines they are, in a folder and with a home of their own."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import yaml

from tests.lab.engines import until

ROOT = Path(__file__).parents[2]
OLD, NEW = "refloat-lab/prometheus:2.42.0", "2.53.3"


def blocks(kind: str) -> list[str]:
    """The blocks of one language in the document."""
    text = (ROOT / "docs/ci.md").read_text(encoding="utf-8")
    return re.findall(rf"^```{kind}\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)


@pytest.fixture(scope="module")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where `pip install refloat` finds this very tree, built."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", str(folder), str(ROOT)]
    subprocess.run(command, check=True, capture_output=True, timeout=600)
    return folder


@dataclass
class Job:
    """A CI server's working folder for one job."""

    folder: Path
    env: dict[str, str]
    log: list[str] = field(default_factory=list)

    def run(self, script: str) -> None:
        """One step; its failure fails the job."""
        path = (self.folder / "path").read_text(encoding="utf-8").split()
        env = {**self.env, "PATH": ":".join([*reversed(path), self.env["PATH"]])}
        ran = subprocess.run(["bash", "-e", "-c", script], cwd=self.folder, env=env, capture_output=True, text=True,
                             timeout=900)  # fmt: skip
        assert ran.returncode == 0, f"{script}\n{ran.stdout}\n{ran.stderr}"
        self.log.append(ran.stdout + ran.stderr)


@pytest.fixture(scope="module")
def job(engine_host: str, wheels: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Job]:
    """A folder with the tests of the document in it, and Prometheus with samples of its own on the engine."""
    folder = tmp_path_factory.mktemp("job")
    name = f"ci-{uuid.uuid4().hex[:6]}"
    docker = ["docker", "--host", engine_host]
    subprocess.run([*docker, "run", "--detach", "--name", name, "--volume", f"{name}:/prometheus", OLD], check=True,
                   capture_output=True)  # fmt: skip
    query = [*docker, "exec", name, "promtool", "query", "instant", "http://127.0.0.1:9090", "up"]
    until(lambda: b"=>" in subprocess.run(query, capture_output=True).stdout, "samples")
    (folder / "upgrade_tests").mkdir()
    (folder / "upgrade_tests/test_prom.py").write_text(blocks("python")[0], encoding="utf-8")
    (folder / "path").touch()
    (folder / "refloat.yaml").write_text("defaults: {dwell_s: 0}\n", encoding="utf-8")  # the jobs are proven, no more
    env = {**os.environ, "DOCKER_HOST": engine_host, "REFLOAT_HOME": str(folder / "home"), "TARGET": name,
           "VERSION": NEW, "PIP_FIND_LINKS": str(wheels), "PIP_NO_COMPILE": "1", "GITHUB_PATH": str(folder / "path"),
           "GITHUB_STEP_SUMMARY": str(folder / "summary"), "TESTCONTAINERS_RYUK_DISABLED": "true"}  # fmt: skip
    yield Job(folder, env)
    subprocess.run([*docker, "rm", "--force", "--volumes", name], check=True, capture_output=True)
    subprocess.run([*docker, "volume", "rm", name], check=True, capture_output=True)


def test_the_job_for_github(job: Job) -> None:
    steps = yaml.safe_load(blocks("yaml")[0])["jobs"]["rehearse"]["steps"]
    for step in steps:
        if "run" in step:
            job.run(step["run"])
    assert "2 passed" in "".join(job.log)
    assert "passed" in (job.folder / "summary").read_text(encoding="utf-8")
    assert {path.suffix for path in job.folder.glob("rehearsal.*")} == {".html", ".xml", ".md"}


def test_the_job_for_gitlab(job: Job) -> None:
    described = yaml.safe_load(blocks("yaml")[1])["rehearse"]
    job.run("\n".join((*described["before_script"], *described["script"])))
    artifacts = (*described["artifacts"]["paths"], *described["artifacts"]["reports"]["junit"])
    assert all((job.folder / name).stat().st_size for name in artifacts)
