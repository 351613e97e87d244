"""What the tests without an engine leave behind: nothing."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

import pytest

from tests.pure.sweep.stages import homes


@pytest.fixture(scope="session", autouse=True)
def no_state_folder_is_left() -> Iterator[None]:
    """Remove the state folders of the machines in memory."""
    yield
    shutil.rmtree(homes())
