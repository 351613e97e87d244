"""Facts + goal → Plan, or a refusal with reasons; it touches nothing: no clock, no network, no environment."""

from __future__ import annotations

from runner.answers import Answer
from runner.coupling import coupled_warnings, family_warnings
from runner.due_now import due_in, due_warnings
from runner.errors import NothingToDo
from runner.options import Options
from runner.parts import Part, rollback_part, same_part, upgrade_part
from runner.plan import Plan
from runner.refusals import refuse_unfit, refuse_unfit_for_restore, refuse_unfit_for_rollback
from runner.vault.port import Room
from runner.world import World


def plan_upgrade(world: World, options: Options, run: str, made_at: str, answers: tuple[Answer, ...] = ()) -> Plan:
    """The plan of an upgrade; Refused with every reason, NothingToDo where that very image runs already."""
    if world.new_image.id == world.target.image_id:
        what = f"{world.target.name} runs {world.new_ref} already."
        raise NothingToDo("already-there", what, "Nothing needs to be done.")
    refuse_unfit(world.model_copy(update={"inquired": ()}) if options.unchecked else world)
    plan = _plan(world, options, upgrade_part(world, options, run), made_at)
    due = tuple(warning for one in due_in(plan) for warning in due_warnings(one, answers))
    moving = (*coupled_warnings(world), *family_warnings(world))
    return plan.model_copy(update={"warnings": (*plan.warnings, *moving, *due)})


def plan_rollback(world: World, earlier: Plan, options: Options, run: str, made_at: str) -> Plan:
    """The plan that brings an earlier run's old version back, with its data as it was then."""
    refuse_unfit_for_rollback(world)
    kept = options.model_copy(update={"keep": earlier.keep, "keep_for_s": earlier.keep_for_s})
    part = rollback_part(world, earlier.lead, kept, run)
    return _plan(world, kept, part, made_at).model_copy(update={"verb": "rollback"})


def plan_restore(world: World, earlier: Room, options: Options, run: str, made_at: str) -> Plan:
    """The plan that gives the same version other data: that of a sealed snapshot of the same mounts."""
    refuse_unfit_for_restore(world)
    part = same_part(world, options, run, earlier, "this is the data that was asked for")
    return _plan(world, options, part, made_at).model_copy(update={"verb": "restore"})


def _plan(world: World, options: Options, part: Part, made_at: str) -> Plan:
    return Plan(
        verb="upgrade",
        run=part.member.run,
        made_at=made_at,
        engine_id=world.engine.id,
        target=part.member.target,
        members=(part.member,),
        warnings=part.warnings,
        estimate=part.estimate,
        keep=options.keep,
        keep_for_s=options.keep_for_s,
        hold=options.hold,
        unchecked=options.unchecked,
        steps=part.steps,
    )
