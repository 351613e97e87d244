"""Asks the old version what its recipe wants known before an upgrade; it only reads, and its answers decide nothing."""

from __future__ import annotations

import re

from runner.engine.port import EnginePort
from runner.errors import EngineError, EngineUnreachable, OutcomeUnknown
from runner.facts import Container, Finished
from runner.quoting import quoted, quoted_lines
from runner.recipes.model import Recipe
from runner.recipes.work import Listing, Preflight
from runner.world import Inquired

ANSWER_S = 60.0
CANNOT_RUN = (126, 127)
SHOWN_ITEMS = 10
SAID_LINES = 5
"""What is quoted of a check that says no."""


def inquire(engine: EnginePort, target: Container, recipe: Recipe | None) -> tuple[Inquired, ...]:
    """The answers to a recipe's checks and listings, in its order; none of a container that does not run."""
    if recipe is None or not target.state.running:
        return ()
    checks = (check for check in recipe.preflight if check.where == "old-container")
    return (
        *(_checked(engine, target, check) for check in checks),
        *(_listed(engine, target, listing) for listing in recipe.customised),
    )


def _checked(engine: EnginePort, target: Container, check: Preflight) -> Inquired:
    asked = Inquired(name=check.name, why=check.why, source=check.source)
    answer = _ask(engine, target, check.argv)
    if isinstance(answer, str):
        return asked.model_copy(update={"unheard": _said(answer, target)})
    return asked.model_copy(update={"refused": _said(_verdict(answer, check), target)})


def _said(text: str, target: Container) -> str:
    return "; ".join(quoted_lines(text, target, SAID_LINES))


def _verdict(answer: Finished, check: Preflight) -> str:
    """What it says against the upgrade; empty where nothing."""
    text = f"{answer.text}\n{answer.complaint}".strip()
    if check.danger:
        for line in text.splitlines():
            if re.search(check.danger, line):
                return line
    if answer.exit_code == check.exit_status:
        return ""
    return text or f"{' '.join(check.argv)} ended with {answer.exit_code}"


def _listed(engine: EnginePort, target: Container, listing: Listing) -> Inquired:
    asked = Inquired(name=listing.name, listing=True, source=listing.source)
    answer = _ask(engine, target, listing.argv)
    if isinstance(answer, str):
        return asked.model_copy(update={"unheard": _said(answer, target)})
    items = (line.strip() for line in answer.text.splitlines())
    own = [item for item in items if item and item.rpartition("/")[2] not in listing.ordinary]
    shown = tuple(quoted(item, target) for item in own[:SHOWN_ITEMS])
    return asked.model_copy(update={"items": shown, "count": len(own)})


def _ask(engine: EnginePort, target: Container, argv: tuple[str, ...]) -> Finished | str:
    """The command's end, or in words why there is none; which is no verdict."""
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
