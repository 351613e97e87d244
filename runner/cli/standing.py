"""`refloat status`, `history` and `show`: what the run folders say; they need no engine."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from runner.cli.asked import meant
from runner.cli.ground import home_folder
from runner.cli.rollback import TargetOrRun
from runner.cli.terminal import say, say_json, tell
from runner.cli.wishes import AsJson

if TYPE_CHECKING:
    from runner.journal import Runs
    from runner.standing import Standing

Formats = Literal["text", "html", "json", "junit", "markdown"]
AsFormat = Annotated[Formats | None, typer.Option("--format", help="Default: text, or as FILE is called.")]
Out = Annotated[Path | None, typer.Option("--out", "-o", metavar="FILE", help="Write it here instead of printing it.")]
MaybeTarget = Annotated[str, typer.Argument(metavar="[T]", help="A container or a run; all of them without it.")]


def _runs() -> Runs:
    from runner.journal import Runs

    return Runs(home_folder())


def status_command(target: MaybeTarget = "", as_json: AsJson = False) -> None:
    """Where every target stands. What is at work, cut off, stuck or open, and what to type next."""
    from runner.standing import standings

    newest: dict[str, Standing] = {}
    for row in standings(_runs(), meant(target)):
        if row.is_open or row.target not in newest:
            newest[row.run if row.is_open else row.target] = row
            newest.setdefault(row.target, row)
    rows = tuple(dict.fromkeys(newest.values()))
    if as_json:
        say_json([row.model_dump(mode="json") for row in rows])
        return
    say("\n".join(_status_lines(rows)) or "No run yet. See what could be upgraded: refloat ls")


def _status_lines(rows: tuple[Standing, ...]) -> tuple[str, ...]:
    return tuple(line for row in rows for line in _status_of(row))


def _status_of(row: Standing) -> tuple[str, ...]:
    head = f"{row.target}: {row.state} ({row.verb} {row.old} → {row.new}, run {row.run})"
    details = (("step", row.doing), ("why", row.why), ("next", row.then))
    return (head, *(f"  {name}: {text}" for name, text in details if text))


def history_command(target: MaybeTarget = "", as_json: AsJson = False) -> None:
    """Every run, newest first."""
    from runner.report.words import columns, day_words, seconds_words
    from runner.standing import standings

    rows = standings(_runs(), meant(target))
    if as_json:
        say_json([row.model_dump(mode="json") for row in rows])
        return
    if not rows:
        say("No run yet.")
        return
    cells = tuple(
        (row.run, day_words(row.at) if row.at else "unknown", row.target, row.verb, f"{row.old} → {row.new}",
         seconds_words(row.downtime_s) if row.downtime_s is not None else "none", row.state)
        for row in rows
    )  # fmt: skip
    say(columns(cells, ("run", "begun (UTC)", "target", "verb", "way", "downtime", "ended")))


def show_command(run: TargetOrRun, form: AsFormat = None, out: Out = None, as_json: AsJson = False) -> None:
    """One run or rehearsal. What happened and when, why it turned, the last log lines, the evidence."""
    run = meant(run)
    if as_json:
        _show_records(run)
        return
    from runner.report.formats import Format, rendered
    from runner.reports import find_story, format_of, write_report

    wanted = Format(form) if form else format_of(out) if out else Format.TEXT
    story = find_story(home_folder(), run)
    if out is None:
        say(rendered(story, wanted))
        return
    write_report(out, story, wanted)
    tell(f"Written to {out}.")


def _show_records(run: str) -> None:
    """The plan and every record of it, or the result of a rehearsal, as they are kept."""
    from runner.reports import rehearsal_named, result_of
    from runner.standing import find_run, told

    runs = _runs()
    if rehearsal := rehearsal_named(runs.home, run):
        say_json(result_of(runs.home, rehearsal).model_dump(mode="json"))
        return
    say_json(told(runs, find_run(runs, run)).model_dump(mode="json"))
