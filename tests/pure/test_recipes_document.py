"""docs/recipes.md: every session in it is what the command really prints."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest
from typer.testing import CliRunner

from runner.cli.recipes import recipes_app
from runner.recipes.reading import recipe_from_yaml, tree_from_yaml

TEXT = (Path(__file__).parents[2] / "docs" / "recipes.md").read_text(encoding="utf-8")
BLOCKS = [
    "\n".join(line.removeprefix("    ") for line in block.splitlines())
    for block in TEXT.split("\n\n")
    if block.startswith("    ")
]
SESSIONS = [block for block in BLOCKS if block.startswith("$ refloat recipes ")]


@pytest.mark.parametrize("session", SESSIONS, ids=lambda session: session.partition("\n")[0])
def test_a_session_in_the_document_is_real(session: str) -> None:
    asked, _, answered = session.partition("\n")
    result = CliRunner().invoke(recipes_app, shlex.split(asked)[3:])
    assert result.stdout.strip() == answered


def test_there_are_sessions_to_check() -> None:
    assert len(SESSIONS) == 3


def test_the_extension_in_the_document_reads_without_mistakes() -> None:
    block = next(block for block in BLOCKS if block.startswith("extends: redis"))
    shipped = Path(__file__).parents[2] / "runner" / "recipes" / "redis.yaml"
    tree = tree_from_yaml(shipped.read_text(encoding="utf-8"), "redis.yaml")
    assert recipe_from_yaml(block, "ours.yaml", tree).stop_timeout_s == 300
