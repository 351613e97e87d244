"""`refloat recipes`: list, show, check, schema, explain, new and path; it touches no engine."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from runner.cli.ground import own_recipes
from runner.cli.recipe_texts import explanation_of, skeleton_of, text_of
from runner.cli.releases import releases_in
from runner.errors import Exit, UsageError
from runner.paths import NoPath, catalogue_of, find_path
from runner.paths import Path as Way
from runner.recipes.loader import recipe_from_file, recipe_named, recipes_with
from runner.recipes.model import Recipe
from runner.report.words import count_words
from runner.reports import write_text
from runner.versions import release_from

recipes_app = typer.Typer(no_args_is_help=True, help="What refloat knows about products.")

AsJson = Annotated[bool, typer.Option("--json", help="Machine-readable output.")]
Own = Annotated[list[Path] | None, typer.Option("--recipe", help="A recipe of your own, or a folder of them.")]
Name = Annotated[str, typer.Argument(metavar="RECIPE")]


def _found(name: str, own: list[Path] | None) -> Recipe:
    """A recipe by name, or by its file."""
    file = Path(name)
    if file.suffix in (".yaml", ".yml"):
        return recipe_from_file(file)
    return recipe_named(name, recipes_with((*(own or ()), *own_recipes())))


@recipes_app.command("list")
def list_recipes(as_json: AsJson = False, own: Own = None) -> None:
    """Every recipe: product, how it was checked, downgrade class."""
    known = recipes_with((*(own or ()), *own_recipes()))
    if as_json:
        rows = [
            {"name": one.name, "title": one.title, "verified": one.verified, "downgrade": one.downgrade}
            for one in known
        ]
        typer.echo(json.dumps(rows, indent=2))
        return
    table = Table("recipe", "product", "checked against", "downgrade", box=None)
    for one in known:
        table.add_row(one.name, one.title, one.verified, one.downgrade)
    Console().print(table)


@recipes_app.command()
def show(name: Name, as_json: AsJson = False, own: Own = None) -> None:
    """All facts of one recipe."""
    recipe = _found(name, own)
    typer.echo(recipe.model_dump_json(indent=2, by_alias=True) if as_json else text_of(recipe))


@recipes_app.command()
def check(files: Annotated[list[Path], typer.Argument(metavar="FILE...")]) -> None:
    """Read recipe files and say what is wrong with them, with file, line and key."""
    for file in files:
        recipe = recipe_from_file(file)
        typer.echo(f"{file}: {recipe.title}: {count_words(len(recipe.hops), 'hop rule')}, nothing wrong")


@recipes_app.command()
def schema() -> None:
    """The JSON Schema of a recipe, for editors."""
    typer.echo(json.dumps(Recipe.model_json_schema(), indent=2))


@recipes_app.command()
def explain(
    key: Annotated[str, typer.Argument(metavar="KEY", help="As in stop_timeout_s, hops or notes.kind.")],
) -> None:
    """What a key of a recipe means and what may stand there."""
    typer.echo(explanation_of(key))


@recipes_app.command()
def new(
    name: Annotated[str, typer.Argument(metavar="NAME")],
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Write it here instead of showing it.")] = None,
) -> None:
    """A commented recipe to start from."""
    text = skeleton_of(name)
    if output is None:
        typer.echo(text, nl=False)
        return
    if output.exists():
        raise UsageError("file-exists", f"{output} exists already.", then="Name another file, or move that one away.")
    write_text(output, text)
    typer.echo(f"{output} written; `refloat recipes check {output}` reads it.")


@recipes_app.command()
def path(
    name: Name,
    start: Annotated[str, typer.Argument(metavar="FROM")],
    goal: Annotated[str, typer.Argument(metavar="TO")],
    releases: Annotated[
        str | None, typer.Option(help="The releases that exist: a file, or a list with commas.")
    ] = None,
    force: Annotated[
        bool, typer.Option(help="Where the vendor allows forcing, with the vendor's consequence.")
    ] = False,
    as_json: AsJson = False,
    own: Own = None,
) -> None:
    """The hops from one release to another, or the rule that forbids it (exit 3)."""
    recipe = _found(name, own)
    known = catalogue_of(recipe, releases_in(releases) if releases is not None else None)
    ends = release_from(start, recipe.scheme), release_from(goal, recipe.scheme)
    found = find_path(recipe, *ends, known, force=force)
    if isinstance(found, NoPath):
        typer.echo(json.dumps(_refused(found)) if as_json else _refused_text(start, goal, found))
        raise typer.Exit(int(Exit.REFUSED))
    typer.echo(json.dumps({"hops": [one.text for one in found.hops]}) if as_json else _hops_text(start, found))
    for said in found.warnings:
        typer.echo(f"! {said}", err=True)


def _refused(found: NoPath) -> dict[str, dict[str, object]]:
    near = [one.text for one in found.reachable]
    return {"refused": {"rule": found.rule, "why": found.why, "source": found.source, "reachable": near}}


def _hops_text(start: str, found: Way) -> str:
    if not found.hops:
        return f"{start}: already there"
    return " → ".join((start, *(one.text for one in found.hops)))


def _refused_text(start: str, goal: str, found: NoPath) -> str:
    near = ", ".join(one.text for one in found.reachable) or "none"
    return (
        f"There is no path from {start} to {goal}.\n{found.why}\nRule: {found.rule} ({found.source})\n"
        f"Nearest reachable: {near}"
    )
