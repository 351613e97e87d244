"""What one `refloat rehearse` plays: a container, a path of several hops, or a stack; how it ends is told elsewhere."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from runner.cli.asked import asked
from runner.cli.ground import new_live, open_session, place_from
from runner.cli.interrupts import Interrupts
from runner.cli.stacks import stack_asked
from runner.cli.terminal import tell

if TYPE_CHECKING:
    from runner.cli.asked import Asked
    from runner.cli.manner import Manner
    from runner.cli.wishes import Wishes
    from runner.hops_ahead import HopsAhead
    from runner.plan import Plan
    from runner.rehearsal import Rehearsed
    from runner.rehearsing import Ears, Wanted
    from runner.stacking import Stack
    from runner.verbs import Refloat
    from runner.world import World

Play = Callable[[], "Rehearsed"]


def play_asked(target: str, wishes: Wishes, manner: Manner, member: list[str] | None) -> Rehearsed:
    """Look, then play on copies what is meant; Refused, UsageError, Interrupted, Busy."""
    from runner.rehearsing import Ears
    from runner.verbs import Refloat

    live, interrupts = new_live(), Interrupts()
    session = open_session(live.hear, interrupts=interrupts)
    want = asked(target, wishes)
    refloat, ears = Refloat(session), Ears(tell=_doing, follow=live.follow)
    stack = stack_asked(session.engine, target, wishes, member)
    play = _stack(refloat, stack, want, manner, _typed(wishes, member), ears) if stack else (
        _one(refloat, want, manner, ears))  # fmt: skip
    with interrupts.at_work("refloat prune"):
        result = play()
    live.rest()
    return result


def _one(refloat: Refloat, want: Asked, manner: Manner, ears: Ears) -> Play:
    """One container, with those who live in its namespaces; over several hops where the vendor's rules ask for them."""
    from runner.rehearsing import rehearse

    hops = hops_to(refloat, want, manner)
    if not hops and (tenants := refloat.tenants_of(want.target, want.wishes.goal, want.wishes.options)):
        return _stack(refloat, tenants, want, manner, _typed(want.wishes, ()), ears)
    return partial(rehearse, refloat.session, *look_for_play(refloat, want, manner, hops), ears)


def hops_to(refloat: Refloat, want: Asked, manner: Manner) -> HopsAhead | None:
    """The hops to what is asked for, where the vendor's rules let nobody go there at once."""
    from runner.hopping import path_to

    options = manner.on(want.wishes.options)
    return path_to(refloat, want.target, want.wishes.goal, options) if options.force == "no" else None


def look_for_play(refloat: Refloat, want: Asked, manner: Manner,
                  hops: HopsAhead | None) -> tuple[World, Plan, Wanted]:  # fmt: skip
    """What is there, the plan of the first hop or only one, and how to play it and the hops after it; Refused."""
    from runner.hopping import images_of

    goal, options = want.wishes.goal, manner.on(want.wishes.options)
    images = images_of(refloat, hops, goal) if hops else ()
    first = goal.model_copy(update={"to": hops.tags[0], "image": ""}) if hops else goal
    world, plan = refloat.look(want.target, first, options, place_from(want.wishes.vault))
    return world, plan, replace(manner.wanted(refloat.session, options), hops=images[1:])


def _stack(refloat: Refloat, stack: Stack, want: Asked, manner: Manner, typed: str, ears: Ears) -> Play:
    from runner.stack_rehearsing import rehearse_stack

    wanted = replace(manner.for_stack(stack.options), typed=typed)
    members, plan = refloat.look_at_stack(stack, place_from(want.wishes.vault))
    return partial(rehearse_stack, refloat.session, members, plan, wanted, ears)


def _typed(wishes: Wishes, member: list[str] | tuple[()] | None) -> str:
    """What says where it shall go, as it is typed after its name."""
    goals = (("--to", wishes.to), ("--image", wishes.image), *(("--member", each) for each in member or ()))
    return shlex.join(word for option, value in goals if value for word in (option, value))


def _doing(what: str) -> None:
    tell(f"rehearse {what}")
