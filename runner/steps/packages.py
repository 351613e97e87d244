"""The step that compares what is installed in two runtimes; what has to be there, the plan says."""

from __future__ import annotations

from typing import Literal

from runner.steps.configuration import AsksImage
from runner.steps.nouns import Existing


class ComparePackages(AsksImage):
    """See that the new version's runtime has every package that the old one has."""

    kind: Literal["compare-packages"] = "compare-packages"
    old: Existing
    minimums: dict[str, str] = {}
    """Package to the lowest version it must have afterwards."""
    ordinary: tuple[str, ...] = ()
    """Names that nobody misses."""
    required: tuple[str, ...] = ()
    """Names that have to be there afterwards, whatever was there before."""

    @property
    def sentence(self) -> str:
        """What it does, in words."""
        return f"see that the new runtime has all packages of the old one (“{' '.join(self.argv)}”)"
