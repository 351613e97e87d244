"""The demo, as `make demo` runs it: an upgrade that succeeds, one that comes back, and nothing left after `clean`."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import yaml

from images.table import HERE, read_table
from tests.lab.engines import ROOT, Lab

DEMO = ROOT / "compose/demo.sh"


def test_the_compose_file_uses_images_of_the_lab() -> None:
    stack = yaml.safe_load((DEMO.parent / "docker-compose.yml").read_text())
    known = {row.name for row in read_table((HERE / "table.txt").read_text())}
    assert {service["image"] for service in stack["services"].values()} <= known


def test_the_demo_upgrades_comes_back_and_leaves_nothing(lab: Lab, tmp_path: Path) -> None:
    homes = {name: str(tmp_path) for name in ("XDG_STATE_HOME", "XDG_DATA_HOME", "XDG_CONFIG_HOME")}
    environment = {**os.environ, "DOCKER_HOST": lab.host, **homes}
    try:
        told = subprocess.run([DEMO], env=environment, stdout=-1, stderr=-2, text=True, timeout=600, check=False)
        assert told.returncode == 0, told.stdout
        assert "Exit status 5: it failed and is back where it was" in told.stdout
        assert "Try next:" in told.stdout
    finally:
        subprocess.run([DEMO, "clean"], env=environment, timeout=120, check=True)
    for kind in ("container", "volume", "network"):
        everything = ["--all"] if kind == "container" else []
        assert lab.docker(kind, "ls", *everything, "--quiet", "--filter", "name=refloat-demo") == ""
