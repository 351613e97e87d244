"""What is due between two releases of a product: notes, gates, package lists, coupled parts; it asks nobody."""

from __future__ import annotations

from runner.recipes.model import Recipe
from runner.recipes.work import Coupled, Gate, Note, PackageList
from runner.versions import Release, release_from


def notes_between(recipe: Recipe, leaving: Release, into: Release) -> tuple[Note, ...]:
    """The changes that come with the releases above the one, up to and with the other."""
    return tuple(note for note in recipe.notes if _comes_between(recipe, note.at, leaving, into))


def notes_ahead(recipe: Recipe, leaving: Release) -> tuple[Note, ...]:
    """The changes that come with a later release than this one, whichever will be entered."""
    known = (note for note in recipe.notes if note.at is not None)
    return tuple(note for note in known if release_from(note.at or "", recipe.scheme).rank > leaving.rank)


def gates_between(recipe: Recipe, leaving: Release, into: Release) -> tuple[Gate, ...]:
    """The questions that need an answer before this upgrade."""
    return tuple(gate for gate in recipe.gates if _comes_between(recipe, gate.at, leaving, into))


def packages_between(recipe: Recipe, leaving: Release, into: Release) -> tuple[PackageList, ...]:
    """The package lists a runtime change on the way makes worth comparing."""
    return tuple(one for one in recipe.packages if _comes_between(recipe, one.at, leaving, into))


def coupled_at(recipe: Recipe, into: Release) -> tuple[Coupled, ...]:
    """The components that move with this one at a release."""
    known = recipe.coupled
    return tuple(one for one in known if one.at is None or into.rank >= release_from(one.at, recipe.scheme).rank)


def _comes_between(recipe: Recipe, at: str | None, leaving: Release, into: Release) -> bool:
    return at is None or leaving.rank < release_from(at, recipe.scheme).rank <= into.rank
