"""The run folder: plan, append-only records, fsync, lock; it only keeps, it decides nothing."""

from __future__ import annotations

import fcntl
import json
import os
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from pydantic import ValidationError

from runner.errors import Busy, Refused, Stuck, UsageError
from runner.plan import Plan, plan_from_json
from runner.records import Record, record_from_line, record_to_line

PRIVATE = 0o700


class Journal:
    """The records of one run. Each is on the disk, fsynced, before ``write`` returns."""

    def __init__(self, path: Path, hear: Callable[[Record], None] = lambda _: None) -> None:
        self.path = path
        self.hear = hear
        self.records: tuple[Record, ...] = read_records(path)
        _cut_torn_end(path)

    def write(self, record: Record) -> None:
        """Append one record, durable; Stuck ``no-journal`` where the disk says no."""
        try:
            with self.path.open("ab") as file:
                file.write(record_to_line(record))
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            what = f"The journal {self.path} cannot be written: {error.strerror}."
            raise Stuck(
                "no-journal", what, "The run stopped where it was.", "Make room there, then: refloat recover"
            ) from None
        self.records = (*self.records, record)
        self.hear(record)


def read_records(path: Path) -> tuple[Record, ...]:
    """All whole records; a torn last line is as if never written. Refused where a line in the middle is damaged."""
    lines = path.read_bytes().split(b"\n") if path.exists() else [b""]
    records = []
    for number, line in enumerate(lines[:-1], 1):
        try:
            records.append(record_from_line(line))
        except ValidationError:
            if number == len(lines) - 1:
                break
            what = f"The journal {path} is damaged in line {number}."
            raise Refused("damaged-journal", what, then="Move it away, then: refloat recover TARGET") from None
    return tuple(records)


def _cut_torn_end(path: Path) -> None:
    """Leave whole records only, so that the next one begins on a line of its own."""
    if not path.exists():
        return
    whole = path.read_bytes()
    kept = whole[: whole.rfind(b"\n") + 1]
    try:
        record_from_line(kept[kept[:-1].rfind(b"\n") + 1 : -1]) if kept else None
    except ValidationError:
        kept = kept[: kept[:-1].rfind(b"\n") + 1]
    if kept != whole:
        with path.open("r+b") as file:
            file.truncate(len(kept))
            os.fsync(file.fileno())


def ensure_private(folder: Path) -> None:
    """Make a folder, and what is missing above it, for its owner only; ``mkdir`` would do so for the last one."""
    for each in (*reversed(folder.parents), folder):
        if not each.is_dir():
            each.mkdir(mode=PRIVATE, exist_ok=True)


def write_durably(path: Path, text: str) -> None:
    """Write a file whole or not at all."""
    ensure_private(path.parent)
    draft = path.with_name(path.name + ".draft")
    with draft.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


class Runs:
    """All runs under REFLOAT_HOME: ``runs/RUN/plan.json``, ``journal.jsonl``, ``commit.jsonl``, ``papers/``."""

    def __init__(self, home: Path) -> None:
        self.home = home

    def folder(self, run: str) -> Path:
        """Where one run is kept."""
        return self.home / "runs" / run

    def begin(self, plan: Plan, papers: dict[str, str]) -> None:
        """Make the folder of a run; Refused ``ran-already`` where the plan was carried out before."""
        if self.journal_path(plan.run).exists():
            what = f"This plan was carried out already, as run {plan.run}."
            raise Refused("ran-already", what, then=f"See it: refloat show {plan.run}. Or make a new plan.")
        for name, text in papers.items():
            write_durably(self.folder(plan.run) / "papers" / name, text)
        write_durably(self.folder(plan.run) / "plan.json", plan.to_json())

    def plan(self, run: str) -> Plan:
        """The plan of a run; Refused ``no-such-run``."""
        path = self.folder(run) / "plan.json"
        if not path.exists():
            raise Refused("no-such-run", f"There is no run {run} here.", then="List them: refloat history")
        return plan_from_json(path.read_text(encoding="utf-8"), str(path))

    def papers(self, run: str) -> dict[str, str]:
        """The texts kept beside the plan."""
        folder = self.folder(run) / "papers"
        return {path.name: path.read_text(encoding="utf-8") for path in sorted(folder.glob("*.json"))}

    def journal_path(self, run: str) -> Path:
        """The journal of the upgrade itself."""
        return self.folder(run) / "journal.jsonl"

    def commit_path(self, run: str) -> Path:
        """The journal of its commit."""
        return self.folder(run) / "commit.jsonl"

    def records(self, run: str) -> tuple[Record, ...]:
        """The records of a run so far."""
        return read_records(self.journal_path(run))

    def all(self) -> tuple[str, ...]:
        """The runs that have a plan, newest first (run names begin with their time)."""
        return tuple(sorted((path.parent.name for path in self.home.glob("runs/*/plan.json")), reverse=True))

    def readable(self) -> tuple[str, ...]:
        """Those whose plan this version of refloat can read, newest first."""
        return tuple(run for run in self.all() if self._is_readable(run))

    def unreadable(self) -> tuple[str, ...]:
        """The others: another version wrote them, or they are damaged. Nobody here can say how they stand."""
        return tuple(run for run in self.all() if not self._is_readable(run))

    def _is_readable(self, run: str) -> bool:
        try:
            self.plan(run)
        except (UsageError, OSError, UnicodeDecodeError):
            return False
        return True

    def of_target(self, engine_id: str, target: str) -> tuple[str, ...]:
        """The runs of one target on one engine, newest first, also those of a stack it was in."""
        return tuple(run for run in self.readable() if _is_of(self.plan(run), engine_id, target))

    @contextmanager
    def lock(self, engine_id: str, target: str, run: str, since: str, *, then: str = "") -> Iterator[None]:
        """Hold a target, or what is done to one (``path of web``), for one run; Busy says who has it and since when.

        ``then`` is what to do meanwhile, where no status tells of it. The lock dies with its process.
        """
        path = self.home / "locks" / f"{_as_file_name(engine_id)}-{_as_file_name(target)}.lock"
        ensure_private(path.parent)
        with path.open("a+", encoding="utf-8") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                raise _busy(target, path.read_text(encoding="utf-8"), then) from None
            file.truncate(0)
            holder = {"run": run, "pid": os.getpid(), "host": socket.gethostname(), "since": since}
            file.write(json.dumps(holder))
            file.flush()
            yield
            file.truncate(0)


def _is_of(plan: Plan, engine_id: str, target: str) -> bool:
    return plan.engine_id == engine_id and target in plan.names and plan.verb != "rehearsal"


def _as_file_name(text: str) -> str:
    return "".join(char if char.isalnum() or char in "-_." else "_" for char in text)[:60]


def _busy(target: str, holder: str, then: str) -> Busy:
    try:
        said = json.loads(holder)
        who = f"run {said['run']} (process {said['pid']} on {said['host']}) since {said['since']}"
    except (ValueError, KeyError, TypeError):
        who = "another run"
    return Busy("busy", f"{target} is held by {who}.", then=then or f"Watch it: refloat status {target}")
