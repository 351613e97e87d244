"""What is sent to where the data is runs there: on a Python that has nothing but its standard library."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from runner.refresh.shipping import program


def test_what_is_sent_needs_nothing_but_the_standard_library(tmp_path: Path) -> None:
    path = tmp_path / "program.zip"
    path.write_bytes(program())
    script = (
        f"import sys; sys.path = [p for p in sys.path if 'site-packages' not in p]; sys.path.insert(0, {str(path)!r})"
    )
    asked = f"{script}; import runner.refresh.remote as r; print(r.__file__); print(*sys.modules)"
    ran = subprocess.run(
        [sys.executable, "-IS", "-c", asked], capture_output=True, text=True, check=False, cwd=tmp_path
    )
    assert ran.returncode == 0, ran.stderr
    where, modules = ran.stdout.splitlines()
    assert where.startswith(str(path))
    assert "pydantic" not in modules.split()
