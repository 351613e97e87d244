"""Regular expressions in recipes: text that is known to compile; it never matches anything itself."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator


def _compiling(text: str) -> str:
    try:
        re.compile(text)
    except re.error as wrong:
        raise ValueError(f"not a regular expression: {wrong}") from wrong
    return text


Pattern = Annotated[str, AfterValidator(_compiling)]
