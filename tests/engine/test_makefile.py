"""refloat from make: the includable makefile run by make itself, with refloat's exit status kept."""

from __future__ import annotations

import os
import subprocess
import sys
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

OLD, NEW, CRASHES = "refloat-lab/busybox:1", "refloat-lab/busybox:2", "refloat-lab/misbehave:crash"
MAKEFILE = """REFLOAT = {refloat}
include $(shell $(REFLOAT) --makefile)
"""
IDLE = ("sh", "-c", "trap 'exit 0' TERM; sleep 2147483647 & wait")
"""It ends when it is asked to: sleep as the first process of a container would have to be killed, ten seconds later."""


@dataclass(frozen=True)
class Project:
    """A folder with a Makefile, and a container to upgrade."""

    host: str
    folder: Path
    target: str

    def make(self, *line: str) -> subprocess.CompletedProcess[str]:
        env = {**os.environ, "DOCKER_HOST": self.host, "REFLOAT_HOME": str(self.folder / "home")}
        return subprocess.run(["make", "--no-print-directory", *line], cwd=self.folder, env=env, capture_output=True,
                              text=True, timeout=600)  # fmt: skip

    @property
    def status(self) -> str:
        """What refloat's own exit status was."""
        return (self.folder / ".refloat-status").read_text(encoding="utf-8").strip()

    @property
    def image(self) -> str:
        """What runs."""
        line = ["docker", "--host", self.host, "inspect", "--format", "{{.Config.Image}}", self.target]
        return subprocess.run(line, capture_output=True, text=True, check=True).stdout.strip()


@pytest.fixture
def project(engine_host: str, tmp_path: Path) -> Iterator[Project]:
    name = f"make-{uuid.uuid4().hex[:6]}"
    docker = ["docker", "--host", engine_host]
    line = [*docker, "run", "--detach", "--name", name, "--volume", f"{name}:/data", OLD, *IDLE]
    subprocess.run(line, capture_output=True, check=True)
    (tmp_path / "refloat.yaml").write_text("defaults: {dwell_s: 0}\n", "utf-8")  # make is tried here, not its health
    (tmp_path / "Makefile").write_text(MAKEFILE.format(refloat=f"{sys.executable} -m runner.cli.main"), "utf-8")
    yield Project(engine_host, tmp_path, name)
    subprocess.run([*docker, "rm", "--force", "--volumes", name], capture_output=True, check=True)
    subprocess.run([*docker, "volume", "rm", name], capture_output=True, check=True)


def test_rehearse_upgrade_and_roll_back_from_make(project: Project) -> None:
    goal = (f"TARGET={project.target}", f"IMAGE={NEW}")
    for verb, image in (("rehearse", OLD), ("upgrade", NEW), ("rollback", OLD)):
        made = project.make(verb, *(goal[:1] if verb == "rollback" else goal))
        assert made.returncode == 0, made.stdout + made.stderr
        assert (project.status, project.image) == ("0", image)


def test_refloats_own_exit_status_is_kept(project: Project) -> None:
    for verb, status in (("rehearse", "4"), ("upgrade", "5")):
        made = project.make(verb, f"TARGET={project.target}", f"IMAGE={CRASHES}")
        assert made.returncode == 2
        assert f"Error {status}" in made.stderr
        assert (project.status, project.image) == (status, OLD)


@pytest.mark.parametrize(("line", "hint"), [(["upgrade"], "TARGET=NAME"), (["upgrade", "TARGET=x"], "TO=VERSION")])
def test_what_is_not_said_is_asked_for(project: Project, line: list[str], hint: str) -> None:
    made = project.make(*line)
    assert made.returncode == 2
    assert hint in made.stderr
    assert not (project.folder / ".refloat-status").exists()


def test_the_names_of_the_targets_can_be_told_apart_from_ones_own(project: Project) -> None:
    made = project.make("REFLOAT_PREFIX=monitoring-", "--dry-run", "monitoring-rehearse", "TARGET=x", "TO=2")
    assert "rehearse 'x' --to '2' --yes" in made.stdout
