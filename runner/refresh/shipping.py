"""This package as a zip that Python can import, to be sent to where the data is; it runs nothing."""

from __future__ import annotations

import io
import zipfile
from functools import cache
from importlib.resources import files

LEFT_OUT = ("menu.py", "shipping.py")
"""What asks people, and this."""


@cache
def program() -> bytes:
    """The refresh with all it needs beside the standard library: what decides is the same wherever it runs."""
    top, packed = files("runner"), io.BytesIO()
    inner = [each for each in top.joinpath("refresh").iterdir() if each.name.endswith(".py")]
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in ("__init__.py", "errors.py"):
            archive.writestr(f"runner/{name}", top.joinpath(name).read_text("utf-8"))
        for each in sorted(inner, key=lambda found: found.name):
            if each.name not in LEFT_OUT:
                archive.writestr(f"runner/refresh/{each.name}", each.read_text("utf-8"))
    return packed.getvalue()
