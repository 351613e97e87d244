"""From the text of a recipe to the model, every mistake with file, line, path and nearest key; it opens no file."""

from __future__ import annotations

import yaml
from pydantic import ValidationError

from runner.errors import UsageError
from runner.recipes.model import Recipe


class VersionSafeLoader(yaml.SafeLoader):
    """Safe YAML in which 2.10 stays 2.10: floats and dates are text here, as versions are."""


VersionSafeLoader.yaml_implicit_resolvers = {
    first: [(tag, shape) for tag, shape in pairs if not tag.endswith((":float", ":timestamp"))]
    for first, pairs in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def recipe_from_yaml(text: str, file: str) -> Recipe:
    """The recipe a text holds."""
    try:
        return Recipe.model_validate(yaml.load(text, VersionSafeLoader))  # noqa: S506 -- a SafeLoader with fewer types
    except ValidationError as wrong:
        raise UsageError("recipe-invalid", f"{file}: {wrong}") from wrong
