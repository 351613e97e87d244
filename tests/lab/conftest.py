"""The tests' own engine, and further ones beside it, each stopped and removed after its test."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lab.engines import ENGINE_SH, Lab


@pytest.fixture
def lab(lab_images: str) -> Lab:
    """The tests' own engine, with all images."""
    return Lab(ENGINE_SH.parent, lab_images)


@pytest.fixture
def further(lab: Lab) -> Iterator[Lab]:
    """A further engine, just started, with the busybox image and nothing else."""
    directory = Path(tempfile.mkdtemp(prefix="refloat-"))
    engine = Lab(directory, f"unix://{directory}/docker.sock")
    try:
        assert engine.engine("start") == engine.host
        lab.docker("save", "--output", str(directory / "busybox.tar"), "refloat-lab/busybox:1")
        engine.docker("load", "--input", str(directory / "busybox.tar"))
        yield engine
    finally:
        engine.engine("stop")
        shutil.rmtree(directory)
