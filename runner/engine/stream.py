"""Both ends of a connection taken over from HTTP, as ``exec`` uses it; it knows no container and no error of ours."""

from __future__ import annotations

import socket
import ssl
import struct
import time
from collections.abc import Iterator
from contextlib import suppress
from io import BufferedReader


class Stream:
    """Frames of a command's output come out, its input goes in; TimeoutError past the deadline."""

    def __init__(self, output: BufferedReader, connection: socket.socket, deadline: float) -> None:
        self._output = output
        self._connection = connection
        self._deadline = deadline

    @property
    def full_duplex(self) -> bool:
        """Whether two threads may talk and listen at once, and our end close alone: not so with TLS."""
        return not isinstance(self._connection, ssl.SSLSocket)

    def until(self, deadline: float) -> None:
        """Set another deadline, for what comes next."""
        self._deadline = deadline

    def send(self, data: bytes, *, last: bool = True) -> None:
        """Send input; after the last of it the command sees its end. A command may well end without reading it."""
        with suppress(OSError):
            self._arm()
            self._connection.sendall(data)
            if last and self.full_duplex:
                self._connection.shutdown(socket.SHUT_WR)

    def frames(self) -> Iterator[tuple[int, bytes]]:
        """Yield (1 for stdout or 2 for stderr, bytes) until the command has closed both."""
        while header := self._exactly(8):
            kind, length = struct.unpack(">BxxxL", header)
            yield kind, self._exactly(length)

    def _exactly(self, length: int) -> bytes:
        data = b""
        while len(data) < length:
            self._arm()
            more = self._output.read1(length - len(data))
            if not more and not data:
                break
            if not more:
                raise ConnectionResetError("the engine hung up in the middle of a frame")
            data += more
        return data

    def _arm(self) -> None:
        left_s = self._deadline - time.monotonic()
        if left_s <= 0:
            raise TimeoutError
        self._connection.settimeout(left_s)
