"""From a YAML text to a frozen model, every mistake with file, line, path and nearest key; it opens no file."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches
from typing import Generic, TypeVar

import yaml
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from runner.documents.keys import Where, nearest_key
from runner.errors import UsageError

try:  # libyaml reads ten times as fast; where it is missing, PyYAML's own parser does the same
    from yaml import CSafeLoader as SafeLoader
except ImportError:
    from yaml import SafeLoader  # type: ignore[assignment]  # the two have one interface and no common base

Tree = dict[str, object]
Model = TypeVar("Model", bound=BaseModel)


class VersionSafeLoader(SafeLoader):
    """Safe YAML in which 2.10 stays 2.10: floats and dates are text here, as versions are."""


VersionSafeLoader.yaml_implicit_resolvers = {
    first: [(tag, shape) for tag, shape in pairs if not tag.endswith((":float", ":timestamp"))]
    for first, pairs in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


@dataclass(frozen=True)
class Mistake:
    """Something wrong at a place in a document."""

    path: Where
    says: str


@dataclass(frozen=True)
class Kind(Generic[Model]):
    """One kind of document: its model, how it is called, the code of its mistakes and what to do about them."""

    model: type[Model]
    noun: str
    code: str
    then: str
    loader: type[SafeLoader] = VersionSafeLoader

    def tree(self, text: str, file: str) -> Tree:
        """The mapping a text holds, before anything is known about its keys; UsageError."""
        try:
            loader = self.loader(text)
            node = loader.get_single_node()
            tree = loader.construct_document(node) if node else None
        except yaml.YAMLError as wrong:
            mark = getattr(wrong, "problem_mark", None)
            line = mark.line + 1 if mark else 1
            said = getattr(wrong, "problem", None) or wrong
            raise self._invalid([f"{file}:{line}: this is not YAML: {said}"]) from wrong
        if not isinstance(tree, dict) or node is None:
            raise self._invalid([f"{file}:1: a {self.noun} is a mapping of keys to facts"])
        twice = list(_keys_twice(node, ()))
        if twice:
            raise self._invalid([f"{file}:{line}: {path}: this key stands here twice" for line, path in twice])
        return tree

    def read(self, tree: Tree, text: str, file: str) -> Model:
        """The model a tree holds; ``text`` is only looked at to say in which line a mistake is. UsageError."""
        try:
            return self.model.model_validate(tree)
        except ValidationError as wrong:
            raise self.refusal(self._mistakes_from(wrong), text, file) from wrong

    def refusal(self, mistakes: list[Mistake], text: str, file: str) -> UsageError:
        """An error that names the place of every mistake."""
        root = yaml.compose(text, self.loader)
        found = ((*_place(root, mistake.path), mistake.says) for mistake in mistakes)
        return self._invalid([f"{file}:{line}: {path or self.noun}: {says}" for line, path, says in found])

    def _mistakes_from(self, wrong: ValidationError) -> list[Mistake]:
        errors = wrong.errors()
        deeper = {error["loc"][:depth] for error in errors for depth in range(1, len(error["loc"]))}
        return [Mistake(error["loc"], self._in_words(error)) for error in errors if error["loc"] not in deeper]

    def _in_words(self, error: ErrorDetails) -> str:
        match error["type"]:
            case "extra_forbidden":
                return "there is no such key" + _meant(nearest_key(self.model, error["loc"]))
            case "missing":
                return "this key is missing"
            case "union_tag_invalid":
                known = [one.strip(" '") for one in error["ctx"]["expected_tags"].split(",")]
                nearest = get_close_matches(error["ctx"]["tag"], known, n=1, cutoff=0.5)
                return f"`{error['ctx']['tag']}` is none of {', '.join(known)}" + _meant("".join(nearest))
            case _:
                return error["msg"].removeprefix("Value error, ")

    def _invalid(self, lines: list[str]) -> UsageError:
        return UsageError(self.code, "\n".join(lines), then=self.then)


def _meant(nearest: str) -> str:
    return f"; did you mean `{nearest}`?" if nearest else ""


def _place(node: yaml.Node | None, path: Where) -> tuple[int, str]:
    """The line nearest to a path, and the path as people write it; the names of alternatives are not part of it."""
    line, written = (node.start_mark.line if node else 0), ""
    for position, piece in enumerate(path):
        inside = _inside(node, piece)
        if inside is not None:
            line, node = inside
        elif not (isinstance(piece, str) and position + 1 == len(path)):
            continue
        written += f"[{piece}]" if isinstance(piece, int) else f".{piece}"
    return line + 1, written.removeprefix(".")


def _inside(node: yaml.Node | None, piece: str | int) -> tuple[int, yaml.Node] | None:
    if isinstance(node, yaml.SequenceNode) and isinstance(piece, int) and piece < len(node.value):
        return node.value[piece].start_mark.line, node.value[piece]
    if isinstance(node, yaml.MappingNode):
        return next(((key.start_mark.line, value) for key, value in node.value if key.value == str(piece)), None)
    return None


def _keys_twice(node: yaml.Node, path: tuple[str, ...]) -> list[tuple[int, str]]:
    if isinstance(node, yaml.SequenceNode):
        return [one for item in node.value for one in _keys_twice(item, path)]
    if not isinstance(node, yaml.MappingNode):
        return []
    names = [key.value for key, _ in node.value]
    here = [
        (key.start_mark.line + 1, ".".join((*path, str(key.value))))
        for place, (key, _) in enumerate(node.value)
        if key.value in names[:place]
    ]
    return here + [one for key, value in node.value for one in _keys_twice(value, (*path, str(key.value)))]
