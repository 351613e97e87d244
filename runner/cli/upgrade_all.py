"""`refloat upgrade-all`: everything in refloat.yaml that has a goal, each by its own apply; it plans nothing itself."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from runner.cli.ground import home_folder, open_session
from runner.cli.reports import Report, wanted_reports
from runner.cli.terminal import say, say_json, tell
from runner.cli.wishes import AsJson, Yes
from runner.errors import RefloatError, UsageError

if TYPE_CHECKING:
    from runner.config.model import Config
    from runner.report.fleet import One
    from runner.report.formats import Format

Names = Annotated[list[str] | None, typer.Argument(metavar="[T…]", help="Only these of refloat.yaml. Default: all.")]
Jobs = Annotated[int, typer.Option("--jobs", min=1, metavar="N", help="How many that share nothing at the same time.")]
KeepGoing = Annotated[bool, typer.Option("--keep-going", help="Go on with the others after one was rolled back.")]


def upgrade_all_command(targets: Names = None, jobs: Jobs = 1, keep_going: KeepGoing = False,
                        report: Report = None, yes: Yes = False,  # noqa: ARG001  # scripts say --yes to every verb
                        as_json: AsJson = False) -> None:  # fmt: skip
    """Upgrade every target of refloat.yaml to its goal. Stops at the first that has to be rolled back."""
    from runner.cli.many import Many
    from runner.config.reading import find_config
    from runner.report.fleet import as_json as fleet_json
    from runner.report.fleet import table, worst

    wanted, config = wanted_reports(report), find_config().config
    if not config.targets:
        raise UsageError("no-targets", "refloat.yaml names no target.", then="Write one: refloat init")
    names = _chosen(config, tuple(targets or ()))
    aims = tuple(name for name in names if config.targets[name].goal or config.targets[name].image)
    done = Many(keep_going).upgrade(_groups(config, aims), jobs)
    every = _in_order(names, done)
    _write(wanted, every)
    if as_json:
        say_json(fleet_json(every))
    else:
        say(table(every))
    if status := worst(every):
        raise typer.Exit(status)


def _chosen(config: Config, asked: tuple[str, ...]) -> tuple[str, ...]:
    """Names as in refloat.yaml, in its order; UsageError ``no-such-target``."""
    for text in asked:
        if not config.name_of(text):
            raise UsageError(
                "no-such-target", f"refloat.yaml names no target {text}.", then="See which: refloat doctor"
            )
    mine = {config.name_of(text) for text in asked}
    return tuple(name for name in config.targets if not asked or name in mine)


def _groups(config: Config, names: tuple[str, ...]) -> tuple[tuple[str, ...], ...]:
    """What may go at the same time; what is not on the engine says so itself, in its own apply."""
    from runner.independence import groups
    from runner.targets import find_target

    engine, found, missing = open_session().engine, [], []
    for name in names:
        try:
            found.append((name, find_target(engine, config.targets[name].called(name))))
        except RefloatError:
            missing.append((name,))
    return (*groups(found), *missing)


def _in_order(names: tuple[str, ...], done: tuple[One, ...]) -> tuple[One, ...]:
    from runner.report.fleet import Ending, One

    ended = {one.target: one for one in done}
    skipped = {name: One(target=name, ending=Ending.SKIPPED, why="it has no goal") for name in names}
    return tuple({**skipped, **ended}[name] for name in names)


def _write(wanted: tuple[tuple[Path, Format], ...], every: tuple[One, ...]) -> None:
    """One report of all; what cannot be written any more is said and changes no status."""
    if not wanted:
        return
    from runner.report.fleet import fleet_report
    from runner.reports import story_of_run, write_text

    try:
        stories = tuple(story_of_run(home_folder(), run) for one in every for run in one.runs)
        for path, form in wanted:
            write_text(path, fleet_report(every, stories, form))
            tell(f"Report: {path}")
    except RefloatError as error:
        tell(f"! {error.what}")
