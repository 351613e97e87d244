"""Asks the old version what its recipe wants known before an upgrade; it only reads, and its answers decide nothing."""

from __future__ import annotations

import re
from collections.abc import Iterator

from runner.engine.port import EnginePort
from runner.errors import EngineError, EngineUnreachable, OutcomeUnknown
from runner.facts import Container, Finished
from runner.quoting import quoted, quoted_lines
from runner.recipes.model import Recipe
from runner.recipes.work import Listing, Preflight
from runner.signs import signs_from
from runner.steps.nouns import HealthTerms
from runner.verdict import CANNOT_RUN
from runner.world import Inquired

ANSWER_S = 60.0
SHOWN_ITEMS = 10
LOG_LINES = 1000
"""How far back in its log a migration is looked for."""
SAID_LINES = 5
"""What is quoted of a check that says no."""


def inquire(engine: EnginePort, target: Container, recipe: Recipe | None) -> tuple[Inquired, ...]:
    """The answers to a recipe's checks and listings, in its order; one that does not run says so."""
    if recipe is None:
        return ()
    listed = (_listed(engine, target, listing) for listing in recipe.customised)
    return (*ask_checks(engine, target, recipe), *listed)


def ask_checks(engine: EnginePort, target: Container, recipe: Recipe | None) -> tuple[Inquired, ...]:
    """The answers to its checks alone, which decide whether an upgrade may begin."""
    if recipe is None:
        return ()
    checks = (each for each in recipe.preflight if each.where == "old-container")
    return (*_migration(engine, target, recipe), *(_checked(engine, target, each) for each in checks))


def _migration(engine: EnginePort, target: Container, recipe: Recipe) -> tuple[Inquired, ...]:
    """That it is migrating its data right now, where its recipe says it is not to be stopped meanwhile.

    Only a log that also tells when it is over can tell that; the engine's health check knows it, too.
    """
    healthy = target.state.health is not None and target.state.health.status == "healthy"
    if not (recipe.never_stop_while_migrating and recipe.ready_log and target.state.running) or healthy:
        return ()
    terms = HealthTerms(deadline_s=0, migrating=recipe.migrating_log, migrated=recipe.ready_log)
    signs = signs_from(engine.logs(target.id, tail=LOG_LINES), terms)
    if not signs.migrating:
        return ()
    why = "Cut off in the middle of that, it may never start again: wait until it is done."
    said = _said(f"it is migrating its data ({signs.progress})", target)
    return (Inquired(name="its own log", refused=said, why=why, source=recipe.backward.source),)


def _checked(engine: EnginePort, target: Container, asks: Preflight) -> Inquired:
    asked = Inquired(name=asks.name, why=asks.why, source=asks.source)
    answer = _ask(engine, target, asks.argv)
    if isinstance(answer, str):
        return asked.model_copy(update={"unheard": _said(answer, target)})
    return asked.model_copy(update={"refused": _said(_verdict(answer, asks), target)})


def _said(text: str, target: Container) -> str:
    return "; ".join(quoted_lines(text, target, SAID_LINES))


def _verdict(answer: Finished, asks: Preflight) -> str:
    """What it says against the upgrade; empty where nothing."""
    text = f"{answer.text}\n{answer.complaint}".strip()
    if asks.danger:
        for line in text.splitlines():
            if re.search(asks.danger, line):
                return line
    if answer.exit_code == asks.exit_status:
        return ""
    return text or f"{' '.join(asks.argv)} ended with {answer.exit_code}"


def _listed(engine: EnginePort, target: Container, listing: Listing) -> Inquired:
    asked = Inquired(name=listing.name, listing=True, source=listing.source)
    answer = _ask(engine, target, listing.argv)
    if isinstance(answer, str):
        return asked.model_copy(update={"unheard": _said(answer, target)})
    found = _items(answer.text, listing)
    own = [(item, line) for item, line in found if item.rpartition("/")[2] not in listing.ordinary]
    shown = tuple(quoted(item, target) for item, _ in own[:SHOWN_ITEMS])
    limits = tuple((quoted(item, target), until) for item, line in own if (until := _first(listing.until, line)))
    return asked.model_copy(update={"items": shown, "count": len(own), "limits": limits})


def _items(text: str, listing: Listing) -> Iterator[tuple[str, str]]:
    """Each item with the line it stands in."""
    for line in (line.strip() for line in text.splitlines()):
        item = " ".join(_first(listing.items, line).split()) if listing.items else line  # a table pads its columns
        if item:
            yield item, line


def _first(pattern: str | None, line: str) -> str:
    """What the first group of a pattern, or all of it, matches; empty where nothing."""
    found = re.search(pattern, line) if pattern else None
    return (found.group(1) if found.re.groups else found.group()) if found else ""


def _ask(engine: EnginePort, target: Container, argv: tuple[str, ...]) -> Finished | str:
    """The command's end, or in words why there is none; which is no verdict."""
    if not target.state.running:
        return f"it is {target.state.status}"
    try:
        answer = engine.execute(target.id, argv, timeout_s=ANSWER_S)
    except (EngineUnreachable, OutcomeUnknown):
        raise
    except EngineError as error:
        return error.what
    if answer.exit_code is None:
        return f"no answer within {ANSWER_S:.0f} s"
    if answer.exit_code in CANNOT_RUN:
        return answer.complaint or answer.text or "the command cannot be run there"
    return answer
