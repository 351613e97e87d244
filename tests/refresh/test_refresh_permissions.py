"""Modes said in a list, apart from the defaults: they are what is compared and installed."""

from __future__ import annotations

from pathlib import Path

import pytest

from runner.errors import UsageError
from runner.refresh.permissions import read_permissions
from tests.refresh.refresh_trees import grow, picture, refloat_refresh


def test_a_list_says_which_modes_defaults_have(tmp_path: Path) -> None:
    for name in ("old", "new"):
        grow(tmp_path / name, {"secret": ("x", 0o644), "d/": ("", 0o755), "plain": ("x", 0o644)})
    grow(tmp_path / "new", {"added": ("y", 0o644)})
    tree = grow(tmp_path / "tree", {"secret": ("x", 0o640), "d/": ("", 0o750), "plain": ("x", 0o600)})
    (tmp_path / "old.permissions").write_text("# modes\n\nsecret 640\nd 0750\n")
    (tmp_path / "new.permissions").write_text("secret 660\n/d 2770\nadded 600\n")
    named = [f"--{name}={tmp_path / name}" for name in ("old", "new", "tree")]
    lists = [f"--{side}-permissions={tmp_path / side}.permissions" for side in ("old", "new")]
    done = refloat_refresh(*named, *lists, "--conflict=abort")
    assert done.status == 0, done.output
    found = {path: mode for path, (_, mode, _) in picture(tree).items()}
    assert found == {"secret": 0o660, "d": 0o2770, "added": 0o600, "plain": 0o600}


@pytest.mark.parametrize("line", ["secret", "secret 9", "secret 17777", " 640", "secret -1"])
def test_a_line_that_is_no_path_and_mode_is_named(tmp_path: Path, line: str) -> None:
    (tmp_path / "list").write_text(f"fine 640\n{line}\n")
    with pytest.raises(UsageError, match="line 2"):
        read_permissions(tmp_path / "list")


def test_a_list_that_cannot_be_read_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be used"):
        read_permissions(tmp_path / "missing")
