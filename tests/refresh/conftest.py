"""A tree with one conflict, and the command on it at a terminal; it answers nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.refresh.refresh_person import Person, Start, arguments
from tests.refresh.refresh_trees import grow


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    grow(tmp_path / "old", {"conf/f": "old\nsame\n", "other": "x"})
    grow(tmp_path / "new", {"conf/f": "new\nsame\n", "other": "y", "added": "y"})
    return grow(tmp_path / "tree", {"conf/f": ("mine\nsame\n", 0o600), "other": "x"})


@pytest.fixture
def start(tree: Path) -> Start:
    def starting(*more: str, **environment: str) -> Person:
        return Person([*arguments(tree), *more], environment)

    return starting
