"""The tests' own engine, and further ones beside it, each stopped and removed after its test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.lab.engines import ENGINE_SH, Lab, further_engine


@pytest.fixture
def lab(lab_images: str) -> Lab:
    """The tests' own engine, with all images."""
    return Lab(ENGINE_SH.parent, lab_images)


@pytest.fixture
def further(lab: Lab) -> Iterator[Lab]:
    """A further engine, just started, with the busybox image and nothing else."""
    with further_engine(lab, "refloat-lab/busybox:1") as engine:
        yield engine
