"""`refloat prune`: say what no open or retained run needs, ask, and remove it; it never touches an open run."""

from __future__ import annotations

from typing import Annotated

import typer

from runner.cli.ground import open_session, place_from
from runner.cli.terminal import ask, say, say_json, tell
from runner.cli.wishes import AsJson, Vault, Yes

Foreign = Annotated[
    bool, typer.Option("--foreign", help="Sealed snapshots of runs that are not known here, too. Day-old ones only.")
]
Versions = Annotated[
    bool, typer.Option("--versions", help="Images of older versions that no container and no way back uses, too.")
]


def prune_command(vault: Vault = "", foreign: Foreign = False, versions: Versions = False, yes: Yes = False,
                  as_json: AsJson = False) -> None:  # fmt: skip
    """Remove what no run needs any more. Says what and how much before it asks."""
    from runner.pruning import find_leftovers, prune
    from runner.report.words import columns, count_words, size_words

    session, place = open_session(), place_from(vault)
    found = find_leftovers(session, place, foreign=foreign, versions=versions)
    if not found and not as_json:
        say("There is nothing to remove.")
    elif found:
        rows = tuple((each.kind, each.name, size_words(each.size_bytes), each.why) for each in found)
        total = size_words(sum(each.size_bytes for each in found))
        tell(columns(rows, ("kind", "name", "size", "why")))
        ask(f"Remove {count_words(len(found), 'thing')}, {total} in all?", yes=yes)
    for each in found:
        prune(session, each)
    if as_json:
        say_json([each.model_dump(mode="json") for each in found])
    elif found:
        say(f"Removed {count_words(len(found), 'thing')}.")
