"""Finding and reading refloat.yaml: named, beside the user, or in the XDG folder; it reads no other file."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import yaml

from runner.config.model import Config
from runner.documents.reading import Kind, VersionSafeLoader
from runner.errors import UsageError

NAME = "refloat.yaml"
VARIABLE = "REFLOAT_CONFIG"
THEN = "What may stand there: refloat init --schema, docs/config.md"


class ConfigLoader(VersionSafeLoader):
    """Safe YAML in which ``!file PATH`` is where a secret is, and not the secret itself."""


def _from_file(loader: ConfigLoader, node: yaml.ScalarNode) -> dict[str, object]:
    return {"file": loader.construct_scalar(node)}


ConfigLoader.add_constructor("!file", _from_file)
CONFIG = Kind(Config, "configuration", "config-invalid", THEN, ConfigLoader)


@dataclass(frozen=True)
class Found:
    """The configuration in force and its file; an empty one where there is none."""

    config: Config
    path: Path | None = None


def config_from_yaml(text: str, file: str) -> Config:
    """The configuration a text holds; UsageError names every mistake with its line."""
    if not any(line.strip() and not line.lstrip().startswith("#") for line in text.splitlines()):
        return Config()
    return CONFIG.read(CONFIG.tree(text, file), text, file)


def find_config() -> Found:
    """Read the configuration in force; UsageError where a named one is missing or one cannot be understood."""
    path = config_path()
    if path is None:
        return Found(Config())
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as wrong:
        why = wrong.strerror if isinstance(wrong, OSError) else "it is not text"
        then = f"Name another one: --config FILE or {VARIABLE}. Write one: refloat init"
        raise UsageError("config-unreadable", f"The configuration {path} cannot be read: {why}.", then=then) from None
    return Found(config_from_yaml(text, str(path)), path)


def config_folder() -> Path:
    """From where names of files in the configuration count."""
    path = config_path()
    return path.parent if path else Path()


def config_path() -> Path | None:
    """The file in force: REFLOAT_CONFIG (``--config`` sets it), ./refloat.yaml, then the XDG configuration folder."""
    if named := os.environ.get(VARIABLE, ""):
        return Path(named).expanduser()
    folder = os.environ.get("XDG_CONFIG_HOME") or "~/.config"
    places = (Path(NAME), Path(folder).expanduser() / "refloat" / NAME)
    return next((place for place in places if place.exists()), None)
