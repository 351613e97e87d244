"""Images as one stream, out of an engine and into one; never a whole image in memory, and it names and judges none."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from runner.engine.pulling import follow_pull
from runner.engine.wire import Wire

SILENCE_TIMEOUT_S = 600.0
"""Between two pieces: an engine reads or unpacks a big layer for minutes without a word."""


class Freight:
    """The two requests that move images, on a connection of their own."""

    def __init__(self, url: str = "") -> None:
        self._wire = Wire(url)
        self._wire.negotiate()

    def save(self, refs: Sequence[str]) -> Iterator[bytes]:
        """The images of these names as a tar, piece by piece; NotFound, and what a broken answer raises."""
        yield from self._wire.ask_pieces("/images/get", doing=f"save {', '.join(refs)}", params={"names": list(refs)},
                                         timeout_s=SILENCE_TIMEOUT_S)  # fmt: skip

    def load(self, pieces: Iterable[bytes]) -> None:
        """Put such a tar into the engine; an EngineError says what is wrong with it."""
        lines = self._wire.ask_lines("/images/load", doing="load images", params={"quiet": "1"}, data=pieces,
                                     timeout_s=SILENCE_TIMEOUT_S)  # fmt: skip
        follow_pull(lines, "load images", None)
