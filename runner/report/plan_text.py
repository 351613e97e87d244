"""The canonical text of a plan: all that will happen, why, and the way back; it decides and colours nothing."""

from __future__ import annotations

from collections.abc import Iterator

from runner.plan import Member, Plan, phases
from runner.report.words import seconds_words, short_id, size_words
from runner.steps import AnyForward
from runner.steps.forward import BringBackData, StartAgain, StartSuccessor
from runner.steps.nouns import Phase
from runner.steps.proof import EditFile

TITLES = {"upgrade": "Upgrade", "rollback": "Roll back", "rehearsal": "Rehearse the upgrade of",
          "restore": "Restore the data of"}  # fmt: skip
REMARKS = {
    Phase.PREPARE: "nobody notices",
    Phase.FREEZE: "the downtime begins",
    Phase.CHANGE: "the old version makes room for the new one",
    Phase.PROVE: "the downtime ends when it is healthy",
    Phase.OPEN: "the new version is accepted",
}
INDENT = " " * 6


def plan_text(plan: Plan) -> str:
    """The whole plan; the same plan always gives the same text."""
    parts = (_header(plan), _warnings(plan), _downtime(plan), _point_of_loss(plan), *_phases(plan), _end(plan))
    return "\n\n".join("\n".join(part) for part in parts if part) + "\n"


def _header(plan: Plan) -> tuple[str, ...]:
    sides = tuple(line for member in plan.members for line in _member(member)) if plan.is_stack else (
        f"  old    {plan.old.image_ref} ({short_id(plan.old.image_id)})",
        f"  new    {plan.new.image_ref} ({short_id(plan.new.image_id)})",
        *((f"  digest {plan.new.digest}",) if plan.new.digest else ()),
        f"  recipe {plan.recipe or 'none: general rules'}",
        f"  data   {_data(plan.lead)}",
    )  # fmt: skip
    return (
        f"{TITLES[plan.verb]} {plan.target}: {plan.old.spoken} → {plan.new.spoken}",
        *sides,
        f"  vault  {plan.place.path or plan.place.volume}{_room_needed(plan)}",
        f"  run    {plan.run} (plan {plan.digest[:12]}, made {plan.made_at})",
    )


def _member(member: Member) -> tuple[str, ...]:
    """One of a stack, in the order in which they are started."""
    same = member.old.image_id == member.new.image_id
    kept = "the same version, made anew" if member.recreated else "the same version"
    goes = f"{member.old.spoken}, {kept}" if same else f"{member.old.spoken} → {member.new.spoken}"
    refs = member.old.image_ref if same else f"{member.old.image_ref} → {member.new.image_ref}"
    about = f"{refs}; recipe {member.recipe or 'none'}; data {_data(member)}"
    return (f"  member {member.target}: {goes}", f"         {about}")


def _data(member: Member) -> str:
    return ", ".join(f"{source.spoken} on {source.destination}" for source in member.sources) or "none to snapshot"


def _room_needed(plan: Plan) -> str:
    asked = plan.estimate
    if not asked.vault_bytes:
        return ""
    return f" (must have {size_words(asked.vault_bytes)} free, has {size_words(asked.free_bytes)})"


def _warnings(plan: Plan) -> tuple[str, ...]:
    if not plan.warnings:
        return ()
    return ("Warnings", *(f"  ! {warning.text} [{warning.code}]" for warning in plan.warnings))


def _downtime(plan: Plan) -> tuple[str, ...]:
    head = f"Expected downtime: about {seconds_words(plan.estimate.downtime_s)} (an estimate, never a limit)"
    return (head, *(f"  - {reason}" for reason in plan.estimate.reasons))


def _point_of_loss(plan: Plan) -> tuple[str, ...]:
    """From which step on going back, or going on, costs what was written."""
    replaced = tuple(_replaced(key, step) for key, step in _keyed(plan) if isinstance(step, BringBackData))
    started = tuple(key for key, step in _keyed(plan) if isinstance(step, StartSuccessor | StartAgain))
    if not plan.sources:
        return (*replaced, "Going back loses no data: there is none to snapshot.") if started else replaced
    what = "the snapshots" if plan.is_stack else "the snapshot"
    lost = (f"From step {key} on, going back loses what is written after {what}." for key in started[:1])
    return (*replaced, *lost)


def _replaced(key: str, step: BringBackData) -> str:
    return (
        f"Step {key} replaces the data by snapshot {step.earlier.run}: what was written since then is lost, "
        f"but for the snapshot {step.room.run} that is taken first."
    )


def _keyed(plan: Plan) -> tuple[tuple[str, AnyForward], ...]:
    return tuple(pair for _, steps in phases(plan) for pair in steps)


def _phases(plan: Plan) -> Iterator[tuple[str, ...]]:
    for phase, steps in phases(plan):
        head = f"{phase.value}: {REMARKS[phase]}" if phase in REMARKS else phase.value
        yield (head, *(line for key, step in steps for line in _step(plan, key, step)))


def _step(plan: Plan, key: str, step: AnyForward) -> Iterator[str]:
    yield f"{key:>4}  {of_member(plan, step, step.sentence)}"
    if isinstance(step, EditFile):
        yield f"{INDENT}- {step.edit.shown_before}"
        yield f"{INDENT}+ {step.edit.shown_after}"
    yield f"{INDENT}why:  {step.cause}"
    undo = "; ".join(back.sentence for back in step.undo())
    yield f"{INDENT}undo: {undo or 'nothing'}"


def _end(plan: Plan) -> tuple[str, ...]:
    about = ", ".join(dict.fromkeys(expectation.about for expectation in plan.expectations))
    commit = (
        f"The verdict stays open: refloat commit {plan.target}, or: refloat rollback {plan.target}"
        if plan.hold
        else f"Then it commits: {_kept(plan)} removed, {plan.retention.spoken} of {_each(plan)} stay."
    )
    return (commit, f"It is refused when one of these has changed since: {about}.")


def _kept(plan: Plan) -> str:
    names = [member.kept_name for member in plan.members if member.recreated]
    return f"{', '.join(names)} {'are' if len(names) > 1 else 'is'}"


def _each(plan: Plan) -> str:
    return f"each of {plan.target}" if plan.is_stack else plan.target


def of_member(plan: Plan, step: AnyForward, sentence: str) -> str:
    """A sentence of a step or its undo, with whom it is about in front where a stack would leave that open."""
    name = plan.member_of(step).target
    return sentence if not step.member or name in sentence else f"{name}: {sentence}"
