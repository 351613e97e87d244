"""Facts of several containers + goals → one Plan for all, or a refusal with reasons; it touches nothing.

All are stopped before the first snapshot is sealed, and each is proven before the next is started. Undone last first,
that gives back the data of all before the first old one starts again.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from runner.answers import Answer
from runner.coupling import coupled_warnings, mixed_families
from runner.due_now import due_in, due_warnings
from runner.errors import NOTHING_TOUCHED, NothingToDo, Refused
from runner.facts import Fact
from runner.labels import SUCCESSOR, member_run
from runner.options import Options
from runner.parts import Part, rollback_part, same_part, upgrade_part
from runner.plan import Estimate, Expectation, Member, Plan, PlanWarning
from runner.refusals import refuse_unfit_stack
from runner.stack_order import lives_on
from runner.steps import AnyForward
from runner.steps.forward import ColdCopy, CreateSuccessor, EnsureSoleUse, StartAgain, StartSuccessor, WritePapers
from runner.steps.hooks import CallHook
from runner.steps.nouns import Existing, Ours, Phase
from runner.steps.pauses import PauseAgain
from runner.steps.proof import AcceptVerdict, CompareEvidence
from runner.steps.silence import EndQuiet, KeepQuiet
from runner.vault.port import Source
from runner.world import World, expectations

SUCCESSORS_OWN = ("create-successor", "hold-image", "rename", "check-configuration", "compare-packages")
"""The steps that a container has for its successor alone."""
RUNNING_ONLY = ("take-evidence", "warm-copy", "start-successor", "prove-health", "compare-evidence", "call-hook",
                "keep-quiet", "end-quiet")  # fmt: skip
"""The steps that a container which is not running has no need of; its data is copied all the same."""

AMONG_THEMSELVES = ("dependent", "shared-data")
"""What one warns of another is provided for where both are members."""


class Wanted(Fact):
    """One container of a stack: its world, how it shall go, and whether it gets a successor."""

    world: World
    options: Options = Options()
    recreated: bool = True
    earlier: Member | None = None
    """What it was in the run that is taken back; None on the way to a new version."""

    @property
    def keeps(self) -> bool:
        """Whether it keeps its version."""
        return self.world.new_image.id == self.world.target.image_id


def plan_stack(name: str, wanted: tuple[Wanted, ...], options: Options, run: str, made_at: str,
               answers: tuple[Answer, ...] = ()) -> Plan:  # fmt: skip
    """The plan of an upgrade of several, given in the order in which they are started.

    Refused with every reason of all; NothingToDo where all run what they shall run already.
    """
    if all(each.keeps for each in wanted):
        what = f"All of {name} run what they shall run already."
        raise NothingToDo("already-there", what, "Nothing needs to be done.")
    _refuse_mixed(name, wanted)
    plan = _plan(name, wanted, options, run, made_at)
    due = tuple(warning for one in due_in(plan) for warning in due_warnings(one, answers))
    return plan.model_copy(update={"warnings": (*plan.warnings, *_coupled(wanted), *due)})


def _refuse_mixed(name: str, wanted: tuple[Wanted, ...]) -> None:
    if said := mixed_families(tuple(each.world for each in wanted)):
        then = "Leave those of the other family out of the stack."
        raise Refused("family-mixed", f"{name} would mix families: {' '.join(said)}", NOTHING_TOUCHED, then)


def _coupled(wanted: tuple[Wanted, ...]) -> Iterator[PlanWarning]:
    members = tuple(each.world.target for each in wanted)
    for each in wanted:
        for warning in () if each.keeps else coupled_warnings(each.world, members):
            yield PlanWarning(code="coupled", text=f"{each.world.target.name}: {warning.text}")


def plan_stack_rollback(earlier: Plan, wanted: tuple[Wanted, ...], run: str, made_at: str) -> Plan:
    """The plan that takes an earlier run of a stack back: all old versions again, each with its data as it was."""
    options = Options(keep=earlier.keep, keep_for_s=earlier.keep_for_s)
    return _plan(earlier.target, wanted, options, run, made_at).model_copy(update={"verb": "rollback"})


def _plan(name: str, wanted: tuple[Wanted, ...], options: Options, run: str, made_at: str) -> Plan:
    refuse_unfit_stack(tuple(_as_asked(each) for each in wanted))
    owned = _with_own_data(wanted)
    relied = tuple(expectations(each.world) for each in wanted)
    parts = tuple(_part(each, owned, run, relies_on) for each, relies_on in zip(owned, relied, strict=True))
    return Plan(
        verb="upgrade",
        run=run,
        made_at=made_at,
        engine_id=wanted[0].world.engine.id,
        target=name,
        members=tuple(part.member for part in parts),
        warnings=tuple(_warnings(owned, parts)),
        estimate=_estimate(owned, parts),
        keep=options.keep,
        keep_for_s=options.keep_for_s,
        hold=options.hold,
        unchecked=any(each.options.unchecked for each in wanted),
        steps=_interleaved(name, parts),
    )


def _as_asked(each: Wanted) -> World:
    """What the product itself says against it does not count where that was wished."""
    return each.world.model_copy(update={"inquired": ()}) if each.options.unchecked else each.world


def _with_own_data(wanted: tuple[Wanted, ...]) -> tuple[Wanted, ...]:
    """Data that several have belongs to the first of them that runs: it is snapshot and restored once."""
    owner = dict[str, str]()
    for each in sorted(wanted, key=lambda each: not each.world.target.state.alive):
        sources = each.world.sources if each.earlier is None else each.earlier.sources
        owner |= {one.spoken: each.world.target.id for one in sources if one.spoken not in owner}
    return tuple(each.model_copy(update={"world": _owning(each.world, owner)}) for each in wanted)


def _owning(world: World, owner: dict[str, str]) -> World:
    own: tuple[Source, ...] = tuple(each for each in world.sources if owner.get(each.spoken) == world.target.id)
    keys = {each.key for each in own}
    measured = tuple(each for each in world.measured if each.key in keys)
    return world.model_copy(update={"sources": own, "measured": measured})


def _part(each: Wanted, wanted: tuple[Wanted, ...], run: str, relies_on: tuple[Expectation, ...]) -> Part:
    """A member's share, each step marked as its own."""
    number = [one.world.target.id for one in wanted].index(each.world.target.id) + 1
    mine = member_run(run, number)
    part = _made(each, mine)
    steps = tuple(_steps(each, part, tuple(_peers(each, wanted, run))))
    own: dict[str, object] = {"recreated": each.recreated, "expectations": relies_on}
    return replace(
        part,
        member=part.member.model_copy(update=own),
        steps=tuple(step.model_copy(update={"member": mine}) for step in steps),
    )


def _peers(each: Wanted, wanted: tuple[Wanted, ...], run: str) -> Iterator[Ours]:
    """The new containers that this one is to live on, instead of those it lives on now."""
    for number, other in enumerate(wanted, 1):
        if other is not each and other.recreated and lives_on(each.world.target, other.world.target):
            yield Ours(run=member_run(run, number), role=SUCCESSOR, name=other.world.target.name)


def _made(each: Wanted, run: str) -> Part:
    if each.earlier is not None and each.recreated:
        return rollback_part(each.world, each.earlier, each.options, run)
    if each.keeps or not each.recreated:
        return same_part(each.world, each.options, run, each.earlier.room if each.earlier else None)
    return upgrade_part(each.world, each.options, run)


def _steps(each: Wanted, part: Part, peers: tuple[Ours, ...]) -> Iterator[AnyForward]:
    left_out = (*(() if each.recreated else SUCCESSORS_OWN), *(() if each.world.target.state.alive else RUNNING_ONLY))
    for step in part.steps:
        if step.kind in left_out:
            continue
        if isinstance(step, CreateSuccessor):
            yield step.model_copy(update={"blueprint": step.blueprint.model_copy(update={"peers": peers})})
        else:
            yield step if each.recreated else _again(each.world, step)


def _again(world: World, step: AnyForward) -> AnyForward:
    """A step on the successor as one on the container itself, which is started again as it is."""
    who = Existing(id=world.target.id, name=world.target.name)
    if isinstance(step, StartSuccessor):
        return StartAgain(cause="it was stopped for the others", who=who, stop_timeout_s=step.stop_timeout_s,
                          room=step.room, sources=step.sources)  # fmt: skip
    theirs = getattr(step, "who", None)
    return step.model_copy(update={"who": who}) if isinstance(theirs, Ours) else step


def _interleaved(name: str, parts: tuple[Part, ...]) -> tuple[AnyForward, ...]:
    """The papers of all first; stopped last first; all stopped before a copy is sealed; one by one to the proof."""
    return (
        *(step for part in parts for step in part.steps if isinstance(step, WritePapers)),
        *(step for step in _of(parts, Phase.PREPARE) if not isinstance(step, WritePapers)),
        *_each_once(parts, KeepQuiet),
        *(
            step
            for step in _of(parts[::-1], Phase.FREEZE)
            if not isinstance(step, EnsureSoleUse | ColdCopy | KeepQuiet)
        ),
        *(step for step in _of(parts, Phase.FREEZE) if isinstance(step, EnsureSoleUse | ColdCopy)),
        *(step for part in parts for step in _change(part)),
        *(step for part in parts if not part.member.recreated for step in part.steps if _is_compared(step)),
        *(
            step
            for step in _of(parts, Phase.OPEN)
            if not isinstance(step, AcceptVerdict | CallHook | EndQuiet | PauseAgain)
        ),
        *(
            step.model_copy(update={"name": name, "member": ""})
            for step in parts[0].steps
            if isinstance(step, AcceptVerdict)
        ),
        *_each_once(parts, EndQuiet),
        *(step for step in _of(parts, Phase.OPEN) if isinstance(step, CallHook)),
        *(step for step in _of(parts, Phase.OPEN) if isinstance(step, PauseAgain)),
    )


def _change(part: Part) -> Iterator[AnyForward]:
    """To the proof; what keeps its version is compared at the end, when the others did with it what they do."""
    for step in part.steps:
        if step.phase in (Phase.CHANGE, Phase.PROVE) and (part.member.recreated or not _is_compared(step)):
            yield step


def _is_compared(step: AnyForward) -> bool:
    return isinstance(step, CompareEvidence)


def _each_once(parts: tuple[Part, ...], kind: type[KeepQuiet | EndQuiet]) -> tuple[AnyForward, ...]:
    """Each monitor is kept quiet once for all, before the first is stopped, and speaks again once."""
    steps = (step for part in parts for step in part.steps if isinstance(step, kind))
    return tuple({step.monitor.model_dump_json(): step for step in reversed(tuple(steps))}.values())[::-1]


def _of(parts: tuple[Part, ...], phase: Phase) -> tuple[AnyForward, ...]:
    return tuple(step for part in parts for step in part.steps if step.phase is phase)


def _warnings(wanted: tuple[Wanted, ...], parts: tuple[Part, ...]) -> Iterator[PlanWarning]:
    theirs = tuple(f"Container {each.world.target.name} " for each in wanted)
    for each, part in zip(wanted, parts, strict=True):
        name = each.world.target.name
        for warning in part.warnings:
            if warning.code in AMONG_THEMSELVES and warning.text.startswith(theirs):
                continue  # it goes with it
            yield PlanWarning(code=warning.code, text=f"{name}: {warning.text}")
        if not each.world.target.state.alive:
            yield PlanWarning(code="stays-stopped", text=f"{name} is not running and stays so: nothing proves it")


def _estimate(wanted: tuple[Wanted, ...], parts: tuple[Part, ...]) -> Estimate:
    """The stops and starts of all one after another, as they are done."""
    rooms = tuple(part.estimate for part in parts)
    reasons = (
        f"{each.world.target.name}: {reason}"
        for each, part in zip(wanted, parts, strict=True)
        for reason in part.estimate.reasons
    )
    return Estimate(
        downtime_s=round(sum(one.downtime_s for one in rooms), 1),
        reasons=tuple(reasons),
        vault_bytes=sum(one.vault_bytes for one in rooms),
        free_bytes=max(one.free_bytes for one in rooms),
    )
