"""`refloat apply`: carry an upgrade out, from a target and a goal or from a saved plan; it decides no step."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from runner.cli.asked import Asked, asked, refuse_older
from runner.cli.ground import new_live, open_session, place_from
from runner.cli.interrupts import Interrupts
from runner.cli.messages import Messages
from runner.cli.reports import Report, reporting, wanted_reports
from runner.cli.stacks import stack_asked, window_of
from runner.cli.starting import AT_ONCE, Announce, At, InWindow, Start, Waiting
from runner.cli.terminal import say, say_json, tell
from runner.cli.wishes import (
    AllOrNothing,
    Answers,
    AsJson,
    ConfigPaths,
    ConflictAnswers,
    Deadline,
    Dwell,
    Edit,
    Forced,
    Hold,
    Image,
    Keep,
    KeepEnv,
    KeepFor,
    Members,
    NoRefresh,
    OnConflict,
    Probes,
    PullWish,
    RefreshWishes,
    Rehearsed,
    StopTimeout,
    To,
    Unchecked,
    Vault,
    Wishes,
    Yes,
)  # fmt: skip
from runner.errors import UsageError

if TYPE_CHECKING:
    from datetime import timedelta

    from runner.outcome import Outcome
    from runner.plan import Plan
    from runner.stacking import Stack
    from runner.verbs import Refloat

TargetOrFile = Annotated[
    str, typer.Argument(metavar="T|FILE", help="A container's name or id, a compose PROJECT/SERVICE, or a saved plan.")
]


def apply_command(target: TargetOrFile, to: To = "", image: Image = "", pull: PullWish = None, hold: Hold = None,
                  keep: Keep = None, keep_for: KeepFor = "", stop_timeout: StopTimeout = None,
                  deadline: Deadline = None, dwell: Dwell = None, probe: Probes = None, keep_env: KeepEnv = None,
                  vault: Vault = "", yes: Yes = False,  # noqa: ARG001  # scripts say --yes to every verb
                  rehearsed: Rehearsed = False, answer: Answers = None, force: Forced = False, edit: Edit = None,
                  unchecked: Unchecked = False, no_refresh: NoRefresh = False, config_path: ConfigPaths = None,
                  conflict: OnConflict = None, answers: ConflictAnswers = None, all_or_nothing: AllOrNothing = False,
                  member: Members = None, at: At = "", in_window: InWindow = False, announce: Announce = "",
                  report: Report = None, as_json: AsJson = False) -> None:  # fmt: skip
    """Upgrade a container and its data. The new version proven healthy, or the old one back as it was."""
    wishes = Wishes(to, image, pull, hold, keep, stop_timeout, deadline, dwell, tuple(probe or ()),
                    tuple(keep_env or ()), vault, tuple(answer or ()), keep_for=keep_for, edit=edit,
                    all_or_nothing=all_or_nothing, force="vendor" if force else "no", unchecked=unchecked,
                    refresh=RefreshWishes.of(no_refresh, config_path, conflict, answers))  # fmt: skip
    carry_out(target, wishes, rehearsed=rehearsed, as_json=as_json, report=report,
              start=Start(at, in_window, announce), member=member)  # fmt: skip


def carry_out(target: str, wishes: Wishes, *, as_json: bool, rehearsed: bool = False,
              report: list[Path] | None = None, start: Start = AT_ONCE,
              member: list[str] | None = None) -> None:  # fmt: skip
    """Make or read the plan, carry it out, tell how it ended, and leave with its exit status."""
    from runner.cli.paths import Walking, walk_path
    from runner.hopping import path_to
    from runner.stack_hops import stack_hops
    from runner.verbs import Refloat

    wanted = wanted_reports(report)
    live, interrupts = new_live(), Interrupts()
    saved = read_plan(target, wishes) if is_file(target) else None
    want = asked(saved.target if saved else target, wishes)
    messages = Messages(want.settings)
    refloat = Refloat(open_session(messages.beside(live.hear), interrupts=interrupts))
    stack = None if saved else stack_asked(refloat.session.engine, target, wishes, member)
    window = want.settings.window or (window_of(stack) if stack else "")
    waiting = Waiting(start, window, refloat.session, messages)
    walking, within = Walking(live, interrupts, wanted, messages, waiting), _within(want, asked=rehearsed)
    if stack and (found := stack_hops(refloat.session, stack)):
        walk_path(refloat, found.hops, want.wishes, walking, as_json=as_json, rehearsed_within=within,
                  stages=found.stages)  # fmt: skip
        return
    if not (saved or stack) and (hops := path_to(refloat, want.target, want.wishes.goal, want.wishes.options)):
        walk_path(refloat, hops, want.wishes, walking, as_json=as_json, rehearsed_within=within)
        return
    plan = saved or _new_plan(refloat, want, stack, typed=wishes.aims or bool(member))
    if within is not None:
        from runner.rehearsals import require_rehearsal

        require_rehearsal(refloat.session, plan, within)
    waiting.to_start(plan.target, plan.new.spoken, plan)
    live.follow(plan)
    with messages.about(plan), reporting(wanted, plan.run), interrupts.at_work(f"refloat recover {plan.target}"):
        end = refloat.apply(plan, wishes.options.texts)
    live.rest()
    with messages.ended(end):
        finish(end, as_json=as_json)


def _within(want: Asked, *, asked: bool) -> timedelta | None:
    """How lately it must have passed a rehearsal; None where it need not."""
    from runner.rehearsals import MAX_AGE

    return want.rehearsed_within or (MAX_AGE if asked else None)


def _new_plan(refloat: Refloat, want: Asked, stack: Stack | None, *, typed: bool) -> Plan:
    wishes, goal, place = want.wishes, want.wishes.goal, place_from(want.wishes.vault)
    plan = refloat.plan_stack(stack, place) if stack else refloat.plan(want.target, goal, wishes.options, place)
    refuse_older(plan, typed=typed)
    for warning in plan.warnings:
        tell(f"! {warning.text}")
    return plan


def is_file(text: str) -> bool:
    """Whether a saved plan is meant: a name that ends like one, or a file that is there."""
    return text.endswith(".json") or Path(text).is_file()


def read_plan(file: str, wishes: Wishes) -> Plan:
    """Read a saved plan; UsageError says what is wrong with it."""
    from runner.plan import plan_from_json

    if wishes.any:
        what = "A saved plan is carried out as it is: no other option goes with it."
        raise UsageError("plan-and-goal", what, then=f"refloat apply {file}")
    try:
        text = Path(file).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not text"
        then = "Make it anew: refloat plan TARGET --to VERSION --out FILE"
        raise UsageError("bad-plan", f"The plan {file} cannot be read: {why}.", then=then) from None
    return plan_from_json(text, file)


def finish(end: Outcome, *, as_json: bool) -> None:
    """Tell how a run ended, and leave with its exit status."""
    from runner.report.ending import ending

    if as_json:
        say_json({**end.model_dump(mode="json"), "exit": int(end.exit_status)})
    else:
        say(ending(end))
    if end.exit_status:
        raise typer.Exit(int(end.exit_status))
