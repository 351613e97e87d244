"""What a recipe's facts must have in common beyond their shape: its own versions readable, its words used; no I/O."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from pydantic import BaseModel

from runner import hops
from runner.documents.keys import Where
from runner.documents.reading import Mistake
from runner.errors import UsageError
from runner.recipes.model import DatedRelease, Recipe
from runner.recipes.work import Coupled, Gate, Note, PackageList
from runner.versions import release_from, series_from

RELEASES: dict[type[BaseModel], tuple[str, ...]] = {
    hops.AnyForward: ("since",),
    hops.Minimum: ("needs",),
    hops.NextFeatureVersion: ("stepwise_to",),
    hops.ManualSteps: ("releases",),
    hops.Bound: ("procedure_to", "plain_from"),
    hops.Backward: ("not_below",),
    hops.Barrier: ("leaving", "below"),
    DatedRelease: ("version",),
    Recipe: ("releases",),
    Note: ("at",),
    Gate: ("at",),
    PackageList: ("at",),
    Coupled: ("at",),
}
SERIES: dict[type[BaseModel], tuple[str, ...]] = {
    hops.Minimum: ("into",),
    hops.OneMajorAtATime: ("majors",),
    hops.RequiredStops: ("stops",),
    hops.LtsTracks: ("lts",),
    hops.Bound: ("series",),
}


def mistakes_in(recipe: Recipe) -> list[Mistake]:
    """Every release and series in the recipe that its own scheme cannot read, and every downgrade without its facts."""
    return [*_unreadable(recipe, recipe, ()), *_downgrade_without_facts(recipe)]


def _downgrade_without_facts(recipe: Recipe) -> Iterator[Mistake]:
    if (recipe.downgrade == "barriers") != bool(recipe.backward.barriers):
        yield Mistake(("backward",), "`barriers` belong to `downgrade: barriers`, and only there")


def _unreadable(recipe: Recipe, here: BaseModel, path: Where) -> Iterator[Mistake]:
    for key in type(here).model_fields:
        value = getattr(here, key)
        if key in RELEASES.get(type(here), ()):
            yield from _wrong_texts(value, (*path, key), lambda text: release_from(text, recipe.scheme))
        if key in SERIES.get(type(here), ()):
            yield from _wrong_texts(value, (*path, key), series_from)
        for place, model in _models_in(value, (*path, key)):
            yield from _unreadable(recipe, model, place)


def _wrong_texts(value: object, path: Where, read: Callable[[str], object]) -> Iterator[Mistake]:
    for place, text in _texts_in(value, path):
        try:
            read(text)
        except UsageError as wrong:
            yield Mistake(place, f"{wrong.what} {wrong.then}")


def _texts_in(value: object, path: Where) -> Iterator[tuple[Where, str]]:
    if isinstance(value, str):
        yield path, value
    if isinstance(value, tuple):
        yield from (((*path, place), one) for place, one in enumerate(value) if isinstance(one, str))


def _models_in(value: object, path: Where) -> Iterator[tuple[Where, BaseModel]]:
    if isinstance(value, BaseModel):
        yield path, value
    if isinstance(value, tuple):
        yield from (((*path, place), one) for place, one in enumerate(value) if isinstance(one, BaseModel))
