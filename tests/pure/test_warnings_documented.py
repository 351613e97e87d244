"""The list of warnings in the docs is whole: scripts match its codes."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
CODE = re.compile(r"""(?:PlanWarning|SpecWarning)\(\s*code="([a-z-]+)\"""")


def test_every_code_a_plan_can_warn_with_is_documented() -> None:
    sources = (path.read_text(encoding="utf-8") for path in (ROOT / "runner").rglob("*.py"))
    codes = {code for source in sources for code in CODE.findall(source)}
    documented = set(
        re.findall(r"^\| `([a-z-]+)` \|", (ROOT / "docs/warnings.md").read_text(encoding="utf-8"), re.MULTILINE)
    )
    assert len(codes) > 20
    assert codes - documented == set()
