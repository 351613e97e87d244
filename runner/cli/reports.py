"""The option --report of the verbs that carry out: paths are checked before, reports written whatever the end."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from runner.cli.ground import home_folder
from runner.cli.terminal import tell

if TYPE_CHECKING:
    from runner.report.formats import Format
    from runner.report.story import Story

Report = Annotated[
    list[Path] | None,
    typer.Option(
        "--report", metavar="FILE", help="Write a report: .html, .json, .xml (JUnit) or .md. May be repeated."
    ),
]
Wanted = tuple[tuple[Path, "Format"], ...]


def wanted_reports(files: list[Path] | None) -> Wanted:
    """The files with their formats; UsageError where one cannot be written or names no format."""
    if not files:
        return ()
    from runner.reports import check_writable, format_of

    wanted = tuple((path, format_of(path)) for path in files)
    for path in files:
        check_writable(path)
    return wanted


@contextmanager
def reporting(wanted: Wanted, run: str) -> Iterator[None]:
    """Write a run's reports at the end, however it ended; not where nothing came into its journal meanwhile."""
    journal = home_folder() / "runs" / run / "journal.jsonl"
    before = _size(journal)
    try:
        yield
    finally:
        if wanted and _size(journal) != before:
            from runner.reports import story_of_run

            write_reports(wanted, partial(story_of_run, home_folder(), run))


def write_reports(wanted: Wanted, tell_story: Callable[[], Story]) -> None:
    """Write them; what cannot be written any more is said and changes no status."""
    if not wanted:
        return
    from runner.errors import RefloatError
    from runner.reports import write_report

    try:
        story = tell_story()
        for path, form in wanted:
            write_report(path, story, form)
            tell(f"Report: {path}")
    except RefloatError as error:
        tell(f"! {error.what}")


def _size(journal: Path) -> int:
    return journal.stat().st_size if journal.exists() else 0
