"""What a run does right now, on standard error: a spinner on a terminal, plain lines elsewhere; it changes no run."""

from __future__ import annotations

import contextlib
import sys
from typing import TextIO

from rich.console import Console
from rich.markup import escape
from rich.status import Status
from rich.text import Text

from runner.plan import Plan
from runner.records import Closed, Failed, Meant, Noted, Record, Turned
from runner.report.lines import Labelled, labelled, line_from, noted


class _Console(Console):
    """Rich ends the whole process when nobody reads it any more; in the middle of an upgrade we just go quiet."""

    def on_broken_pipe(self) -> None:
        """Say nothing from here on."""
        self.quiet = True


class Live:
    """Hears records. Whatever goes wrong with the screen, the run never learns of it."""

    def __init__(self, stream: TextIO | None = None, name: str = "") -> None:
        """``name`` goes before every line where several runs are at work at the same time: none of them spins then."""
        self._name = name
        self._console = _Console(file=stream or sys.stderr, highlight=False, soft_wrap=True)
        self._said: Labelled = {}
        self._status: Status | None = None
        self._step = ""
        self._waits = ""
        self._log = ""

    def follow(self, plan: Plan) -> None:
        """Know the steps of this plan from here on."""
        self._said = labelled(plan)

    def hear(self, record: Record) -> None:
        """Show one record."""
        # A closed terminal or a bug in the drawing must not break an upgrade half-way.
        with contextlib.suppress(Exception):
            self._show(record)

    def rest(self) -> None:
        """Take the spinner away."""
        with contextlib.suppress(Exception):
            if self._status:
                self._status.stop()
                self._status = None

    def _show(self, record: Record) -> None:
        if self._console.is_terminal and isinstance(record, Meant | Noted):
            if not self._name:
                self._spin(record)
            if isinstance(record, Noted) and record.kind in ("waiting", "log"):
                return
        line = line_from(record, self._said)
        if line:
            self._console.print(escape(f"{self._name}  {line}" if self._name else line), style=_style(record))
        if isinstance(record, Closed):
            self.rest()

    def _spin(self, record: Meant | Noted) -> None:
        if isinstance(record, Meant):
            self._step, self._waits, self._log = " ".join(self._said.get(record.key, ("", record.key))), "", ""
        elif record.kind == "waiting":
            self._waits = noted(record)
        elif record.kind == "log":
            self._log = record.text
        said = " · ".join(part for part in (self._waits or self._step, self._log) if part)
        text = Text(said, no_wrap=True, overflow="ellipsis")
        if self._status is None:
            self._status = self._console.status(text)
            self._status.start()
        self._status.update(text)


def _style(record: Record) -> str:
    if isinstance(record, Failed | Turned) or (isinstance(record, Noted) and record.kind == "warning"):
        return "yellow"
    return "bold" if isinstance(record, Closed) else ""
