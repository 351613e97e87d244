"""Every test in here runs on the real, private engine with the lab's images; none of them may leave anything behind."""

from __future__ import annotations

import pytest


@pytest.fixture(scope="session", autouse=True)
def _on_the_private_engine(leftovers: str) -> None:
    assert leftovers
