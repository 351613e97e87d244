"""The private engine for the tests that need one, and proof that they leave nothing on it; starts nothing by itself.

REFLOAT_TEST_EXAMPLES=repeating has the property tests try the same examples each time (.ci/run does).
REFLOAT_TEST_HOST names an engine to use instead; otherwise images/engine/engine.sh starts one (or finds its own
running) and it stays up for the next time. No engine is an error, never a skip.
"""

from __future__ import annotations

import os
import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

ROOT = Path(__file__).parent.parent
TEST_LABEL = "refloat.test"

# How long an example takes says how busy the machine is, nothing of the code.
settings.register_profile("searching", deadline=None, suppress_health_check=[HealthCheck.too_slow])
# Where a failure stops what has nothing to do with it, the same examples each time; chance is for who can follow it up.
settings.register_profile("repeating", settings.get_profile("searching"), derandomize=True, database=None)
settings.load_profile(os.environ.get("REFLOAT_TEST_EXAMPLES", "searching"))

# What whoever starts the tests has set for refloat itself, for colours and for the width of lines is not for the tests.
for _name in {name for name in os.environ if name.startswith("REFLOAT_") and not name.startswith("REFLOAT_TEST_")} | {
    "FORCE_COLOR", "GITHUB_ACTIONS", "NO_COLOR", "PY_COLORS",
}:  # fmt: skip
    os.environ.pop(_name, None)
os.environ["COLUMNS"] = "80"


@pytest.fixture(scope="session")
def engine_host() -> Iterator[str]:
    """DOCKER_HOST of an engine that may be filled and emptied; in force for the session."""
    host = os.environ.get("REFLOAT_TEST_HOST") or _started_engine()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DOCKER_HOST", host)
        yield host


def _started_engine() -> str:
    started = subprocess.run([ROOT / "images/engine/engine.sh", "start"], capture_output=True, text=True, check=False)
    if started.returncode != 0:
        pytest.fail(f"the tests' private engine does not start (try `make engine`):\n{started.stderr}", pytrace=False)
    return started.stdout.strip()


@pytest.fixture(scope="session")
def engine_address(engine_host: str) -> str:
    """Where published ports of that engine answer."""
    if not engine_host.startswith("unix:") or os.environ.get("REFLOAT_TEST_HOST"):
        return "127.0.0.1"
    return subprocess.check_output([ROOT / "images/engine/engine.sh", "address"], text=True).strip()


@pytest.fixture(scope="session")
def lab_images(engine_host: str) -> str:
    """The engine's host once every image of images/table.txt is there and up to date."""
    assert engine_host == os.environ["DOCKER_HOST"]
    built = subprocess.run(
        [sys.executable, "-m", "images.build"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if built.returncode != 0:
        pytest.fail(
            f"the lab's images cannot be built (try `make images`):\n{built.stdout}{built.stderr}", pytrace=False
        )
    return engine_host


@pytest.fixture(scope="session")
def leftovers(lab_images: str) -> Iterator[str]:
    """The label for everything a test makes; at the end nothing may carry it any more."""
    label = f"{TEST_LABEL}={uuid.uuid4().hex[:12]}"
    yield label
    left = {kind: _labelled(kind, label) for kind in ("container", "volume", "network")}
    for kind, names in left.items():
        if names:
            force = [] if kind == "network" else ["--force"]
            subprocess.run(
                ["docker", "--host", lab_images, kind, "rm", *force, *names], capture_output=True, check=False
            )
    assert not any(left.values()), f"left behind by the tests of this session: {left}"


def _labelled(kind: str, label: str) -> list[str]:
    show_all = ["--all"] if kind == "container" else []
    listed = subprocess.run(
        ["docker", kind, "ls", "--quiet", *show_all, "--filter", f"label={label}"],
        capture_output=True,
        text=True,
        check=True,
    )
    return listed.stdout.split()
