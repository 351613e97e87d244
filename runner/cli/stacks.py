"""Which containers a command line means that go together: a stack of refloat.yaml, or a compose project."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from runner.cli.asked import asked, written_config
from runner.errors import UsageError

if TYPE_CHECKING:
    from runner.cli.wishes import Wishes
    from runner.engine.port import EnginePort
    from runner.stacking import Part, Stack

SAME = "same"


def stack_asked(engine: EnginePort, text: str, wishes: Wishes, given: list[str] | None) -> Stack | None:
    """The stack that is meant; None where one container is. UsageError where a member has no goal, or there is none."""
    from runner.stacking import Stack

    over = asked(text, wishes).wishes
    options = over.options
    config = written_config()
    written = config.stacks.get(text) if config else None
    members: Mapping[str, str | None] = written.members if written else _services(engine, text)
    if not members:
        if given:
            what = f"{text} is no stack of refloat.yaml and no compose project: --member goes with those."
            raise UsageError("no-stack", what, then="List what is there: refloat ls")
        return None
    typed = _typed(text, given or (), tuple(members))
    parts = tuple(
        _part(name, typed.get(name) or goal or "", wishes, must=written is not None) for name, goal in members.items()
    )
    return Stack(name=text, parts=parts, options=options)


def refuse_several(text: str, wishes: Wishes, given: list[str] | None) -> None:
    """UsageError ``stack-rehearsal`` where several versions at once are asked for a stack."""
    from runner.cli.ground import open_session

    if stack_asked(open_session().engine, text, wishes, given):
        raise UsageError("stack-rehearsal", f"{text} is a stack: it is rehearsed to one goal at a time.",
                         then=f"refloat rehearse {text} --member NAME=VERSION")  # fmt: skip


def window_of(stack: Stack) -> str:
    """The window that its members which change have, empty where they have none; UsageError where they have several."""
    from runner.config.reading import find_config

    config = find_config().config
    found = (config.target(part.target)[1].window for part in stack.parts if part.goal)
    windows = tuple(dict.fromkeys(window for window in found if window))
    if len(windows) > 1:
        what = f"The members of {stack.name} have several windows: {', '.join(windows)}."
        then = "Name them as one of the `stacks` of refloat.yaml, with its own `window`."
        raise UsageError("several-windows", what, then=then)
    return windows[0] if windows else ""


def _services(engine: EnginePort, text: str) -> dict[str, str | None]:
    """The containers of a compose project, as ``PROJECT/SERVICE``; none where a container is called so."""
    from runner.compose.project import PROJECT
    from runner.labels import READERS, ROLE
    from runner.targets import is_parked, service_of

    if "/" in text:
        return {}
    everyone = engine.containers({PROJECT: text})
    if not everyone or any(each.name == text for each in engine.containers()):
        return {}
    found = (each for each in everyone if each.labels.get(ROLE) not in READERS and not is_parked(each, everyone))
    services = [(service_of(each), each.name) for each in found]
    names = [service for service, _ in services]
    return {service if names.count(service) == 1 else name: None for service, name in sorted(services) if service}


def _typed(text: str, given: list[str] | tuple[()], members: tuple[str, ...]) -> dict[str, str]:
    """``NAME=GOAL`` as typed, by the members' full names."""
    typed = dict[str, str]()
    for each in given:
        name, sign, goal = (part.strip() for part in each.partition("="))
        known = next((member for member in members if name in (member, member.rpartition("/")[2])), "")
        if not sign or not goal or not known:
            what = f"--member {each} is not NAME=GOAL of {text}: {', '.join(members)}."
            raise UsageError("bad-member", what, then=f"For example: --member {members[0].rpartition('/')[2]}=same")
        typed[known] = goal
    return typed


def _part(name: str, goal: str, wishes: Wishes, *, must: bool) -> Part:
    """One member: what is said of it counts first, then the command line, then the target's own entry."""
    from runner.stacking import Part

    one = replace(wishes, to=goal) if goal and goal != SAME else wishes
    want = asked(name, one)
    told = want.wishes.goal
    if goal == SAME or (not told.to and not told.image and not must):
        return Part(target=want.target, options=want.wishes.options)
    if not told.to and not told.image:
        what = f"Nothing says where {name} shall go."
        raise UsageError("no-goal", what, then=f"--member {name}=VERSION, --member {name}=same, or: --to VERSION")
    return Part(target=want.target, goal=told, options=want.wishes.options)
