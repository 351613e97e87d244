"""Reports out of REFLOAT_HOME: finds the run or rehearsal, tells its story, writes it whole; it words nothing."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from pydantic import ValidationError

from runner.errors import Exit, Refused, UsageError
from runner.journal import Runs
from runner.outcome import Outcome
from runner.rehearsal import Rehearsed
from runner.report.formats import SUFFIXES, Format, rendered
from runner.report.story import Story
from runner.report.telling import path_story, rehearsal_story, run_story
from runner.staging import rehearsals_folder
from runner.standing import find_run, is_at_work, state_of, told


def find_story(home: Path, name: str) -> Story:
    """The story of a run or rehearsal by its name or a beginning of it, or of a target's newest run.

    Refused ``no-such-run``, ``ambiguous``, or ``unreadable-rehearsal``.
    """
    rehearsal = rehearsal_named(home, name)
    return story_of_rehearsal(home, rehearsal) if rehearsal else story_of_run(home, find_run(Runs(home), name))


def rehearsal_named(home: Path, name: str) -> str:
    """The rehearsal of this name, or the only one that begins so; empty where there is none, or a run is called so."""
    begun = sorted(path.stem for path in rehearsals_folder(home).glob(f"{_plain(name)}*.json"))
    if name in begun:
        return name
    return begun[0] if len(begun) == 1 and not Runs(home).folder(name).exists() else ""


def _plain(name: str) -> str:
    """Nothing of a pattern, and no other folder; names of runs are of such characters."""
    return "".join(char for char in name if char.isalnum() or char == "-") or "nothing"


def story_of_run(home: Path, run: str) -> Story:
    """The story of a run."""
    one = told(Runs(home), run)
    state = state_of(one.end, at_work=is_at_work(one.records))
    return run_story(one.plan, one.records, one.commit, state)


def story_of_path(home: Path, ends: tuple[Outcome, ...], status: Exit) -> Story:
    """The story of the runs of a path, the way back to its start among them."""
    return path_story(story_of_run(home, ends[0].run), story_of_run(home, ends[-1].run), ends, status)


def story_of_rehearsal(home: Path, run: str) -> Story:
    """The story of a rehearsal, with what was played where its folder is still there."""
    result = result_of(home, run)
    inner = Runs(rehearsals_folder(home) / run)
    played = f"{run}-play-{len(result.hops)}" if len(result.hops) > 1 else f"{run}-play"
    if not (inner.folder(played) / "plan.json").exists():
        return rehearsal_story(result, None, ())
    return rehearsal_story(result, inner.plan(played), inner.records(played))


def result_of(home: Path, run: str) -> Rehearsed:
    """What was kept of a rehearsal; Refused ``unreadable-rehearsal``."""
    path = rehearsals_folder(home) / f"{run}.json"
    try:
        return Rehearsed.model_validate_json(path.read_text(encoding="utf-8"))
    except ValidationError:
        what = f"The rehearsal {run} was kept by another version of refloat."
        raise Refused("unreadable-rehearsal", what, then=f"refloat rehearse TARGET, and: rm {path}") from None


def format_of(path: Path) -> Format:
    """The format a file's name asks for; UsageError ``bad-report``."""
    form = SUFFIXES.get(path.suffix.lower())
    if form is None:
        what = f"{path} does not say in which format: it ends with none of {', '.join(SUFFIXES)}."
        raise UsageError("bad-report", what, then="Name it report.html, for example.")
    return form


def check_writable(path: Path) -> None:
    """See that a report can be written there later; UsageError ``not-writable``."""
    if path.exists() and not path.is_file():
        raise _not_writable(path, "it is no file")
    draft = _draft(path)
    try:
        draft.touch(exist_ok=False)
        draft.unlink()
    except OSError as error:
        raise _not_writable(path, error.strerror or "the system says no") from None


def write_report(path: Path, story: Story, form: Format) -> None:
    """Write it whole or not at all; UsageError ``not-writable``."""
    write_text(path, rendered(story, form))


def write_text(path: Path, text: str) -> None:
    """Write a report that is worded already, whole or not at all; UsageError ``not-writable``."""
    real = path.resolve()
    draft = _draft(real)
    try:
        with draft.open("x", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(real)
    except OSError as error:
        draft.unlink(missing_ok=True)
        raise _not_writable(path, error.strerror or "the system says no") from None


def _draft(path: Path) -> Path:
    real = path.resolve()
    return real.with_name(f".{real.name[:100]}.{secrets.token_hex(4)}.draft")


def _not_writable(path: Path, why: str) -> UsageError:
    return UsageError("not-writable", f"{path} cannot be written: {why}.", then="Name another file.")
