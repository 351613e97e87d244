"""What a recipe asks of people before one upgrade: its notes and gates between both sides; it touches nothing."""

from __future__ import annotations

from runner.answers import Answer
from runner.errors import Later, UsageError
from runner.facts import Fact
from runner.plan import Plan, PlanWarning, Side
from runner.recipes.due import gates_between, notes_ahead, notes_between
from runner.recipes.loader import recipe_for_image
from runner.recipes.model import Recipe
from runner.recipes.tags import release_in_tag
from runner.recipes.work import Gate, Note
from runner.versions import Release
from runner.way import repository

OLD_CLIENTS = {
    "yes": "Older clients work with it.",
    "no": "Older clients do not work with it: everybody changes at once.",
    "unknown": "Whether older clients work with it, the release notes say.",
}


class Due(Fact):
    """The notes and gates of one target on its way to one release; none where the product or a version is unknown."""

    target: str
    leaving: str
    goal: str
    product: str = ""
    known: bool = False
    """Whether both versions could be read, so that an empty list means something."""
    typed: str
    """The goal as a command line names it."""
    notes: tuple[Note, ...] = ()
    gates: tuple[Gate, ...] = ()


def due_between(target: str, old: Side, new: Side) -> Due:
    """What is due between two images of a target."""
    recipe = recipe_for_image(repository(old.image_ref))
    plain = Due(target=target, leaving=old.spoken, goal=new.spoken, typed=_typed(old, new))
    if recipe is None or (recipe_for_image(repository(new.image_ref)) or recipe) != recipe:
        return plain
    named = plain.model_copy(update={"product": recipe.title})
    leaving, into = _release(recipe, old), _release(recipe, new)
    if leaving is None or into is None:
        return named
    both = named.model_copy(update={"known": True, "leaving": _bare(leaving), "goal": _bare(into)})
    if leaving == into:
        return both
    found = {"notes": notes_between(recipe, leaving, into), "gates": gates_between(recipe, leaving, into)}
    return both.model_copy(update=found)


def due_in(plan: Plan) -> tuple[Due, ...]:
    """What is due of each member before a plan is carried out; a way back asks nothing."""
    found = (due_between(member.target, member.old, member.new) for member in plan.members)
    return tuple(found) if plan.verb == "upgrade" else ()


def _release(recipe: Recipe, side: Side) -> Release | None:
    return release_in_tag(recipe, repository(side.image_ref), side.ruled)


def _bare(release: Release) -> str:
    """One spelling a release: some vendors write the v in the tag and leave it out of the label."""
    return release.text.removeprefix("v")


def _typed(old: Side, new: Side) -> str:
    home = repository(new.image_ref)
    tag = new.image_ref.removeprefix(f"{home}:")
    same = home == repository(old.image_ref) and tag != new.image_ref and "@" not in tag
    return f"--to {tag}" if same else f"--image {new.image_ref}"


def answer_to(due: Due, gate: Gate, answers: tuple[Answer, ...]) -> Answer | None:
    """What was answered to a gate of this upgrade."""
    return next((one for one in answers if one.to == (due.target, due.goal, gate.id)), None)


def open_gates(due: Due, answers: tuple[Answer, ...]) -> tuple[Gate, ...]:
    """The gates nobody has answered yet."""
    return tuple(gate for gate in due.gates if answer_to(due, gate, answers) is None)


def answers_from(due: Due, given: tuple[str, ...], at: str) -> tuple[Answer, ...]:
    """``ID=TEXT`` as typed, as answers; UsageError names what is due instead."""
    pairs = tuple(_pair(due, text) for text in given)
    return tuple(Answer(target=due.target, goal=due.goal, gate=gate, answer=words, at=at) for gate, words in pairs)


def asked_here(due: Due, standing: tuple[str, ...]) -> tuple[str, ...]:
    """Of answers given once for all upgrades those whose gate this one has."""
    ids = {gate.id for gate in due.gates}
    return tuple(text for text in standing if text.partition("=")[0].strip() in ids)


def _pair(due: Due, text: str) -> tuple[str, str]:
    gate, sign, words = (part.strip() for part in text.partition("="))
    ids = [one.id for one in due.gates]
    if not sign or not words:
        raise UsageError("bad-answer", f"--answer {text} is not ID=TEXT.", then="For example: --answer terms=accepted")
    if gate not in ids:
        asked = f"It asks: {', '.join(ids)}." if ids else "It asks nothing."
        then = f"refloat gates {due.target} {due.typed}"
        raise UsageError(
            "no-such-gate", f"The way of {due.target} to {due.goal} has no gate {gate}. {asked}", then=then
        )
    return gate, words


def acknowledged(due: Due, note: Note, answers: tuple[Answer, ...]) -> Answer | None:
    """Who acknowledged a note, and when. One that a release brings is acknowledged for every way through it."""
    return next((one for one in answers if one.to == _note_key(due, note)), None)


def acknowledgements(due: Due, ids: tuple[str, ...], by: str, at: str) -> tuple[Answer, ...]:
    """Notes by their ids as acknowledged; UsageError ``no-such-note`` names what is due instead."""
    known = {note.id: note for note in due.notes}
    if stray := [one for one in ids if one not in known]:
        there = f"It has: {', '.join(known)}." if known else "It has none."
        what = f"The way of {due.target} to {due.goal} has no note {stray[0]}. {there}"
        raise UsageError("no-such-note", what, then=f"refloat notes {due.target} {due.typed}")
    keys = (_note_key(due, known[one]) for one in ids)
    return tuple(Answer(target=key[0], goal=key[1], gate=key[2], answer="acknowledged", at=at, by=by) for key in keys)


def _note_key(due: Due, note: Note) -> tuple[str, str, str]:
    """What an acknowledgement answers to; no gate has a blank in its id."""
    return (due.target, note.at or due.goal, f"note {note.id}")


def unread_notes(due: Due, answers: tuple[Answer, ...]) -> tuple[Note, ...]:
    """The incompatible changes nobody has acknowledged yet."""
    return tuple(note for note in due.notes if note.kind == "incompatible" and not acknowledged(due, note, answers))


def count_unread_ahead(recipe: Recipe, target: str, here: Side, answers: tuple[Answer, ...]) -> int:
    """How many incompatible changes lie ahead of what runs that nobody has acknowledged; 0 of an unknown version."""
    current = _release(recipe, here)
    if current is None:
        return 0
    ahead = Due(target=target, leaving="", goal="", typed="", notes=notes_ahead(recipe, current))
    return len(unread_notes(ahead, answers))


def due_warnings(due: Due, answers: tuple[Answer, ...]) -> tuple[PlanWarning, ...]:
    """What a plan says of it: what becomes incompatible, what has to be done, what is offered, what is asked."""
    by_hand = (note for note in due.notes if note.kind != "incompatible")
    return (
        *(PlanWarning(code="note", text=_unread(due, note)) for note in unread_notes(due, answers)),
        *(PlanWarning(code=note.kind, text=_to_do(note)) for note in by_hand),
        *(PlanWarning(code="gate", text=_asked(due, gate)) for gate in open_gates(due, answers)),
    )


def _unread(due: Due, note: Note) -> str:
    read = f"apply waits until it is read: refloat notes {due.target} {due.typed} --ack {note.id}"
    return f"{note.what} ({note.source}); {read}"


def _to_do(note: Note) -> str:
    must = "To be done" if note.kind == "mandatory" else "Offered"
    return f"{must}{f' with {note.at}' if note.at else ''}: {told_of(note)} ({note.source})"


def told_of(note: Note) -> str:
    """What a note says, who can do it, where first, and what is missing without it."""
    parts = (
        note.what,
        "Only an administrator can do it." if note.administrator else "",
        "On one device first, then on the rest." if note.canary else "",
        OLD_CLIENTS[note.old_clients] if note.canary else "",
        f"Without it: {note.missing_without}" if note.missing_without else "",
    )
    return " ".join(part for part in parts if part)


def _asked(due: Due, gate: Gate) -> str:
    typed = f"refloat gates {due.target} {due.typed} --answer {gate.id}=TEXT"
    held = "apply waits for the answer" if gate.blocks else "once answered, it is not asked again"
    return f"{gate.question} ({gate.source}); {held}: {typed}"


def refuse_undecided(due: Due, answers: tuple[Answer, ...]) -> None:
    """Later ``gate-open`` or ``note-unread`` while somebody has to answer or to read something first."""
    gates = tuple(gate for gate in open_gates(due, answers) if gate.blocks)
    notes = unread_notes(due, answers)
    way = f"{due.target} {due.typed}"
    what, then = [], []
    if gates:
        asked = "".join(f"\n  {gate.id}: {gate.question} ({gate.source})" for gate in gates)
        what.append(f"{due.product} wants an answer before {due.target} goes to {due.goal}:{asked}")
        then.append(" ".join((f"refloat gates {way}", *(f"--answer {gate.id}=TEXT" for gate in gates))))
    if notes:
        told = "".join(f"\n  {note.id}: {note.what} ({note.source})" for note in notes)
        what.append(f"{due.product} changes incompatibly before {due.goal}, and nobody has acknowledged it:{told}")
        then.append(" ".join((f"refloat notes {way}", *(f"--ack {note.id}" for note in notes))))
    if what:
        raise Later("gate-open" if gates else "note-unread", "\n".join(what), then="\n".join(then))
