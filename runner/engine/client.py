"""The wire to the engine: one method is one HTTP request, every foreign exception becomes ours; it knows no container.

The only module that imports docker and requests, and the only one with ``Any``: what they hand out is untyped.
"""

from __future__ import annotations

import http.client
import json
import os
import ssl
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any
from urllib.parse import quote

import docker
import docker.auth
import docker.context
import docker.credentials.errors
import docker.errors
import docker.utils
import requests
import urllib3.exceptions
from pydantic import JsonValue

from runner.engine.refusals import refusal
from runner.engine.stream import Stream
from runner.engine.tunnel import open_tunnel
from runner.errors import EngineError, EngineUnreachable, OutcomeUnknown, RefloatError
from runner.facts import Json

Params = Mapping[str, str] | Mapping[str, list[str]]
PIECE_BYTES = 1024 * 1024
CONNECT_TIMEOUT_S = 10.0
READ_TIMEOUT_S = 60.0
NEWEST_API = (1, 51)  # newer engines still speak it; what they answer in it is what parse.py was written for
OLDEST_API = "1.41"

# Everything docker-py, requests, urllib3 and the standard library were seen to throw out of a request.
FOREIGN = (
    requests.exceptions.RequestException,
    docker.errors.DockerException,
    docker.errors.StreamParseError,
    docker.credentials.errors.StoreError,
    urllib3.exceptions.HTTPError,
    urllib3.exceptions.ProxySchemeUnsupported,
    http.client.HTTPException,
    json.JSONDecodeError,
    UnicodeDecodeError,
    OSError,
)
NEVER_SENT = (
    FileNotFoundError,
    PermissionError,
    ConnectionRefusedError,
    requests.exceptions.ConnectTimeout,
    ssl.SSLCertVerificationError,
    requests.exceptions.ProxyError,
    urllib3.exceptions.NewConnectionError,
    urllib3.exceptions.ConnectTimeoutError,
    urllib3.exceptions.ProxyError,
)
OUR_SIDE = (
    requests.exceptions.InvalidURL,
    requests.exceptions.InvalidSchema,
    requests.exceptions.MissingSchema,
    requests.exceptions.InvalidHeader,
    requests.exceptions.InvalidProxyURL,
    urllib3.exceptions.ProxySchemeUnsupported,
    docker.errors.DockerException,
)
TIMEOUTS = (TimeoutError, requests.exceptions.Timeout, urllib3.exceptions.TimeoutError)


def failure_from(error: BaseException, doing: str, address: str, *, changing: bool) -> RefloatError:
    """Yield our error for a foreign one: it never happened, or it may have."""
    if isinstance(error, docker.errors.APIError):
        return refusal(error.status_code or 500, str(error.explanation or error), doing)
    if isinstance(error, docker.credentials.errors.StoreError):
        then = "Check credsStore and credHelpers in ~/.docker/config.json."
        return EngineError("registry-credentials", f"The credential helper fails: {error}", then=then)
    causes = tuple(causes_of(error))
    if any(isinstance(each, NEVER_SENT) for each in causes):
        return unreachable(address, causes)
    if isinstance(error, OUR_SIDE):
        return EngineUnreachable("engine-address", f"The engine at {address} cannot be used: {error}", then=WHAT_NEXT)
    code = "engine-timeout" if any(isinstance(each, TIMEOUTS) for each in causes) else "answer-lost"
    said = "did not answer in time" if code == "engine-timeout" else "broke off its answer"
    what = f"The engine {said} when asked to {doing}."
    if changing:
        return OutcomeUnknown(code, what, "It may have happened or not.", "Look first: docker ps -a.")
    return EngineUnreachable(code, what, then=WHAT_NEXT)


WHAT_NEXT = "Check that `docker version` answers here, and that DOCKER_HOST names the engine you mean."


def unreachable(address: str, causes: tuple[BaseException, ...]) -> EngineUnreachable:
    """Yield the error for an engine to which no request was ever sent."""
    if any(isinstance(each, PermissionError) for each in causes):
        what, then = f"You may not use the engine at {address}.", "Join the group docker, or run this as root."
        return EngineUnreachable("engine-denied", what, then=then)
    return EngineUnreachable("engine-unreachable", f"No engine answers at {address}: {causes[-1]}", then=WHAT_NEXT)


def causes_of(error: BaseException, depth: int = 8) -> Iterator[BaseException]:
    """Walk from an exception to what it wraps. Not ``__context__``: that may be somebody else's older failure."""
    yield error
    if depth == 0:
        return
    inner = [*error.args, getattr(error, "reason", None), error.__cause__]
    for each in inner:
        if isinstance(each, BaseException):
            yield from causes_of(each, depth - 1)


class Wire:
    """A connection pool to one engine."""

    def __init__(self, url: str = "") -> None:
        options = connection_options(url)
        self.address = str(options.get("base_url") or "unix:///var/run/docker.sock")
        if self.address.startswith("ssh://"):
            options = {"base_url": open_tunnel(self.address)}
        with self._ours("connect", changing=False):
            self._client = docker.APIClient(version=OLDEST_API, **options)

    @property
    def api_version(self) -> str:
        """The API version both sides speak."""
        return self._client.api_version

    @property
    def half_closes(self) -> bool:
        """Whether our end of a connection can be closed alone; TLS has no such thing in Python."""
        return not self._client.base_url.startswith("https:")

    def negotiate(self) -> None:
        """Ask which API version the engine speaks and speak the newest common one."""
        answer = self.ask("GET", "/version", doing="tell its version")
        theirs = str(answer.get("ApiVersion", OLDEST_API)) if isinstance(answer, dict) else OLDEST_API
        numbers = tuple(int(each) for each in theirs.split(".") if each.isdigit())
        chosen = theirs if numbers <= NEWEST_API else ".".join(map(str, NEWEST_API))
        self._client._version = chosen  # type: ignore[attr-defined]  # docker-py can only ask in its constructor

    def ask(self, method: str, path: str, *, doing: str, params: Mapping[str, str] | None = None,
            body: Json | None = None, timeout_s: float = READ_TIMEOUT_S, auth_for: str = "",
            changing: bool | None = None) -> JsonValue:  # fmt: skip
        """Send one request and give its JSON answer; None where there is none (204, 304)."""
        with self._ours(doing, changing=method != "GET" if changing is None else changing):
            answer = self._send(method, path, params, body=body, timeout_s=timeout_s, auth_for=auth_for)
            return answer.json() if answer.content else None

    def ask_bytes(self, method: str, path: str, *, doing: str, params: Mapping[str, str] | None = None,
                  data: bytes | None = None, timeout_s: float = READ_TIMEOUT_S) -> bytes:  # fmt: skip
        """Send one request with, or for, plain bytes."""
        with self._ours(doing, changing=method != "GET"):
            answer: bytes = self._send(method, path, params, data=data, timeout_s=timeout_s).content
            return answer

    def ask_lines(self, path: str, *, doing: str, params: Mapping[str, str], timeout_s: float, auth_for: str = "",
                  data: bytes | Iterable[bytes] | None = None) -> Iterator[Json]:  # fmt: skip
        """Post one request and yield its answer object by object as it comes; the timeout is for each silence."""
        with self._ours(doing, changing=True):
            answer = self._send("POST", path, params, timeout_s=timeout_s, auth_for=auth_for, data=data, stream=True)
            for line in answer.iter_lines():
                if line:
                    yield json.loads(line)

    def ask_pieces(self, path: str, *, doing: str, params: Params, timeout_s: float) -> Iterator[bytes]:
        """Send one request and yield its answer as it comes; the timeout is for each silence."""
        with self._ours(doing, changing=False):
            answer = self._send("GET", path, params, timeout_s=timeout_s, stream=True)
            yield from answer.iter_content(PIECE_BYTES)

    @contextmanager
    def hijack(self, path: str, *, doing: str, deadline: float) -> Iterator[Stream]:
        """Start a prepared command and take its connection over, inside ``talking``; hanging up leaves it running."""
        headers = {"Connection": "Upgrade", "Upgrade": "tcp"}
        left_s = max(deadline - time.monotonic(), 0.1)
        with self._ours(doing, changing=True):
            body: Json = {"Detach": False, "Tty": False}
            answer = self._send("POST", path, None, body=body, timeout_s=left_s, headers=headers, stream=True)
        try:
            connection: Any = self._client._get_raw_response_socket(answer)  # type: ignore[attr-defined]  # no public way
            # The buffered file, not the bare socket: the first bytes of output may already sit in its buffer.
            yield Stream(answer.raw._fp.fp, getattr(connection, "_sock", connection), deadline)
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
              headers: Mapping[str, str] | None = None, stream: bool = False, auth_for: str = "") -> Any:  # fmt: skip
        client = self._client
        if "//" in path:  # an empty name: the engine would redirect to the list of all
            raise Refusal(404, "no such container, image, network or volume: the name is empty")
        url = f"{client.base_url}/v{client.api_version}{quote(path, safe='/:@')}"
        sent = {**(headers or {}), **self._auth(auth_for)}
        timeout = (CONNECT_TIMEOUT_S, timeout_s)
        # verify: said here, or requests prefers REQUESTS_CA_BUNDLE to the engine's own CA
        answer = client.request(
            method, url, params=params, json=body, data=data, headers=sent, timeout=timeout, stream=stream,
            verify=client.verify,
        )  # fmt: skip
        if answer.status_code >= 400:
            raise_refusal(answer, changing=method != "GET")
        return answer

    def _auth(self, repository: str) -> dict[str, str]:
        if not repository:
            return {}
        registry, _ = docker.auth.resolve_repository_name(repository)
        header: Any = docker.auth.get_config_header(self._client, registry)
        return {"X-Registry-Auth": header.decode() if isinstance(header, bytes) else header} if header else {}

    @contextmanager
    def _ours(self, doing: str, *, changing: bool) -> Iterator[None]:
        try:
            yield
        except Refusal as no:
            raise refusal(no.status, no.message, doing) from None
        except FOREIGN as error:
            raise failure_from(error, doing, self.address, changing=changing) from error


class Refusal(Exception):
    """An answer of status 400 or more, before it has become one of our errors."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


def raise_refusal(answer: Any, *, changing: bool) -> None:
    """Raise what a failed answer means; a proxy's 502 or 504 about a change is doubt, not a refusal."""
    status, said = int(answer.status_code), answer.text
    if changing and status in (502, 504):
        raise requests.exceptions.ReadTimeout(said)
    try:
        parsed = json.loads(said)
    except ValueError:
        parsed = {}
    message = parsed.get("message") or parsed.get("cause") if isinstance(parsed, dict) else ""
    raise Refusal(status, str(message or said))


def connection_options(url: str) -> dict[str, Any]:
    """Find the engine as the docker command does: the given URL, DOCKER_HOST, DOCKER_CONTEXT, the current context."""
    try:
        options: dict[str, Any] = dict(docker.utils.kwargs_from_env())
        if url:
            options["base_url"] = url
        return options if options.get("base_url") else context_options()
    except (docker.errors.DockerException, OSError, ValueError) as error:
        raise EngineUnreachable("engine-address", f"The engine cannot be found: {error}", then=WHAT_NEXT) from error


def context_options() -> dict[str, Any]:
    """Read the current docker context; nothing where it is the default one."""
    chosen = os.environ.get("DOCKER_CONTEXT") or None
    context: Any = docker.context.ContextAPI.get_context(chosen)
    if context is None:  # never fall back: the default engine is not the one that was meant
        raise docker.errors.ContextNotFound(chosen or "of your configuration")
    tls = context.TLSConfig
    return ({"base_url": context.Host} if context.Host else {}) | ({"tls": tls} if tls else {})
