"""Recipes in words: one recipe, one key, an empty form; it decides nothing and prints nothing."""

from __future__ import annotations

import re
from collections.abc import Iterator

import yaml
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from runner.documents.keys import alternative_names, field_at, models_at, nearest_key, values_at
from runner.errors import UsageError
from runner.recipes.model import Recipe

SKELETON = """\
# {title}: facts about one product, never a procedure. `refloat recipes explain KEY` says what a key means.
name: {name}
title: {title}
verified: documentation        # real, stand-in or documentation
images:
  - {{repository: example/{name}, tag: "{{version}}"}}
names: [{name}]
scheme: semver                 # how the vendor writes versions
version_from:
  - {{kind: label, label: org.opencontainers.image.version}}
  - {{kind: tag}}
data_paths: [/data]
config_paths: []
hops:                          # every rule carries the vendor's page
  - rule: any-forward
    source: https://example.org/upgrading
downgrade: never               # never, barriers, tool-assisted, silently-wrong or works
backward:
  why: The data is migrated at start.
  source: https://example.org/upgrading
stop_timeout_s: 60
ready_log: []
danger_log: []
migrating_log: []
probes:
  - {{kind: tcp, port: 80, deadline_s: 120}}
evidence: []
notes: []
gates: []
"""


def skeleton_of(name: str) -> str:
    """A recipe to fill in; it already reads without mistakes."""
    if not re.fullmatch(r"[a-z0-9][a-z0-9-]*", name):
        raise UsageError(
            "recipe-name", f"{name!r} cannot be a recipe's name.", then="Use small letters, digits and dashes."
        )
    return SKELETON.format(name=name, title=name.replace("-", " ").capitalize())


def text_of(recipe: Recipe) -> str:
    """The facts of a recipe that say something, as YAML."""
    facts = recipe.model_dump(mode="json", exclude_defaults=True)
    return yaml.safe_dump(facts, sort_keys=False, allow_unicode=True, width=120).rstrip()


def explanation_of(key: str) -> str:
    """What a key means, what may stand there, and the words that choose among alternatives."""
    pieces = tuple(key.split("."))
    field, models = field_at(Recipe, pieces), models_at(Recipe, pieces)
    if field is None and not models:
        nearest = nearest_key(Recipe, pieces)
        meant = f"Did you mean {nearest}?" if nearest else "`refloat recipes schema` lists every key."
        raise UsageError("recipe-key-unknown", f"A recipe has no key {key!r}.", then=meant)
    return "\n".join([_line(key, field) if field else key, *_alternatives(models)])


def _line(key: str, field: FieldInfo) -> str:
    facts = "; ".join(one for one in (values_at(field), "needed" if field.is_required() else "") if one)
    return f"{key}{f' ({facts})' if facts else ''}{': ' + field.description if field.description else ''}"


def _alternatives(models: tuple[type[BaseModel], ...]) -> Iterator[str]:
    for model in models:
        names = ", ".join(alternative_names(model))
        yield f"  {names + ': ' if names else ''}{(model.__doc__ or '').strip().splitlines()[0]}"
        for name, field in model.model_fields.items():
            yield f"    {_line(name, field)}"
