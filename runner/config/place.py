"""Where refloat.yaml is: named, beside the user, or in the XDG folder; it reads nothing of it."""

from __future__ import annotations

import os
from pathlib import Path

NAME = "refloat.yaml"
VARIABLE = "REFLOAT_CONFIG"


def config_path() -> Path | None:
    """The file in force: REFLOAT_CONFIG (``--config`` sets it), ./refloat.yaml, then the XDG configuration folder."""
    if named := os.environ.get(VARIABLE, ""):
        return Path(named).expanduser()
    folder = os.environ.get("XDG_CONFIG_HOME") or "~/.config"
    places = (Path(NAME), Path(folder).expanduser() / "refloat" / NAME)
    return next((place for place in places if place.exists()), None)


def config_folder() -> Path:
    """From where names of files in the configuration count."""
    path = config_path()
    return path.parent if path else Path()
