"""Which keys stand where in a document, what each takes, and the nearest one to a slip; it reads models alone."""

from __future__ import annotations

import types
import typing
from difflib import get_close_matches
from typing import Annotated, Literal, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

Models = tuple[type[BaseModel], ...]
Where = tuple[str | int, ...]

WORDS: dict[type, str] = {str: "text", int: "a whole number", float: "a number", bool: "true or false"}


def nearest_key(root: type[BaseModel], path: Where) -> str:
    """The key most like the last piece of a path, among those that may stand there."""
    known = [key for model in models_at(root, path[:-1]) for key in model.model_fields]
    return next(iter(get_close_matches(str(path[-1]), known, n=1, cutoff=0.5)), "")


def models_at(root: type[BaseModel], path: Where) -> Models:
    """The models a path leads to: through keys, the names of alternatives, and names the user chose."""
    here: Models = (root,)
    chosen_by_user = False
    for piece in path:
        if chosen_by_user or isinstance(piece, int):
            chosen_by_user = False
            continue
        fields = _fields(here, piece)
        chosen_by_user = any(_is_mapping(field.annotation) for field in fields)
        here = _chosen(here, piece) or tuple(one for field in fields for one in _models_in(field.annotation))
    return here


def field_at(root: type[BaseModel], path: tuple[str, ...]) -> FieldInfo | None:
    """What the model says about a key."""
    return next(iter(_fields(models_at(root, path[:-1]), path[-1])), None)


def _fields(here: Models, key: str) -> tuple[FieldInfo, ...]:
    return tuple(model.model_fields[key] for model in here if key in model.model_fields)


def _is_mapping(annotation: object) -> bool:
    return get_origin(annotation) is dict


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
    if get_origin(annotation) in (tuple, dict, Annotated, typing.Union, types.UnionType):
        return tuple(one for inner in get_args(annotation) for one in _models_in(inner))
    return ()


def values_at(field: FieldInfo) -> str:
    """What may stand at a key, in words; empty where that is a mapping with keys of its own."""
    return _values_of(field.annotation)


def _values_of(annotation: object) -> str:
    if get_origin(annotation) is Literal:
        return " or ".join(map(str, get_args(annotation)))
    if get_origin(annotation) in (Annotated, typing.Union, types.UnionType):
        inner = get_args(annotation)[:1] if get_origin(annotation) is Annotated else get_args(annotation)
        return " or ".join(said for one in inner if (said := _values_of(one)))
    if get_origin(annotation) is tuple:
        return f"a list of {said}" if (said := _values_of(get_args(annotation)[0])) else ""
    if get_origin(annotation) is dict:
        return "names and values"
    return WORDS.get(annotation, "") if isinstance(annotation, type) else ""
