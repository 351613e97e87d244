"""The wire to the engine: one method is one request, every foreign exception becomes ours; it knows no container."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from urllib.parse import quote

from pydantic import JsonValue

from runner.engine.failures import Refusal, failure_from
from runner.engine.link import Link, LocalLink, Params, Reply, local_socket
from runner.engine.marking import marked
from runner.engine.refusals import refusal
from runner.engine.stream import Stream
from runner.engine.tunnel import open_tunnel
from runner.errors import OutcomeUnknown
from runner.facts import Json

PIECE_BYTES = 1024 * 1024
READ_TIMEOUT_S = 60.0
NEWEST_API = (1, 51)  # newer engines still speak it; what they answer in it is what parse.py was written for
OLDEST_API = "1.41"


class Wire:
    """A connection pool to one engine."""

    def __init__(self, url: str = "", marks: Mapping[str, str] | None = None) -> None:
        self.address, self._link = link_to(url)
        self._marks = dict(marks or {})
        self.api_version = OLDEST_API
        """The API version both sides speak."""

    @property
    def half_closes(self) -> bool:
        """Whether our end of a connection can be closed alone."""
        return self._link.half_closes

    def negotiate(self) -> None:
        """Ask which API version the engine speaks and speak the newest common one."""
        answer = self.ask("GET", "/version", doing="tell its version")
        theirs = str(answer.get("ApiVersion", OLDEST_API)) if isinstance(answer, dict) else OLDEST_API
        numbers = tuple(int(each) for each in theirs.split(".") if each.isdigit())
        self.api_version = theirs if numbers <= NEWEST_API else ".".join(map(str, NEWEST_API))

    def ask(self, method: str, path: str, *, doing: str, params: Mapping[str, str] | None = None,
            body: Json | None = None, timeout_s: float = READ_TIMEOUT_S, auth_for: str = "",
            changing: bool | None = None) -> JsonValue:  # fmt: skip
        """Send one request and give its JSON answer; None where there is none (204, 304)."""
        with self._ours(doing, changing=method != "GET" if changing is None else changing):
            body = marked(path, body, self._marks)
            told = self._send(method, path, params, body=body, timeout_s=timeout_s, auth_for=auth_for).whole()
            answer: JsonValue = json.loads(told) if told else None
            return answer

    def ask_bytes(self, method: str, path: str, *, doing: str, params: Mapping[str, str] | None = None,
                  data: bytes | None = None, timeout_s: float = READ_TIMEOUT_S) -> bytes:  # fmt: skip
        """Send one request with, or for, plain bytes."""
        with self._ours(doing, changing=method != "GET"):
            return self._send(method, path, params, data=data, timeout_s=timeout_s).whole()

    def ask_lines(self, path: str, *, doing: str, params: Mapping[str, str], timeout_s: float, auth_for: str = "",
                  data: bytes | Iterable[bytes] | None = None) -> Iterator[Json]:  # fmt: skip
        """Post one request and yield its answer object by object as it comes; the timeout is for each silence."""
        with self._ours(doing, changing=True):
            answer = self._send("POST", path, params, timeout_s=timeout_s, auth_for=auth_for, data=data, stream=True)
            for line in answer.lines():
                if line:
                    yield json.loads(line)

    def ask_pieces(self, path: str, *, doing: str, params: Params, timeout_s: float) -> Iterator[bytes]:
        """Send one request and yield its answer as it comes; the timeout is for each silence."""
        with self._ours(doing, changing=False):
            answer = self._send("GET", path, params, timeout_s=timeout_s, stream=True)
            yield from answer.pieces(PIECE_BYTES)

    @contextmanager
    def hijack(self, path: str, *, doing: str, deadline: float) -> Iterator[Stream]:
        """Start a prepared command and take its connection over, inside ``talking``; hanging up leaves it running."""
        headers = {"Connection": "Upgrade", "Upgrade": "tcp"}
        left_s = max(deadline - time.monotonic(), 0.1)
        with self._ours(doing, changing=True):
            body: Json = {"Detach": False, "Tty": False}
            answer = self._send("POST", path, None, body=body, timeout_s=left_s, headers=headers, stream=True)
        try:
            # The buffered file, not the bare socket: the first bytes of output may already sit in its buffer.
            yield Stream(*answer.taken_over(), deadline)
        finally:
            with suppress(ValueError):  # as a process ends, what is beneath may be closed before
                answer.close()

    @contextmanager
    def talking(self, doing: str) -> Iterator[None]:
        """Map what a taken-over connection throws; TimeoutError is let through, it is the caller's deadline."""
        try:
            with self._ours(doing, changing=True):
                yield
        except OutcomeUnknown as doubt:
            if doubt.code == "engine-timeout":
                raise TimeoutError from doubt
            raise

    def _send(self, method: str, path: str, params: Params | None, *, timeout_s: float,
              body: Json | None = None, data: bytes | Iterable[bytes] | None = None,
              headers: Mapping[str, str] | None = None, stream: bool = False, auth_for: str = "") -> Reply:  # fmt: skip
        if "//" in path:  # an empty name: the engine would redirect to the list of all
            raise Refusal(404, "no such container, image, network or volume: the name is empty")
        sent = {**(headers or {}), **_login(auth_for)}
        url = f"/v{self.api_version}{quote(path, safe='/:@')}"
        answer = self._link.send(method, url, params, timeout_s=timeout_s, body=body, data=data, headers=sent,
                                 stream=stream)  # fmt: skip
        if answer.status >= 400:
            raise_refusal(answer, changing=method != "GET")
        return answer

    @contextmanager
    def _ours(self, doing: str, *, changing: bool) -> Iterator[None]:
        try:
            yield
        except Refusal as no:
            raise refusal(no.status, no.message, doing) from None
        except self._link.kinds.foreign as error:
            raise failure_from(error, doing, self.address, changing=changing, kinds=self._link.kinds) from error


def link_to(url: str) -> tuple[str, Link]:
    """The address of the engine that is meant, as a DOCKER_HOST, and the way to it; EngineUnreachable."""
    if path := local_socket(url):
        return f"unix://{path}", LocalLink(path)
    from runner.engine.client import DockerLink, connection_options  # slow to load, and seldom needed

    options = connection_options(url)
    address = str(options.get("base_url") or "unix:///var/run/docker.sock")
    if address.startswith("ssh://"):
        return address, LocalLink(open_tunnel(address))
    return address, DockerLink.to(address, options, OLDEST_API)


def _login(repository: str) -> dict[str, str]:
    if not repository:
        return {}
    from runner.engine.client import login_header  # as above

    return login_header(repository)


def raise_refusal(answer: Reply, *, changing: bool) -> None:
    """Raise what a failed answer means; a proxy's 502 or 504 about a change is doubt, not a refusal."""
    said = answer.whole().decode("utf-8", "replace")
    if changing and answer.status in (502, 504):
        raise TimeoutError(said)
    try:
        parsed = json.loads(said)
    except ValueError:
        parsed = {}
    message = parsed.get("message") or parsed.get("cause") if isinstance(parsed, dict) else ""
    raise Refusal(answer.status, str(message or said))
