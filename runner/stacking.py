"""Makes plans of several containers: who belongs to it, in which order, what becomes of each; it carries none out."""

from __future__ import annotations

from collections.abc import Iterable

from runner.answers import Answer
from runner.displaced import in_place_of
from runner.errors import UsageError
from runner.facts import Container, Fact
from runner.goal import Goal
from runner.looking import defined, due_on_way, known_answers, look_at, look_at_same, refuse_open
from runner.options import Options
from runner.papercheck import check_on_paper
from runner.plan import Member, Plan
from runner.session import Session
from runner.stack_order import in_order, recreated, with_tenants
from runner.stack_planner import Wanted, plan_stack, plan_stack_rollback
from runner.steps.nouns import FileEdit
from runner.survey import look_around
from runner.targets import find_target
from runner.vault.port import VaultPlace
from runner.world import World


class Part(Fact):
    """One container of a stack that is asked for; without a goal it keeps its version."""

    target: str
    goal: Goal | None = None
    options: Options = Options()


class Stack(Fact):
    """Containers that are asked to be upgraded as one; ``options`` are those of the whole (hold, keep)."""

    name: str
    parts: tuple[Part, ...]
    options: Options = Options()


def plan_of_stack(session: Session, stack: Stack, place: VaultPlace) -> Plan:
    """Look at all and decide; a plan that cannot be undone from everywhere on paper is never given out."""
    return look_at_stack(session, stack, place)[1]


def look_at_stack(session: Session, stack: Stack, place: VaultPlace) -> tuple[tuple[Wanted, ...], Plan]:
    """The plan, and what it was made for: one for each of its members, in their order."""
    asked = {(found := find_target(session.engine, part.target)).id: (found, part) for part in stack.parts}
    if len(asked) < len(stack.parts):
        raise UsageError("stack-twice", f"The stack {stack.name} names a container twice.", then="Name each once.")
    from runner.composed import written_needs  # it loads a reader of YAML

    everyone = session.engine.containers()
    every = _with_all_tenants(tuple(found for found, _ in asked.values()), everyone)
    members = in_order(every, written_needs(every))
    for container in members:
        refuse_open(session, container)
    wanted, answers = _wanted(session, members, {key: part for key, (_, part) in asked.items()}, place)
    plan = plan_stack(stack.name, wanted, stack.options, session.new_run(), session.now(), answers)
    check_on_paper(plan, *(each.world for each in wanted))
    return wanted, plan


def stack_of_tenants(container: Container, others: tuple[Container, ...], goal: Goal, options: Options) -> Stack | None:
    """The stack that one container is with those who live in its namespaces; None where it is alone."""
    if len(with_tenants(container, others)) == 1:
        return None
    return Stack(name=container.name, parts=(Part(target=container.id, goal=goal, options=options),), options=options)


def _with_all_tenants(members: tuple[Container, ...], everyone: tuple[Container, ...]) -> tuple[Container, ...]:
    found = {each.id: each for member in members for each in with_tenants(member, everyone)}
    return tuple({**{member.id: member for member in members}, **found}.values())


def _wanted(session: Session, members: tuple[Container, ...], asked: dict[str, Part],
            place: VaultPlace) -> tuple[tuple[Wanted, ...], tuple[Answer, ...]]:  # fmt: skip
    answers: tuple[Answer, ...] = ()
    gates = set[str]()
    looked = dict[str, Wanted]()
    for container in members:
        part = asked.get(container.id) or Part(target=container.name)
        if part.goal is None:
            looked[container.id] = Wanted(world=look_at_same(session, container, place), options=part.options)
            continue
        world = look_at(session, container, part.goal, part.options, place)
        gates |= (mine := {gate.id for gate in due_on_way(world).gates})
        own = tuple(one for one in part.options.answers if _gate(one) in mine)
        answers = known_answers(session, world, part.options.model_copy(update={"answers": own}))
        looked[container.id] = Wanted(world=world, options=part.options)
    _refuse_stray(asked, gates)
    made_anew = recreated(members, frozenset(key for key, each in looked.items() if not each.keeps))
    every = tuple(each.model_copy(update={"recreated": key in made_anew}) for key, each in looked.items())
    return _with_definitions(every), answers


def _gate(answer: str) -> str:
    return answer.partition("=")[0].strip()


def _refuse_stray(asked: dict[str, Part], gates: set[str]) -> None:
    """An answer is given for all members at once; UsageError where none of them has such a gate."""
    given = (one for part in asked.values() for one in part.options.answers)
    if stray := next((one for one in given if _gate(one) not in gates), ""):
        then = f"They ask: {', '.join(sorted(gates)) or 'nothing'}."
        raise UsageError("no-such-gate", f"No member has a gate for --answer {stray}.", then=then)


def _with_definitions(wanted: tuple[Wanted, ...]) -> tuple[Wanted, ...]:
    """With what the files that define them say of each: they change together."""
    along = {each.world.target.name: each.world.new_ref for each in wanted if not each.keeps}
    done: tuple[Wanted, ...] = ()
    for each in wanted:
        world = each.world if each.keeps else defined(each.world, _edits(done), along)
        done = (*done, each.model_copy(update={"world": world}))
    return done


def rollback_of_stack(session: Session, earlier: Plan, options: Options, *, open_too: bool = False) -> Plan:
    """The plan that takes a stack's upgrade back, long after it was accepted.

    ``open_too``: its verdict is still open, but somebody else removed both versions of a member.
    """
    worlds = tuple(_as_it_was(session, earlier, member, open_too=open_too) for member in earlier.members)
    anew = _made_anew(worlds, earlier)
    along = {each.target.name: each.new_ref for each in worlds if each.target.id in anew}
    wanted: tuple[Wanted, ...] = ()
    for world, member in zip(worlds, earlier.members, strict=True):
        again = world.target.id in anew
        found = defined(world, _edits(wanted), along) if again else world
        wanted = (*wanted, Wanted(world=found, options=options, recreated=again, earlier=member))
    plan = plan_stack_rollback(earlier, wanted, session.new_run(), session.now())
    check_on_paper(plan, *(each.world for each in wanted))
    return plan


def _made_anew(worlds: tuple[World, ...], earlier: Plan) -> frozenset[str]:
    """The ids of those that were replaced then, or run another version by now, and of all who live on them."""
    both = tuple(zip(worlds, earlier.members, strict=True))
    other = (
        world.target.id for world, member in both if member.recreated or world.target.image_id != member.old.image_id
    )
    return recreated(tuple(world.target for world in worlds), frozenset(other))


def _edits(wanted: Iterable[Wanted]) -> tuple[FileEdit, ...]:
    """What is changed in files for those before; the next one's change is made in what that leaves."""
    found = (each.world.definition for each in wanted if each.options.edit)
    return tuple(definition.edit for definition in found if definition and definition.edit)


def _as_it_was(session: Session, earlier: Plan, member: Member, *, open_too: bool) -> World:
    container = in_place_of(session.engine, member)
    refuse_open(session, container, held_too=not open_too)
    image = session.engine.image(member.old.image_id)
    return look_around(session.engine, session.vault, container, image, member.old.image_ref, earlier.place,
                       measure=True)  # fmt: skip
