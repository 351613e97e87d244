"""Runs one `refloat apply` per target, each a process of its own: what becomes of one is no danger to another."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from threading import Event, Lock
from typing import IO

from pydantic import JsonValue

from runner.cli.terminal import tell
from runner.errors import Exit
from runner.report.fleet import Ending, One, one_from

APPLY = (sys.executable, "-m", "runner.cli.main", "apply")
GO_ON = (Exit.DONE, Exit.REFUSED, Exit.LATER, Exit.REHEARSAL_FAILED, Exit.BUSY, Exit.USAGE)
"""Ends that stop nobody else: nothing was touched."""
NOT_BEGUN = "another one had to be rolled back first"


@dataclass
class Many:
    """Upgrades under way; ``keep_going`` also after one was rolled back."""

    keep_going: bool = False
    _stop: Event = field(default_factory=Event)
    _lock: Lock = field(default_factory=Lock)
    _running: set[subprocess.Popen[bytes]] = field(default_factory=set)

    def upgrade(self, groups: tuple[tuple[str, ...], ...], jobs: int) -> tuple[One, ...]:
        """Every group in its order, so many groups at a time. Ctrl-C goes to each that runs; no other begins."""
        with ThreadPoolExecutor(max_workers=jobs) as pool:
            futures = [pool.submit(self._group, group) for group in groups]
            while True:
                try:
                    return tuple(one for future in futures for one in future.result())
                except KeyboardInterrupt:
                    self._pass_on()

    def _pass_on(self) -> None:
        self._stop.set()
        with self._lock:
            for child in self._running:
                child.send_signal(signal.SIGINT)

    def _group(self, names: tuple[str, ...]) -> tuple[One, ...]:
        return tuple(self._one(name) for name in names)

    def _one(self, name: str) -> One:
        if self._stop.is_set():
            return One(target=name, ending=Ending.NOT_BEGUN, why=NOT_BEGUN)
        tell(f"{name}  begins")
        status, answer = self._applied(name)
        if not (status in GO_ON or (self.keep_going and status == Exit.ROLLED_BACK)):
            self._stop.set()
        one = one_from(name, status, answer)
        tell(f"{name}  {one.ending}{f': {one.why}' if one.why else ''}")
        return one

    def _applied(self, name: str) -> tuple[int, dict[str, JsonValue]]:
        """The end of one process; in a session of its own, for Ctrl-C must reach it once and not twice."""
        child = subprocess.Popen((*APPLY, name, "--json"), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                 stderr=subprocess.PIPE, start_new_session=True, env=os.environ)  # fmt: skip
        with self._lock:
            self._running.add(child)
        try:
            with ThreadPoolExecutor(max_workers=1) as listener:
                listener.submit(_pass_words, name, child.stderr)
                said = child.stdout.read() if child.stdout else b""
            return child.wait(), _answer(said)
        finally:
            with self._lock:
                self._running.discard(child)


def _pass_words(name: str, stream: IO[bytes] | None) -> None:
    for line in stream or ():
        tell(f"{name}  {line.decode('utf-8', 'replace').rstrip()}")


def _answer(said: bytes) -> dict[str, JsonValue]:
    try:
        answer = json.loads(said or b"{}")
    except ValueError:
        return {}
    return answer if isinstance(answer, dict) else {}
