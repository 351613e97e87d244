"""Which keys stand where in a recipe: the nearest one to a slip, and what each means; it reads the model alone."""

from __future__ import annotations

import types
import typing
from difflib import get_close_matches
from typing import Annotated, Literal, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from runner.recipes.model import Recipe

Models = tuple[type[BaseModel], ...]


def nearest_key(path: tuple[str | int, ...]) -> str:
    """The key most like the last piece of a path, among those that may stand there."""
    known = [key for model in models_at(path[:-1]) for key in model.model_fields]
    return next(iter(get_close_matches(str(path[-1]), known, n=1, cutoff=0.5)), "")


def models_at(path: tuple[str | int, ...]) -> Models:
    """The models a path leads to: through keys, and through the names of alternatives."""
    here: Models = (Recipe,)
    for piece in path:
        if isinstance(piece, str):
            here = _chosen(here, piece) or _below(here, piece)
    return here


def field_at(path: tuple[str, ...]) -> FieldInfo | None:
    """What the model says about a key."""
    holders = models_at(path[:-1])
    return next((model.model_fields[path[-1]] for model in holders if path[-1] in model.model_fields), None)


def _below(here: Models, key: str) -> Models:
    fields = (model.model_fields.get(key) for model in here)
    return tuple(one for field in fields if field for one in _models_in(field.annotation))


def _chosen(here: Models, name: str) -> Models:
    """Of several alternatives the one whose kind or rule has this name."""
    return tuple(model for model in here if name in alternative_names(model))


def alternative_names(model: type[BaseModel]) -> tuple[str, ...]:
    """The words that choose this model among its alternatives."""
    marks = (model.model_fields.get(key) for key in ("rule", "kind"))
    return tuple(
        name for mark in marks if mark and get_origin(mark.annotation) is Literal for name in get_args(mark.annotation)
    )


def _models_in(annotation: object) -> Models:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return (annotation,)
    if get_origin(annotation) in (tuple, Annotated, typing.Union, types.UnionType):
        return tuple(one for inner in get_args(annotation) for one in _models_in(inner))
    return ()
