"""What the wire asks of a way to the engine, and the way over a local socket; it knows no container.

A local socket needs nothing but the standard library: loading the client of the others takes longer than making a plan.
"""

from __future__ import annotations

import http.client
import json
import os
import socket
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from io import BufferedReader
from pathlib import Path
from typing import Protocol
from urllib.parse import urlencode

from runner.engine.failures import STANDARD, Kinds
from runner.facts import Json

Params = Mapping[str, str] | Mapping[str, list[str]]
CONNECT_TIMEOUT_S = 10.0
DEFAULT_SOCKET = "/var/run/docker.sock"


class Reply(Protocol):
    """The beginning of an answer, whose rest is read as it is wanted."""

    @property
    def status(self) -> int:
        """As in HTTP."""

    def whole(self) -> bytes:
        """All of it."""

    def lines(self) -> Iterator[bytes]:
        """Line by line, as it comes."""

    def pieces(self, size_bytes: int) -> Iterator[bytes]:
        """In pieces of at most this size, as it comes."""

    def taken_over(self) -> tuple[BufferedReader, socket.socket]:
        """Both ends of the connection: the first bytes of output may already sit in the reader's buffer."""

    def close(self) -> None:
        """Hang up."""


class Link(Protocol):
    """One way to an engine."""

    @property
    def half_closes(self) -> bool:
        """Whether our end of a connection can be closed alone; TLS has no such thing in Python."""

    @property
    def kinds(self) -> Kinds:
        """What it throws."""

    def send(self, method: str, path: str, params: Params | None, *, timeout_s: float, body: Json | None = None,
             data: bytes | Iterable[bytes] | None = None, headers: Mapping[str, str] | None = None,
             stream: bool = False) -> Reply:  # fmt: skip
        """Send one request; the timeout is for each silence. ``stream`` says that the answer is read as it comes."""


class LocalLink:
    """A Unix socket; each request has a connection of its own, so that none is ever sent into one that died."""

    half_closes = True
    kinds = STANDARD

    def __init__(self, path: str) -> None:
        self._path = path

    def send(self, method: str, path: str, params: Params | None, *, timeout_s: float, body: Json | None = None,
             data: bytes | Iterable[bytes] | None = None, headers: Mapping[str, str] | None = None,
             stream: bool = False) -> LocalReply:  # fmt: skip
        """See the protocol."""
        _ = stream  # it is always read as it comes
        connection = _Connection(self._path, timeout_s)
        try:
            with suppress(BrokenPipeError):  # it need not read all before it refuses: its answer tells
                self._request(connection, method, f"{path}?{urlencode(params, doseq=True)}" if params else path,
                              json.dumps(body).encode() if body is not None else data,
                              {**({"Content-Type": "application/json"} if body is not None else {}),
                               **(headers or {})})  # fmt: skip
            assert connection.sock  # noqa: S101  # connected, or it would have been raised
            return LocalReply(connection.sock, connection.getresponse())
        except BaseException:
            connection.close()
            raise

    def _request(self, connection: _Connection, method: str, url: str, body: bytes | Iterable[bytes] | None,
                 headers: Mapping[str, str]) -> None:  # fmt: skip
        chunked = body is not None and not isinstance(body, bytes)
        whole = {**headers, "User-Agent": "refloat", **({"Transfer-Encoding": "chunked"} if chunked else {})}
        connection.request(method, url, body=body, headers=whole, encode_chunked=chunked)


class _Connection(http.client.HTTPConnection):
    """HTTP over a Unix socket."""

    def __init__(self, path: str, timeout_s: float) -> None:
        super().__init__("docker")
        self._path = path
        self._timeout_s = timeout_s

    def connect(self) -> None:
        """Connect; what fails here was never sent."""
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            sock.settimeout(CONNECT_TIMEOUT_S)
            sock.connect(self._path)
        except (TimeoutError, BlockingIOError) as busy:
            sock.close()
            raise ConnectionRefusedError(f"{self._path} takes no more connections") from busy
        except OSError:
            sock.close()
            raise
        sock.settimeout(self._timeout_s)
        self.sock = sock


class LocalReply:
    """See the protocol."""

    def __init__(self, sock: socket.socket, response: http.client.HTTPResponse) -> None:
        self._sock = sock
        self._response = response

    @property
    def status(self) -> int:
        """See the protocol."""
        return self._response.status

    def whole(self) -> bytes:
        """See the protocol."""
        try:
            return self._response.read()
        finally:
            self.close()

    def lines(self) -> Iterator[bytes]:
        """See the protocol."""
        try:
            yield from (line.rstrip(b"\r\n") for line in self._response)
            self._insist_on_the_end()
        finally:
            self.close()

    def pieces(self, size_bytes: int) -> Iterator[bytes]:
        """See the protocol."""
        try:
            while piece := self._response.read(size_bytes):
                yield piece
            self._insist_on_the_end()
        finally:
            self.close()

    def _insist_on_the_end(self) -> None:
        """Python reads an answer that was cut off as one that ended, where it is read in pieces."""
        if self._response.length:
            raise http.client.IncompleteRead(b"", self._response.length)

    def taken_over(self) -> tuple[BufferedReader, socket.socket]:
        """See the protocol."""
        return self._response.fp, self._sock

    def close(self) -> None:
        """See the protocol."""
        self._response.close()
        self._sock.close()


def local_socket(url: str) -> str:
    """The socket of the engine that is meant, where that can be told without docker's own client; empty elsewhere."""
    host = url or os.environ.get("DOCKER_HOST", "")
    settings = _settings()
    if settings is None or settings.get("HttpHeaders"):
        return ""
    if host:
        return host.removeprefix("unix://") if host.startswith("unix:///") else ""
    if os.environ.get("DOCKER_CONTEXT") or settings.get("currentContext", "default") != "default":
        return ""
    return DEFAULT_SOCKET


def _settings() -> dict[str, object] | None:
    """The docker command's own settings; None where they cannot be understood."""
    folder = os.environ.get("DOCKER_CONFIG", "")
    try:
        path = (Path(folder) if folder else Path("~/.docker").expanduser()) / "config.json"
        read = json.loads(path.read_bytes())
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, RuntimeError):
        return None
    return read if isinstance(read, dict) else None
