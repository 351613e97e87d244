"""Every shipped recipe against its golden folder: facts in, hops out; a product is one file and one folder."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from pydantic import BaseModel, ConfigDict, Field

from runner.documents.reading import VersionSafeLoader
from runner.paths import NoPath, catalogue_of, find_path
from runner.paths import Path as Way
from runner.recipes.loader import recipe_named, recipes
from runner.versions import release_from

FOLDER = Path(__file__).parent / "golden" / "recipes"


class Case(BaseModel):
    """One line of a golden file; lists are written with spaces between."""

    model_config = ConfigDict(extra="forbid")

    start: str = Field(alias="from")
    goal: str = Field(alias="to")
    releases: str | None = None
    force: bool = False
    hops: str | None = None
    refused: str | None = None
    near: str | None = None
    says: str = ""


def golden_cases(folder: Path) -> list[Case]:
    text = (folder / "paths.yaml").read_text(encoding="utf-8")
    return [Case.model_validate(one) for one in yaml.load(text, VersionSafeLoader)]  # noqa: S506 -- a SafeLoader


CASES = [
    pytest.param(folder.name, case, id=f"{folder.name}: {case.start} to {case.goal} #{number}")
    for folder in sorted(FOLDER.iterdir())
    for number, case in enumerate(golden_cases(folder))
]


def test_every_recipe_has_its_golden_folder_and_every_folder_its_recipe() -> None:
    assert sorted(folder.name for folder in FOLDER.iterdir()) == sorted(recipe.name for recipe in recipes())


@pytest.mark.parametrize(("name", "case"), CASES)
def test_the_path_is_the_golden_one(name: str, case: Case) -> None:
    recipe = recipe_named(name)
    ends = release_from(case.start, recipe.scheme), release_from(case.goal, recipe.scheme)
    listed = None if case.releases is None else case.releases.split()
    found = find_path(recipe, *ends, catalogue_of(recipe, listed), force=case.force)
    if isinstance(found, Way):
        assert (" ".join(hop.text for hop in found.hops), None) == (case.hops, case.refused)
        assert case.says in " ".join(found.warnings)
        return
    assert (found.rule, None) == (case.refused, case.hops)
    assert_refusal_answers(found, case)


def assert_refusal_answers(found: NoPath, case: Case) -> None:
    assert found.source.startswith("https://")
    assert found.why
    if case.near is not None:
        assert " ".join(one.text for one in found.reachable) == case.near
