"""`refloat recover` and `refloat commit`: bring what is open to its end; which end, the records say."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Annotated

import typer

from runner.cli.apply import finish
from runner.cli.asked import asked, meant
from runner.cli.ground import new_live, open_session, place_from
from runner.cli.interrupts import Interrupts
from runner.cli.messages import Messages
from runner.cli.paths import tell_cut_off
from runner.cli.rollback import TargetOrRun
from runner.cli.terminal import say, say_json
from runner.cli.wishes import AsJson, Vault, Yes
from runner.errors import Exit

if TYPE_CHECKING:
    from runner.outcome import Outcome

MaybeTarget = Annotated[str, typer.Argument(metavar="[T]", help="A container or a run; all that is open without it.")]
Back = Annotated[bool, typer.Option("--back", help="Go back, even where the new version was started already.")]


def recover_command(target: MaybeTarget = "", back: Back = False, vault: Vault = "", yes: Yes = False,  # noqa: ARG001  # scripts say --yes to every verb
                    as_json: AsJson = False) -> None:  # fmt: skip
    """Finish or undo what was cut off. The runner, the machine or the engine may have died on the way."""
    from runner.recovery import lost_runs, open_runs, refuse_unexplained
    from runner.verbs import Refloat

    live, interrupts = new_live(), Interrupts()
    session = open_session(live.hear, interrupts=interrupts, patient=True)
    target, place = meant(target), place_from(vault)
    ends: list[Outcome] = []
    with interrupts.at_work("refloat recover"):
        for one in (*open_runs(session, target), *lost_runs(session, target, place)):
            live.follow(one.plan)
            ends += Refloat(session).recover(one.plan.run, back=back, place=place)
        if not ends:  # what a rehearsal left is cleared away all the same
            ends += Refloat(session).recover(target, back=back, place=place)
    live.rest()
    tell_cut_off(session, target)
    with ExitStack() as told:
        for end in ends:
            told.enter_context(Messages(asked(end.target).settings, strict=False).ended(end))
        _tell_all(tuple(ends), target, as_json=as_json)
    refuse_unexplained(session, target, place)
    if worst := max((_status_of(end) for end in ends), default=0):
        raise typer.Exit(worst)


def _tell_all(ends: tuple[Outcome, ...], target: str, *, as_json: bool) -> None:
    from runner.report.ending import ending

    if as_json:
        say_json([{**end.model_dump(mode="json"), "exit": _status_of(end)} for end in ends])
    elif ends:
        say("\n\n".join(ending(end) for end in ends))
    else:
        say(f"Nothing of {target} was cut off." if target else "Nothing was cut off.")


def _status_of(end: Outcome) -> int:
    """That the run was interrupted once is no failure of its recovery."""
    status = end.exit_status
    return int(Exit.DONE if status is Exit.INTERRUPTED and end.end is not None else status)


def commit_command(target: TargetOrRun, yes: Yes = False, as_json: AsJson = False) -> None:  # noqa: ARG001  # the same
    """Accept an open verdict. What was kept of the old version is tidied away."""
    from runner.verbs import Refloat

    finish(Refloat(open_session()).commit(meant(target)), as_json=as_json)
