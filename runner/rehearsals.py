"""The results of rehearsals in REFLOAT_HOME, and the gate that asks for one; it plays nothing."""

from __future__ import annotations

import shutil
from datetime import timedelta
from pathlib import Path

from pydantic import ValidationError

from runner.errors import Refused
from runner.journal import write_durably
from runner.plan import Expectation, Plan
from runner.rehearsal import Rehearsed, convincing, relied_on
from runner.session import Session
from runner.staging import rehearsals_folder

MAX_AGE = timedelta(days=7)
KEPT = 50
"""How many results are kept."""


def save_result(session: Session, result: Rehearsed) -> None:
    """Keep a result."""
    path = rehearsals_folder(session.home) / f"{result.run}.json"
    write_durably(path, result.model_dump_json(indent=2) + "\n")
    _forget_old(path.parent)


def _forget_old(folder: Path) -> None:
    """Names begin with their time, so the oldest come first; a scene that still stands is never forgotten."""
    for old in sorted(folder.glob("*.json"))[:-KEPT]:
        if not (folder / old.stem / "scene.json").exists():
            shutil.rmtree(folder / old.stem, ignore_errors=True)
            old.unlink(missing_ok=True)  # several may end at the same time


def require_rehearsal(session: Session, plan: Plan, max_age: timedelta = MAX_AGE,
                      further: tuple[Expectation, ...] = (), then: str = "") -> None:  # fmt: skip
    """Refused ``not-rehearsed`` unless this very change passed a rehearsal lately.

    ``further`` is what the hops after the plan's rely on, ``then`` how to rehearse it.
    """
    lacking = convincing(_results(session), plan, session.clock.now(), max_age, further)
    if lacking:
        what = f"{plan.target} {plan.old.spoken} → {plan.new.spoken} must be rehearsed first: {lacking}."
        goal = "" if plan.is_stack else f" --image {plan.new.image_ref}"
        then = then or f"refloat rehearse {plan.target}{goal}"
        raise Refused("not-rehearsed", what, then=then)


def rehearsed_s(session: Session, plan: Plan) -> float | None:
    """How long the newest rehearsal of this very change took, its way back included; None where none passed."""
    same = [each for each in _results(session) if each.expectations == relied_on(plan) and each.passed]
    return max(same, key=lambda each: each.at).total_s if same else None


def _results(session: Session) -> tuple[Rehearsed, ...]:
    found = []
    for path in sorted(rehearsals_folder(session.home).glob("*.json")):
        try:
            found.append(Rehearsed.model_validate_json(path.read_text(encoding="utf-8")))
        except ValidationError:
            continue  # of another version: it convinces nobody
    return tuple(found)
