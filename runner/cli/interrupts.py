"""Ctrl-C and SIGTERM while a run is at work: first a wish to go back, then an order to leave; it ends no run itself."""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from runner.errors import Interrupted

STDERR = 2
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Interrupts:
    """Counts the signals of this process while a run is at work."""

    def __init__(self) -> None:
        self._came = 0

    def asked(self) -> bool:
        """Whether somebody wished to go back."""
        return self._came > 0

    @contextmanager
    def at_work(self, then: str) -> Iterator[None]:
        """Let the first signal be a wish; Interrupted on the second, which says what to type ``then``."""
        before = {number: signal.signal(number, self._hear) for number in SIGNALS}
        try:
            yield
        except KeyboardInterrupt:
            what = "The run was left in the middle."
            stands = "Its journal says how far it came; containers and data are as it left them."
            raise Interrupted("interrupted", what, stands, then) from None
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _hear(self, _number: int, _frame: FrameType | None) -> None:
        self._came += 1
        if self._came > 1:
            raise KeyboardInterrupt
        # Past sys.stderr: a signal may come in the middle of a write to it, which must not be entered twice.
        with contextlib.suppress(OSError):
            os.write(STDERR, b"Interrupted: going back. Once more leaves everything as it is, for refloat recover.\n")
