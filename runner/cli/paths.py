"""`refloat apply` over several hops, and what is said of a path that was cut off; which hops, the recipe decides."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import typer

from runner.cli.ground import home_folder, place_from
from runner.cli.reports import Wanted, reporting, write_reports
from runner.cli.terminal import say, say_json, tell

if TYPE_CHECKING:
    from datetime import timedelta

    from runner.cli.interrupts import Interrupts
    from runner.cli.messages import Messages
    from runner.cli.starting import Waiting
    from runner.cli.wishes import Wishes
    from runner.hopping import PathEnd
    from runner.hops_ahead import HopsAhead
    from runner.outcome import Outcome
    from runner.plan import Plan
    from runner.report.live import Live
    from runner.session import Session
    from runner.stacking import Stack
    from runner.verbs import Refloat


@dataclass(frozen=True)
class Walking:
    """Who watches a path, and which reports are wanted of its last run."""

    live: Live
    interrupts: Interrupts
    wanted: Wanted
    messages: Messages
    waiting: Waiting


def walk_path(refloat: Refloat, hops: HopsAhead, wishes: Wishes, walking: Walking, *, as_json: bool,
              rehearsed_within: timedelta | None = None, stages: tuple[Stack, ...] = ()) -> None:  # fmt: skip
    """Carry a path out, tell how it ended, and leave with its exit status; ``stages`` are a stack at each hop."""
    from runner.hopping import Walk

    @contextmanager
    def watch(number: int, plan: Plan) -> Iterator[None]:
        where = f"hop {number} of {len(hops.tags)}" if number else "back to the start"
        tell(f"path     {where}: {plan.old.spoken} → {plan.new.spoken}")
        for warning in plan.warnings:
            tell(f"! {warning.text}")
        walking.live.follow(plan)
        with walking.messages.about(plan), reporting(walking.wanted, plan.run):
            yield
        walking.live.rest()

    walk = Walk(refloat, hops, wishes.options, place_from(wishes.vault), wishes.goal, watch, wishes.all_or_nothing,
                rehearsed_within, stages)  # fmt: skip
    walk.require_rehearsed()
    walking.waiting.to_start(hops.target, hops.versions[-1], None)
    tell("\n".join((f"path     {hops.spoken}", *(f"! {one}" for one in hops.notices))))
    with walking.interrupts.at_work(f"refloat recover {hops.target}"):
        end = walk.walk()
    walking.live.rest()
    if walking.wanted:
        from runner.reports import story_of_path

        runs = (*end.ends, end.undone) if end.undone else end.ends
        write_reports(walking.wanted, partial(story_of_path, home_folder(), runs, end.exit_status))
    with walking.messages.ended(end.undone or end.ends[-1]):
        _finish(end, as_json=as_json)


def _finish(end: PathEnd, *, as_json: bool) -> None:
    status = int(end.exit_status)
    if as_json:
        say_json({**end.model_dump(mode="json"), "reached": end.reached, "exit": status})
    else:
        say("\n".join(_story(end)))
    if status:
        raise typer.Exit(status)


def _story(end: PathEnd) -> tuple[str, ...]:
    from runner.report.ending import ending

    hops, target = end.hops, end.hops.target
    steps = zip((hops.start, *hops.versions), hops.versions, end.ends, strict=False)
    rows = (f"  hop {number}  {_row(*step)}" for number, step in enumerate(steps, 1))
    failed = (ending(end.ends[-1]),) if end.ends[-1].exit_status else ()
    undone = (f"  back   {end.undone.old} → {end.undone.new} (run {end.undone.run})",) if end.undone else ()
    offer = () if end.reached == hops.start else (f"Back to the start: refloat rollback {end.ends[0].run}",)
    return (f"{target} runs {end.reached}, on its path {hops.spoken}.", *rows, *undone, *failed, *offer)


def _row(old: str, new: str, end: Outcome) -> str:
    down = f", downtime {end.downtime_s:.1f} s" if end.downtime_s is not None else ""
    how = "done" if not end.exit_status else "not done"
    return f"{old} → {new}  {how}{down} (run {end.run})"


def tell_cut_off(session: Session, target: str) -> None:
    """Say of each path that somebody died on how far it came; the rest is typed again."""
    from runner.path_papers import close_cut_off
    from runner.records import End

    for paper in close_cut_off(session, target):
        hops = paper.hops
        known = session.runs.all()
        done = sum(session.outcome(session.runs.plan(run)).end is End.NEW for run in paper.runs if run in known)
        came = (hops.start, *hops.versions)[done]
        rest = f" The rest: {hops.command}" if done < len(hops.tags) else ""
        tell(f"The path {hops.spoken} of {hops.target} was cut off; it came to {came}.{rest}")
