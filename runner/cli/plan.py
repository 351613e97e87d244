"""`refloat plan`: what an upgrade would do, step by step, with its way back; it changes nothing."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from runner.cli.asked import Asked, asked, refuse_older
from runner.cli.ground import open_session, place_from
from runner.cli.stacks import stack_asked
from runner.cli.terminal import say, tell
from runner.cli.wishes import (
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
    StopTimeout,
    To,
    Unchecked,
    Vault,
    Wishes,
)  # fmt: skip
from runner.errors import UsageError

if TYPE_CHECKING:
    from runner.plan import Plan

Target = Annotated[str, typer.Argument(metavar="T", help="A container's name or id, or a compose PROJECT/SERVICE.")]
Out = Annotated[Path | None, typer.Option("--out", metavar="FILE", help="Write the plan here, to apply it later.")]


def plan_command(target: Target, to: To = "", image: Image = "", pull: PullWish = None, hold: Hold = None,
                 keep: Keep = None, keep_for: KeepFor = "", stop_timeout: StopTimeout = None,
                 deadline: Deadline = None, dwell: Dwell = None, probe: Probes = None, keep_env: KeepEnv = None,
                 vault: Vault = "", answer: Answers = None, force: Forced = False, no_refresh: NoRefresh = False,
                 unchecked: Unchecked = False, config_path: ConfigPaths = None, conflict: OnConflict = None,
                 answers: ConflictAnswers = None, edit: Edit = None, member: Members = None, out: Out = None,
                 as_json: AsJson = False) -> None:  # fmt: skip
    """Say what an upgrade would do. Every step, why, its undo, the downtime, the warnings."""
    wishes = Wishes(to, image, pull, hold, keep, stop_timeout, deadline, dwell, tuple(probe or ()),
                    tuple(keep_env or ()), vault, tuple(answer or ()), keep_for=keep_for, edit=edit,
                    force="vendor" if force else "no", unchecked=unchecked,
                    refresh=RefreshWishes.of(no_refresh, config_path, conflict, answers))  # fmt: skip
    print_plan(target, wishes, out, member, as_json=as_json)


def print_plan(target: str, wishes: Wishes, out: Path | None, member: list[str] | None = None,
               *, as_json: bool) -> None:  # fmt: skip
    """Make a plan, write it where asked, and print it."""
    from runner.report.plan_text import plan_text

    plan = _planned(asked(target, wishes), target, wishes, member)
    refuse_older(plan, typed=wishes.aims or bool(member))
    if out is not None:
        _write(out, plan.to_json())
    say(plan.to_json() if as_json else plan_text(plan))
    if out is not None and not as_json:
        tell(f"Written to {out}. Carry out exactly this: refloat apply {out}")


def _planned(want: Asked, target: str, wishes: Wishes, member: list[str] | None) -> Plan:
    from runner.hopping import first_hop, first_hop_of_stack, path_to
    from runner.stack_hops import stack_hops
    from runner.verbs import Refloat

    options, place = want.wishes.options, place_from(want.wishes.vault)
    refloat = Refloat(open_session())
    if stack := stack_asked(refloat.session.engine, target, wishes, member):
        found = stack_hops(refloat.session, stack)
        return first_hop_of_stack(refloat, found, place) if found else refloat.plan_stack(stack, place)
    goal, hops = want.wishes.goal, path_to(refloat, want.target, want.wishes.goal, options)
    return refloat.plan(want.target, goal, options, place) if hops is None else (
        first_hop(refloat, hops, goal, options, place))  # fmt: skip


def _write(out: Path, text: str) -> None:
    try:
        out.write_text(text, encoding="utf-8")
    except OSError as error:
        raise UsageError(
            "not-writable", f"{out} cannot be written: {error.strerror}.", then="Name another file."
        ) from None
