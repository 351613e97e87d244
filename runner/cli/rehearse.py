"""`refloat rehearse`: play an upgrade on copies and say whether it would go through; it never upgrades anything."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from runner.cli.depots import PasswordFile
from runner.cli.ground import home_folder
from runner.cli.manner import Manner
from runner.cli.plays import play_asked
from runner.cli.reports import Report, Wanted, wanted_reports, write_reports
from runner.cli.stacks import refuse_several
from runner.cli.terminal import say, say_json
from runner.cli.wishes import (
    AsJson,
    ConfigPaths,
    ConflictAnswers,
    Deadline,
    Dwell,
    Image,
    KeepEnv,
    Members,
    NoRefresh,
    OnConflict,
    Probes,
    PullWish,
    RefreshWishes,
    StopTimeout,
    Unchecked,
    Vault,
    Wishes,
    Yes,
)  # fmt: skip
from runner.errors import UsageError

if TYPE_CHECKING:
    from runner.rehearsal import Rehearsed

Target = Annotated[
    str,
    typer.Argument(metavar="T", help="A container's name or id, a compose PROJECT/SERVICE, a stack, or a project."),
]
Quick = Annotated[bool, typer.Option("--quick", help="Leave the way back out.")]
Tos = Annotated[
    list[str] | None,
    typer.Option(
        "--to", metavar="VERSION", help="A tag of the same repository, newest, 2.x, or such as '>=2.45,<3'; repeatable."
    ),
]
AllHops = Annotated[
    bool,
    typer.Option("--all-hops", help="Every release up to --to that is on the engine, and the stops on the way there."),
]
AtOnce = Annotated[
    int, typer.Option("--at-once", min=1, metavar="N", help="How many of several versions are played at a time.")
]
From = Annotated[
    str | None,
    typer.Option(
        "--from",
        metavar="RUN|ARCHIVE",
        help="Play on the snapshot of this run, or on an archive (/DIR/FILE, volume:NAME/FILE, FILE, "
        "restic:REPO[#SNAPSHOT]); the target is not even paused.",
    ),
]
AllTheSame = Annotated[
    bool, typer.Option("--force", help="Also what the vendor's rules forbid: on copies it harms nothing.")
]


def rehearse_command(target: Target, to: Tos = None, all_hops: AllHops = False, at_once: AtOnce = 2,
                     image: Image = "", pull: PullWish = None, quick: Quick = False, source: From = None,
                     password_file: PasswordFile = "", stop_timeout: StopTimeout = None, deadline: Deadline = None,
                     dwell: Dwell = None, probe: Probes = None, keep_env: KeepEnv = None, vault: Vault = "",
                     force: AllTheSame = False, unchecked: Unchecked = False, report: Report = None,
                     no_refresh: NoRefresh = False, config_path: ConfigPaths = None, conflict: OnConflict = None,
                     answers: ConflictAnswers = None, member: Members = None,
                     yes: Yes = False,  # noqa: ARG001  # scripts say --yes to every verb
                     as_json: AsJson = False) -> None:  # fmt: skip
    """Play an upgrade and its way back on copies, in isolation. Nothing of yours is stopped.

    With --to more than once, or --all-hops, each version is played on clones of one snapshot, and a table says which
    work; the status is 0 where all of them do, else 4.
    """
    versions = tuple(to or ())
    manner = Manner(quick, _named(source), password_file, at_once, wanted_reports(report))
    one = versions[0] if len(versions) == 1 else ""
    wishes = Wishes(one, image, pull, stop_timeout_s=stop_timeout, deadline_s=deadline, dwell_s=dwell,
                    probes=tuple(probe or ()), keep_env=tuple(keep_env or ()), vault=vault,
                    force="copies" if force else "no", unchecked=unchecked,
                    refresh=RefreshWishes.of(no_refresh, config_path, conflict, answers))  # fmt: skip
    if len(versions) > 1 or all_hops:
        from runner.cli.candidates import rehearse_several, versions_on_the_way

        _refuse_unclear(versions, image, all_hops=all_hops)
        refuse_several(target, wishes, member)
        every = versions_on_the_way(target, wishes.to, wishes) if all_hops else versions
        rehearse_several(target, every, wishes, manner, as_json=as_json)
        return
    result = play_asked(target, wishes, manner, member)
    _write_reports(manner.reports, result)
    _finish(result, as_json=as_json)


def _named(source: str | None) -> str:
    """Empty only where it was not said: a variable that is not set must not have the target paused for a snapshot."""
    if source is not None and not source.strip():
        raise UsageError("from-nothing", "--from names nothing.", then="--from RUN or --from ARCHIVE, or leave it out")
    return source or ""


def _refuse_unclear(versions: tuple[str, ...], image: str, *, all_hops: bool) -> None:
    """UsageError where options do not go together."""
    if image:
        raise UsageError("no-goal", "Several versions are tags of one repository: --image does not go with them.")
    if all_hops and len(versions) > 1:
        raise UsageError("no-goal", "--all-hops goes up to one version: give --to once.")


def _write_reports(reports: Wanted, result: Rehearsed) -> None:
    if reports:
        from runner.reports import story_of_rehearsal

        write_reports(reports, partial(story_of_rehearsal, home_folder(), result.run))


def _finish(result: Rehearsed, *, as_json: bool) -> None:
    from runner.report.rehearsal import rehearsal_report

    if as_json:
        say_json({**result.model_dump(mode="json"), "exit": int(result.exit_status)})
    else:
        say(rehearsal_report(result))
    if result.exit_status:
        raise typer.Exit(int(result.exit_status))
