"""Finding and reading recipes: the shipped ones and a user's own; it reads YAML files and nothing else."""

from __future__ import annotations

import re
from collections.abc import Sequence
from difflib import get_close_matches
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

from runner.errors import UsageError

if TYPE_CHECKING:
    from runner.documents.reading import Tree
    from runner.recipes.model import Recipe

_OWN: list[Recipe] = []
"""The user's recipes, for as long as this process lives; they stand before the shipped ones."""
_FILES: dict[str, Path] = {}
"""The file of each of them, by its name."""


def put_first(own: Sequence[Path]) -> None:
    """From now on the recipes in these files, or folders of files, stand before the shipped ones; UsageError."""
    read = [(recipe_from_file(path), path) for path in _files(own)]
    _OWN[:] = [recipe for recipe, _ in read]
    _FILES.clear()
    _FILES.update({recipe.name: path for recipe, path in reversed(read)})


def is_own(name: str) -> bool:
    """Whether the recipe of this name is the user's."""
    return name in _FILES


def text_of(name: str) -> str:
    """A recipe's text, whole by itself: the user's own with all it extends, or the shipped one; empty where none is."""
    if not is_own(name):
        return dict(shipped_texts()).get(f"{name}.yaml", "")
    import yaml

    from runner.recipes.reading import tree_from_yaml

    text = _FILES[name].read_text(encoding="utf-8")
    tree = tree_from_yaml(text, str(_FILES[name]))
    extended = tree.pop("extends", None)
    return yaml.safe_dump({**_shipped_tree(str(extended)), **tree}, sort_keys=False) if extended else text


@cache
def recipes() -> tuple[Recipe, ...]:
    """All shipped recipes, by name."""
    return tuple(_shipped(file) for file, _ in shipped_texts())


@cache
def _shipped(file: str) -> Recipe:
    """Only what reads a recipe loads what reading takes: it is slower than most else about a short command."""
    from runner.recipes.reading import recipe_from_yaml

    return recipe_from_yaml(dict(shipped_texts())[file], file)


@cache
def shipped_texts() -> tuple[tuple[str, str], ...]:
    """File name and text of every shipped recipe."""
    found = (one for one in files("runner.recipes").iterdir() if one.name.endswith(".yaml"))
    return tuple((one.name, one.read_text(encoding="utf-8")) for one in sorted(found, key=lambda one: one.name))


def recipe_named(name: str, known: tuple[Recipe, ...] | None = None) -> Recipe:
    """The recipe of this name, or an error that names the nearest one."""
    among = _before(_OWN, recipes()) if known is None else known
    for recipe in among:
        if recipe.name == name or name in recipe.names:
            return recipe
    nearest = get_close_matches(name, [one.name for one in among], n=1)
    meant = f"Did you mean {nearest[0]}? " if nearest else ""
    raise UsageError(
        "recipe-unknown", f"There is no recipe called {name!r}.", then=f"{meant}`refloat recipes list` names them all."
    )


def recipe_for_image(repository: str, known: tuple[Recipe, ...] | None = None) -> Recipe | None:
    """The recipe of an image repository: by its full path first, then by a last component the recipe claims."""
    path = without_host(repository)
    among = _before(_OWN, _naming(path.rpartition("/")[2])) if known is None else known
    for recipe in among:
        if any(image.repository == path for image in recipe.images):
            return recipe
    last = path.rsplit("/", 1)[-1]
    return next((recipe for recipe in among if last in recipe.names), None)


@cache
def _naming(word: str) -> tuple[Recipe, ...]:
    """The shipped recipes with this word where they say which images are theirs; ``web`` stands in many.

    Reading a recipe takes longer than all else about a plan.
    """
    claim = re.compile(rf"\b(?:repository|names):.*(?<![\w.-]){re.escape(word)}(?![\w.-])")
    return tuple(_shipped(file) for file, text in shipped_texts() if word in text and claim.search(text))


def recipe_from_file(path: Path) -> Recipe:
    """A user's own recipe; with `extends: NAME` on top of a shipped one, key by key."""
    from runner.recipes.reading import recipe_from_yaml, tree_from_yaml

    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as wrong:
        why = (wrong.strerror or "the system says no") if isinstance(wrong, OSError) else "it is no text"
        raise UsageError("recipe-unreadable", f"The recipe {path} cannot be read: {why}.") from None
    extended = tree_from_yaml(text, str(path)).get("extends")
    return recipe_from_yaml(text, str(path), _shipped_tree(str(extended)) if extended else None)


def recipes_with(own: tuple[Path, ...]) -> tuple[Recipe, ...]:
    """A user's recipes before the shipped ones: files, or folders of files."""
    return _before(_read(own), recipes())


def _read(own: Sequence[Path]) -> tuple[Recipe, ...]:
    return tuple(recipe_from_file(path) for path in _files(own))


def _files(own: Sequence[Path]) -> list[Path]:
    return [one for path in own for one in (sorted(path.glob("*.yaml")) if path.is_dir() else [path])]


def _before(mine: Sequence[Recipe], shipped: tuple[Recipe, ...]) -> tuple[Recipe, ...]:
    """Both; what has the same name in both is the user's."""
    names = {recipe.name for recipe in mine}
    return (*mine, *(recipe for recipe in shipped if recipe.name not in names))


def _shipped_tree(name: str) -> Tree:
    from runner.recipes.reading import tree_from_yaml

    file = f"{recipe_named(name, recipes()).name}.yaml"
    return tree_from_yaml(dict(shipped_texts())[file], file)


def without_host(repository: str) -> str:
    """The path in its registry: host, tag and digest dropped, and Docker Hub's silent `library/` too."""
    bare = repository.split("@", 1)[0]
    head, slash, rest = bare.partition("/")
    if slash and ("." in head or ":" in head or head == "localhost"):
        bare = rest
    folder, slash, last = bare.rpartition("/")
    return f"{folder}{slash}{last.split(':', 1)[0]}".removeprefix("library/")
