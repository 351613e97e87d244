"""A conversation with a command of the memory engine: each line is a command of its own; it remembers nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from runner.facts import Finished


class MemoryConversation:
    """See the port."""

    def __init__(self, answer: Callable[[bytes], Finished]) -> None:
        self._answer = answer
        self.open = True
        self._said = b""

    def ask(self, line: bytes, timeout_s: float) -> Finished:
        """See the port; no time passes here."""
        del timeout_s
        finished = self._answer(line)
        self.open = finished.exit_code == 0
        return finished

    def say(self, data: bytes, *, last: bool = False) -> None:
        """See the port."""
        del last
        self._said += data

    def hear(self) -> Iterator[bytes]:
        """See the port; all that was said is answered at once."""
        yield self._answer(self._said).stdout

    def hang_up(self) -> None:
        """See the port."""
        self.open = False
