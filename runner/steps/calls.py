"""What a hook calls: a command, where and how long; it names no step and runs nothing."""

from __future__ import annotations

from typing import Literal

from runner.facts import Fact
from runner.recipes.work import Point

Where = Literal["container", "tools", "host"]
"""In the container itself; in a small container of our tools, in the container's network; on the runner's machine."""


class HookCall(Fact):
    """One command of a hook. No secret is in it: variables are named here, and read when it is called."""

    point: Point
    where: Where
    argv: tuple[str, ...]
    confirm: tuple[str, ...] = ()
    """A command that must succeed afterwards, asked again until the time is over."""
    timeout_s: float = 60
    """For the command, and once more for what confirms it."""
    env: tuple[str, ...] = ()
    """Names of variables of the runner's environment that it gets besides ``REFLOAT_…``."""
    folder: str = ""
    """Where a command on the host is run; empty: where the runner was started."""

    @property
    def spoken(self) -> str:
        """How people call it."""
        place = {"container": "", "tools": " beside it", "host": " on the host"}[self.where]
        return f"“{' '.join(self.argv)}”{place}"
