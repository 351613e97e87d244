"""What a refresh of configuration did, or would do, path by path with its diff, in words; it judges nothing."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Iterator

from pydantic import JsonValue

from runner.facts import Json
from runner.quoting import quoted_text
from runner.records import Did, Record
from runner.refresh.report import waiting_for_answers
from runner.report.story import Listing
from runner.vault.configuration import OpenQuestion, Refreshed
from runner.way import recipe_of
from runner.world import Refreshing, World


def configuration_told(records: tuple[Record, ...]) -> Iterator[Listing]:
    """Every path of which the refresh had something to say; nothing where there was none."""
    told = next((each.facts["paths"] for each in records if isinstance(each, Did) and "paths" in each.facts), None)
    lines: list[str] = []
    for path in told if isinstance(told, list) else ():
        if isinstance(path, dict):
            said, diff = path.get("lines"), path.get("diff")
            lines += [str(line).strip() for line in said] if isinstance(said, list) else []
            lines += [f"  {line}" for line in str(diff or "").splitlines()]
    if lines:
        yield Listing(title="Configuration", lines=tuple(lines), is_verbatim=True)


def preview_text(world: World, seen: Refreshing | None) -> str:
    """What a refresh would do, for people: status lines, diffs, counts, open conflicts; secrets are hidden."""
    if seen is None:
        return _why_nothing(world)
    lines = [f"Configuration of {world.target.name}: {', '.join(seen.found.places)}"]
    for path in seen.found.paths:
        lines += [*path.lines, *(f"   {line}" for line in quoted_text(path.diff, world.target).splitlines())]
    lines.append(f"{seen.found.changed} path(s) to be changed. {seen.found.spoken}.")
    if seen.found.open:
        lines.append(waiting_for_answers(len(seen.found.open)))
    return "\n".join(lines)


def _why_nothing(world: World) -> str:
    recipe = recipe_of(world)
    paths = ", ".join(tree.path for tree in recipe.config_paths) if recipe else ""
    if not paths:
        return f"There is nothing to refresh: no configuration of {world.target.name} is known. Name one: --config-path"
    return (
        f"There is nothing to refresh in {paths}: it is done to whole directories on volumes or folders that "
        f"{world.target.name} may write to, where both images bring defaults."
    )


def preview_json(world: World, seen: Refreshing | None) -> Json:
    """The same for a program; a conflict comes with its choices, its fingerprint and the merge as far as it came."""
    found = seen.found if seen else Refreshed()
    paths: list[JsonValue] = [
        {"path": each.path, "lines": [*each.lines], "diff": quoted_text(each.diff, world.target)}
        for each in found.paths
    ]
    return {
        "target": world.target.name,
        "places": [*found.places],
        "changed": found.changed,
        "counts": {**found.counts},
        "paths": paths,
        "open": [_open(each) for each in found.open],
    }


def _open(question: OpenQuestion) -> Json:
    told = question.model_dump(mode="json", exclude={"texts"})
    if merged := question.texts.get("merged"):
        told["half_merged"] = b64decode(merged).decode("utf-8", "surrogateescape")
    return told
