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
    if not parts_of(config):
        raise UsageError("no-targets", "refloat.yaml names no target.", then="Write one: refloat init")
    names = _chosen(config, tuple(targets or ()))
    aims = tuple(name for name in names if has_goal(config, name))
    done = Many(keep_going).upgrade(_groups(config, aims), jobs)
    every = _in_order(names, done)
    _write(wanted, every)
    if as_json:
        say_json(fleet_json(every))
    else:
        say(table(every))
    if status := worst(every):
        raise typer.Exit(status)


def parts_of(config: Config) -> dict[str, tuple[str, ...]]:
    """What can be upgraded by itself: each target that is in no stack, and each stack with its members."""
    stacks = {name: tuple(stack.members) for name, stack in config.stacks.items()}
    taken = {config.name_of(member) or member for members in stacks.values() for member in members}
    return {**{name: (name,) for name in config.targets if name not in taken}, **stacks}


def has_goal(config: Config, name: str) -> bool:
    """Whether it is said where it shall go; of a stack, for one of its members."""
    if name in config.stacks:
        return any(
            goal != "same" if goal else has_goal(config, config.name_of(member))
            for member, goal in config.stacks[name].members.items()
        )
    target = config.targets.get(name)
    return bool(target and (target.goal or target.image))


def _chosen(config: Config, asked: tuple[str, ...]) -> tuple[str, ...]:
    """Names as in refloat.yaml, in its order; UsageError ``no-such-target``."""
    parts = parts_of(config)
    called = {text: text if text in parts else config.name_of(text) for text in asked}
    for text, name in called.items():
        if name not in parts:
            raise UsageError(
                "no-such-target",
                f"refloat.yaml names nothing {text} that goes by itself.",
                then=f"It names: {', '.join(parts)}.",
            )
    return tuple(name for name in parts if not asked or name in called.values())


def _groups(config: Config, names: tuple[str, ...]) -> tuple[tuple[str, ...], ...]:
    """What may go at the same time; what is not on the engine says so itself, in its own apply."""
    from runner.independence import groups
    from runner.targets import find_target

    engine, found, missing = open_session().engine, [], []
    for name in names:
        try:
            called = [config.target(part)[0] for part in parts_of(config)[name]]
            found.append((name, tuple(find_target(engine, each) for each in called)))
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
