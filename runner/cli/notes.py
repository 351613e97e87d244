"""`refloat notes` and `gates`: what a product's vendor says and asks before an upgrade; no container is touched."""

from __future__ import annotations

from typing import TYPE_CHECKING

from runner.cli.asked import asked
from runner.cli.ground import open_session
from runner.cli.plan import Target
from runner.cli.terminal import say, say_json
from runner.cli.wishes import Answers, AsJson, Image, To, Wishes

if TYPE_CHECKING:
    from runner.answers import Answer
    from runner.due_now import Due
    from runner.recipes.work import Gate, Note


def notes_command(target: Target, to: To = "", image: Image = "", as_json: AsJson = False) -> None:
    """What changes on the way to a version. Incompatible, mandatory and optional, each with its source."""
    from runner.verbs import Refloat

    session, want = open_session(), asked(target, Wishes(to, image))
    due = Refloat(session).due(want.target, want.wishes.goal)
    if as_json:
        say_json(due.model_dump(mode="json", exclude={"gates", "typed"}))
        return
    say("\n".join((_head(due, "changes", bool(due.notes)), *(line for note in due.notes for line in _told(note)))))


def gates_command(target: Target, to: To = "", image: Image = "", answer: Answers = None,
                  as_json: AsJson = False) -> None:  # fmt: skip
    """What wants an answer before an upgrade. Answers are kept for this target and version."""
    from runner.due_now import answer_to
    from runner.verbs import Refloat

    refloat, want = Refloat(open_session()), asked(target, Wishes(to, image))
    due = refloat.due(want.target, want.wishes.goal)
    answers = refloat.answers(due, tuple(answer or ()))
    pairs = tuple((gate, answer_to(due, gate, answers)) for gate in due.gates)
    if as_json:
        rows = [{**gate.model_dump(mode="json"), "answer": said.model_dump() if said else None} for gate, said in pairs]
        say_json({**due.model_dump(mode="json", exclude={"notes", "typed", "gates"}), "gates": rows})
        return
    say("\n".join((_head(due, "questions", bool(pairs)), *(line for pair in pairs for line in _question(due, *pair)))))


def _head(due: Due, about: str, found: bool) -> str:
    way = f"{due.target}: {due.product or 'no recipe knows this product'}, {due.leaving} → {due.goal}"
    if not due.product:
        return way
    if not due.known:
        return f"{way}: a version that cannot be read, so nothing is known"
    return way if found else f"{way}: no {about} known"


def _told(note: Note) -> tuple[str, ...]:
    since = f" (with {note.at})" if note.at else ""
    who = " Only an administrator can do it." if note.administrator else ""
    without = f" Without it: {note.missing_without}" if note.missing_without else ""
    return (f"  {note.kind:<12} {note.id}{since}", f"    {note.what}{without}{who}", f"    {note.source}")


def _question(due: Due, gate: Gate, said: Answer | None) -> tuple[str, ...]:
    typed = f"refloat gates {due.target} {due.typed} --answer {gate.id}=TEXT"
    words = f"answered: {said.answer} ({said.at[:16]})" if said else f"open: {typed}"
    must = ", apply waits for it" if gate.blocks and not said else ""
    return (f"  {gate.id}{must}", f"    {gate.question}", f"    {gate.source}", f"    {words}")
