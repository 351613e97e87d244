"""A command in a container that answers line by line while it is needed; it knows neither questions nor answers."""

from __future__ import annotations

import atexit
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack

from runner.engine.execution import STDOUT, Said, create_exec, exit_code_of
from runner.engine.wire import Wire
from runner.facts import Finished

START_TIMEOUT_S = 60.0
LONG_S = 86_400.0
"""Whoever hears waits as long as the other side keeps silent."""


class Conversation:
    """See the port; whoever hangs up, or dies, closes the command's input, and it is expected to end then."""

    def __init__(self, wire: Wire, ref: str, argv: Sequence[str], sleep: Callable[[float], None]) -> None:
        self._wire = wire
        self._sleep = sleep
        self._doing = f"talk to {argv[0]} in {ref}"
        self._exec_id = create_exec(wire, ref, argv, "", attach_stdin=True, doing=self._doing)
        self._connection = ExitStack()
        deadline = time.monotonic() + START_TIMEOUT_S
        start = wire.hijack(f"/exec/{self._exec_id}/start", doing=self._doing, deadline=deadline)
        self._stream = self._connection.enter_context(start)
        self.open = True
        atexit.register(self.hang_up)  # the interpreter would tear the connection down in an order of its own, loudly

    def ask(self, line: bytes, timeout_s: float) -> Finished:
        """See the port."""
        self.open = False  # until the whole answer is here: whoever breaks off must not take it for the next one's
        deadline, said = time.monotonic() + timeout_s, Said(None)
        try:
            self.open = self._answered(line, deadline, said)
        except TimeoutError:
            return said.finished(None)
        finally:
            if not self.open:
                self.hang_up()
        if self.open:
            return said.finished(0)
        return said.finished(exit_code_of(self._wire, self._exec_id, self._doing, deadline, self._sleep))

    def _answered(self, line: bytes, deadline: float, said: Said) -> bool:
        """Whether a line came back; False where the command ended instead."""
        with self._wire.talking(self._doing):
            self._stream.until(deadline)
            self._stream.send(line + b"\n", last=False)
            for kind, data in self._stream.frames():
                said.add(kind, data)
                if kind == STDOUT and data.endswith(b"\n"):
                    return True
        return False

    def say(self, data: bytes, *, last: bool = False) -> None:
        """See the port."""
        self._stream.until(time.monotonic() + LONG_S)
        with self._wire.talking(self._doing):
            self._stream.send(data, last=last)

    def hear(self) -> Iterator[bytes]:
        """See the port."""
        self._stream.until(time.monotonic() + LONG_S)
        with self._wire.talking(self._doing):
            for kind, data in self._stream.frames():
                if kind == STDOUT:
                    yield data

    def hang_up(self) -> None:
        """See the port."""
        self.open = False
        atexit.unregister(self.hang_up)
        self._connection.close()
