"""`refloat notes` and `gates`: what a product's vendor says and asks before an upgrade; no container is touched."""

from __future__ import annotations

import getpass
import socket
from typing import TYPE_CHECKING, Annotated

import typer

from runner.cli.asked import asked
from runner.cli.ground import open_session
from runner.cli.plan import Target
from runner.cli.terminal import say, say_json
from runner.cli.wishes import Answers, AsJson, Image, To, Wishes

if TYPE_CHECKING:
    from runner.answers import Answer
    from runner.due_now import Due
    from runner.recipes.work import Gate, Note


Acks = Annotated[
    list[str] | None,
    typer.Option(
        "--ack",
        metavar="ID",
        help="Acknowledge a note, with who and when; apply waits for incompatible ones.",
    ),
]


def notes_command(target: Target, to: To = "", image: Image = "", ack: Acks = None, as_json: AsJson = False) -> None:
    """What changes on the way to a version. Incompatible, mandatory and optional, each with its source."""
    from runner.answers import keep_answers, read_answers
    from runner.due_now import acknowledged, acknowledgements
    from runner.verbs import Refloat

    session, want = open_session(), asked(target, Wishes(to, image))
    due = Refloat(session).due(want.target, want.wishes.goal)
    read = acknowledgements(due, tuple(ack or ()), _whoever(), session.now())
    answers = keep_answers(session.home, read) if read else read_answers(session.home)
    pairs = tuple((note, acknowledged(due, note, answers)) for note in due.notes)
    if as_json:
        rows = [{**note.model_dump(mode="json"), "acknowledged": _by_whom(said)} for note, said in pairs]
        say_json({**due.model_dump(mode="json", exclude={"notes", "gates", "typed"}), "notes": rows})
        return
    say("\n".join((_head(due, "changes", bool(pairs)), *(line for pair in pairs for line in _told(*pair)))))


def _by_whom(said: Answer | None) -> dict[str, str] | None:
    return {"by": said.by, "at": said.at} if said else None


def _whoever() -> str:
    """Who types here."""
    try:
        return f"{getpass.getuser()}@{socket.gethostname()}"
    except (OSError, KeyError):  # an account without a name, as in a container
        return socket.gethostname()


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


def _told(note: Note, said: Answer | None) -> tuple[str, ...]:
    read = f", acknowledged by {said.by} on {said.at[:10]}" if said else ""
    from runner.due_now import told_of

    since = f" (with {note.at})" if note.at else ""
    return (f"  {note.kind:<12} {note.id}{since}{read}", f"    {told_of(note)}", f"    {note.source}")


def _question(due: Due, gate: Gate, said: Answer | None) -> tuple[str, ...]:
    typed = f"refloat gates {due.target} {due.typed} --answer {gate.id}=TEXT"
    words = f"answered: {said.answer} ({said.at[:16]})" if said else f"open: {typed}"
    must = ", apply waits for it" if gate.blocks and not said else ""
    return (f"  {gate.id}{must}", f"    {gate.question}", f"    {gate.source}", f"    {words}")
