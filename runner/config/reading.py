"""Reading the refloat.yaml in force; it reads no other file."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import yaml

from runner.config.model import Config
from runner.config.place import VARIABLE, config_path
from runner.documents.reading import Kind, VersionSafeLoader
from runner.errors import UsageError

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


@lru_cache(maxsize=1)
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
