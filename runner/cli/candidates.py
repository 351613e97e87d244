"""`refloat rehearse` with several versions: each on clones of one snapshot, a table at the end; it upgrades none."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import typer

from runner.cli.asked import Asked, asked
from runner.cli.ground import new_live, open_session, place_from
from runner.cli.interrupts import Interrupts
from runner.cli.manner import Manner
from runner.cli.reports import write_reports
from runner.cli.terminal import say, say_json, tell
from runner.cli.wishes import Wishes
from runner.errors import NothingToDo, Refused, UsageError

if TYPE_CHECKING:
    from runner.candidates import Candidate
    from runner.report.candidates import Tried


def rehearse_several(target: str, versions: tuple[str, ...], wishes: Wishes, manner: Manner, *, as_json: bool) -> None:
    """Rehearse each of these tags, tell which work, and leave with 0 where all do, else 4."""
    from runner.candidates import rehearse_each
    from runner.report.candidates import Tried, candidates_story

    interrupts = Interrupts()
    session = open_session(interrupts=interrupts)
    want = asked(target, wishes)
    seen = tuple((version, _candidate(want, version, manner, interrupts)) for version in dict.fromkeys(versions))
    playable = tuple(each for _, each in seen if not isinstance(each, Refused | NothingToDo))
    refusals = tuple(each for _, each in seen if isinstance(each, Refused | NothingToDo))
    if not playable:
        raise refusals[0]
    wanted = manner.wanted(session, manner.on(want.wishes.options))
    with interrupts.at_work("refloat prune"):
        results = iter(rehearse_each(session, playable, wanted, _doing, manner.at_once))
    tried = tuple(
        Tried(version, refusal=each) if isinstance(each, Refused | NothingToDo) else Tried(version, next(results))
        for version, each in seen
    )
    target = playable[0].plan.target
    write_reports(manner.reports, partial(candidates_story, target, tried))
    _finish(target, tried, as_json=as_json)


def versions_on_the_way(target: str, to: str, wishes: Wishes) -> tuple[str, ...]:
    """The tags of every release on the engine up to a goal, and of the stops on the way; NothingToDo, Refused."""
    from runner.destination import tags_ahead
    from runner.targets import find_target

    want = asked(target, replace(wishes, to=to))
    if not want.wishes.to:
        raise UsageError("no-goal", "--all-hops goes up to a version.", then="Say which: --to VERSION, or --to newest")
    session = open_session()
    return tags_ahead(session.engine, find_target(session.engine, want.target), want.wishes.goal, session.ask_registry)


def _candidate(want: Asked, version: str, manner: Manner, interrupts: Interrupts) -> Candidate | Refused | NothingToDo:
    """One version with its own connection: they are played in threads. A refusal is one version's alone."""
    from runner.candidates import Candidate
    from runner.playing import Ears
    from runner.verbs import Refloat

    live = new_live(version)
    session = open_session(live.hear, interrupts=interrupts)
    goal = replace(want.wishes, to=version, image="").goal
    try:
        world, plan = Refloat(session).look(
            want.target, goal, manner.on(want.wishes.options), place_from(want.wishes.vault)
        )
    except (NothingToDo, Refused) as refusal:
        return refusal

    def hear_of(what: str) -> None:
        _doing(f"{version}: {what}")

    return Candidate(session, world, plan, Ears(tell=hear_of, follow=live.follow))


def _doing(what: str) -> None:
    tell(f"rehearse {what}")


def _finish(target: str, tried: tuple[Tried, ...], *, as_json: bool) -> None:
    from runner.report.candidates import candidates_json, candidates_report, exit_status

    if as_json:
        say_json(candidates_json(target, tried))
    else:
        say(candidates_report(target, tried))
    if status := exit_status(tried):
        raise typer.Exit(int(status))
