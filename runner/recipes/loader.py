"""Finding and reading recipes: the shipped ones and a user's own; it reads YAML files and nothing else."""

from __future__ import annotations

from functools import cache
from importlib.resources import files

from runner.errors import UsageError
from runner.recipes.model import Recipe
from runner.recipes.reading import recipe_from_yaml


@cache
def recipes() -> tuple[Recipe, ...]:
    """All shipped recipes, by name."""
    folder = files("runner.recipes")
    shipped = sorted((one for one in folder.iterdir() if one.name.endswith(".yaml")), key=lambda one: one.name)
    return tuple(recipe_from_yaml(one.read_text(encoding="utf-8"), one.name) for one in shipped)


def recipe_named(name: str, known: tuple[Recipe, ...] | None = None) -> Recipe:
    """The recipe of this name, or a refusal that names the nearest one."""
    among = recipes() if known is None else known
    for recipe in among:
        if recipe.name == name:
            return recipe
    raise UsageError("recipe-unknown", f"There is no recipe called {name!r}.")


def recipe_for_image(repository: str, known: tuple[Recipe, ...] | None = None) -> Recipe | None:
    """The recipe of an image repository: by its full path first, then by a last component the recipe claims."""
    among = recipes() if known is None else known
    path = _without_host(repository)
    for recipe in among:
        if any(image.repository == path for image in recipe.images):
            return recipe
    last = path.rsplit("/", 1)[-1]
    return next((recipe for recipe in among if last in recipe.names), None)


def _without_host(repository: str) -> str:
    """The path in its registry: host, tag and digest dropped, and Docker Hub's silent `library/` too."""
    bare = repository.split("@", 1)[0]
    head, slash, rest = bare.partition("/")
    if slash and ("." in head or ":" in head or head == "localhost"):
        bare = rest
    folder, slash, last = bare.rpartition("/")
    return f"{folder}{slash}{last.split(':', 1)[0]}".removeprefix("library/")
