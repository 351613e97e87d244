"""From the text of a recipe to the model; it opens no file."""

from __future__ import annotations

from runner.documents.reading import Kind, Tree
from runner.recipes.consistency import mistakes_in
from runner.recipes.model import Recipe

RECIPE = Kind(Recipe, "recipe", "recipe-invalid", "`refloat recipes explain KEY` says what a key means.")


def tree_from_yaml(text: str, file: str) -> Tree:
    """The mapping a recipe's text holds, before anything is known about its keys."""
    return RECIPE.tree(text, file)


def recipe_from_yaml(text: str, file: str, shipped: Tree | None = None) -> Recipe:
    """The recipe a text holds; on top of another's facts where it extends one."""
    tree = tree_from_yaml(text, file)
    tree.pop("extends", None)
    recipe = RECIPE.read({**(shipped or {}), **tree}, text, file)
    inconsistent = mistakes_in(recipe)
    if inconsistent:
        raise RECIPE.refusal(inconsistent, text, file)
    return recipe
