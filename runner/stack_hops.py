"""How a stack goes to its goal over several hops: what each member does at each of them; it plans and does none."""

from __future__ import annotations

from runner.destination import settled_goal
from runner.errors import NotFound
from runner.facts import Container, Fact
from runner.goal import Goal, home_of
from runner.hops_ahead import HopsAhead, hops_ahead
from runner.session import Session
from runner.stacking import Part, Stack
from runner.targets import find_target
from runner.way import repository, side


class StackHops(Fact):
    """The path of a stack, told as that of the member with the most hops; ``stages`` are the stack at each of them."""

    hops: HopsAhead
    stages: tuple[Stack, ...]


class MemberPath(Fact):
    """The versions one member goes through, its present one first; ``home`` is the repository of them all."""

    target: str
    home: str
    versions: tuple[str, ...]


class _Way(Fact):
    """One member on its own: where it is to go, and its hops where one upgrade may not go straight there."""

    part: Part
    container: Container
    home: str = ""
    goal: Goal | None = None
    hops: HopsAhead | None = None

    @property
    def tag(self) -> str:
        """What it runs."""
        ref = self.container.image_ref
        return ref[len(repository(ref)) + 1 :]


def stack_hops(session: Session, stack: Stack) -> StackHops | None:
    """The path of a stack; None where all of its members may go straight to their goals."""
    ways = tuple(_way(session, part) for part in stack.parts)
    lead = max((way for way in ways if way.hops), key=lambda way: len(way.hops.tags) if way.hops else 0, default=None)
    if lead is None or lead.hops is None:
        return None
    columns = tuple(_goals(session, way, lead, lead.hops) for way in ways)
    stages = tuple(
        stack.model_copy(
            update={
                "parts": tuple(
                    way.part.model_copy(update={"goal": goals[number]})
                    for way, goals in zip(ways, columns, strict=True)
                )
            }
        )
        for number in range(len(lead.hops.tags))
    )
    hops = lead.hops.model_copy(update={"target": stack.name, "again": _again(stack)})
    return StackHops(hops=hops, stages=stages)


def _way(session: Session, part: Part) -> _Way:
    container = find_target(session.engine, part.target)
    if part.goal is None or bool(part.goal.to) == bool(part.goal.image):
        return _Way(part=part, container=container, goal=part.goal)
    settled, _ = settled_goal(session.engine, container, part.goal, session.ask_registry)
    hops = hops_ahead(session.engine, container, settled, session.ask_registry, force=part.options.force != "no")
    home = home_of(container, session.engine.image(container.image_id)) if settled.to else repository(settled.image)
    return _Way(part=part, container=container, home=home, goal=settled, hops=hops)


def _goals(session: Session, way: _Way, lead: _Way, hops: HopsAhead) -> tuple[Goal | None, ...]:
    """Where a member goes at each hop: with the one that leads where it can, else as late as it can."""
    count = len(hops.tags)
    if way.goal is None:
        return (None,) * count
    tags = way.hops.tags if way.hops else hops.tags if _goes_along(session, way, lead, hops) else ()
    goals = tuple(way.goal.model_copy(update={"to": tag, "image": ""}) for tag in tags) or (way.goal,)
    return (*(None,) * (count - len(goals)), *goals)


def _goes_along(session: Session, way: _Way, lead: _Way, hops: HopsAhead) -> bool:
    """Whether it runs the same version, is to go to the same, and has an image of each on the way."""
    if lead.goal is None or way.goal is None or (way.tag, way.goal.to) != (lead.tag, hops.tags[-1]):
        return False
    return all(_is_there(session, way, tag) for tag in hops.tags)


def _is_there(session: Session, way: _Way, tag: str) -> bool:
    try:
        session.engine.image(f"{way.home}:{tag}")
    except NotFound:
        asks = way.goal is not None and way.goal.pull != "never"
        return asks and tag in session.ask_registry(way.home).tags
    return True


def _again(stack: Stack) -> str:
    """What carries out the rest of a path that was cut off."""
    goals = ((part.target, part.goal.to or part.goal.image) for part in stack.parts if part.goal and "/" in part.target)
    members = (f" --member {target.rpartition('/')[2]}={goal}" for target, goal in goals)
    return f"refloat apply {stack.name}{''.join(members)}"


def member_paths(session: Session, found: StackHops) -> tuple[MemberPath, ...]:
    """The versions that each member which changes goes through."""
    return tuple(
        path
        for column in zip(*(stage.parts for stage in found.stages), strict=True)
        if (path := _member_path(session, column)) is not None
    )


def _member_path(session: Session, column: tuple[Part, ...]) -> MemberPath | None:
    goals = tuple(part.goal for part in column if part.goal and part.goal.to)
    if not goals:
        return None
    container = find_target(session.engine, column[0].target)
    image = session.engine.image(container.image_id)
    now = side(image, container.image_ref).version
    return MemberPath(target=container.name, home=home_of(container, image), versions=(now, *(g.to for g in goals)))
