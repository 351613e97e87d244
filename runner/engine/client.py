"""The way to an engine that is no local socket: TCP, TLS, whatever the context in force says; it knows no container.

The only module that imports docker and requests, and the only one with ``Any``: what they hand out is untyped.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Iterable, Iterator, Mapping
from io import BufferedReader
from typing import Any

import docker
import docker.auth
import docker.context
import docker.credentials.errors
import docker.errors
import docker.utils
import requests
import urllib3.exceptions

from runner.engine.failures import STANDARD, WHAT_NEXT, Kinds, failure_from
from runner.engine.link import CONNECT_TIMEOUT_S, Params
from runner.errors import EngineError, EngineUnreachable
from runner.facts import Json

# Everything docker-py, requests and urllib3 were seen to throw out of a request.
KINDS = Kinds(
    foreign=(
        *STANDARD.foreign,
        requests.exceptions.RequestException,
        docker.errors.DockerException,
        docker.errors.StreamParseError,
        docker.credentials.errors.StoreError,
        urllib3.exceptions.HTTPError,
        urllib3.exceptions.ProxySchemeUnsupported,
    ),
    never_sent=(
        *STANDARD.never_sent,
        requests.exceptions.ConnectTimeout,
        requests.exceptions.ProxyError,
        urllib3.exceptions.NewConnectionError,
        urllib3.exceptions.ConnectTimeoutError,
        urllib3.exceptions.ProxyError,
    ),
    our_side=(
        requests.exceptions.InvalidURL,
        requests.exceptions.InvalidSchema,
        requests.exceptions.MissingSchema,
        requests.exceptions.InvalidHeader,
        requests.exceptions.InvalidProxyURL,
        urllib3.exceptions.ProxySchemeUnsupported,
        docker.errors.DockerException,
    ),
    timeouts=(TimeoutError, requests.exceptions.Timeout, urllib3.exceptions.TimeoutError),
)


class DockerLink:
    """docker-py's connections; one request of ours is one of its."""

    kinds = KINDS

    def __init__(self, client: Any) -> None:
        self._client = client

    @classmethod
    def to(cls, address: str, options: Mapping[str, Any], version: str) -> DockerLink:
        """Prepare to ask; EngineUnreachable."""
        try:
            return cls(docker.APIClient(version=version, **options))
        except KINDS.foreign as error:
            raise failure_from(error, "connect", address, changing=False, kinds=KINDS) from error

    @property
    def half_closes(self) -> bool:
        """See the protocol."""
        return not self._client.base_url.startswith("https:")

    def send(self, method: str, path: str, params: Params | None, *, timeout_s: float, body: Json | None = None,
             data: bytes | Iterable[bytes] | None = None, headers: Mapping[str, str] | None = None,
             stream: bool = False) -> DockerReply:  # fmt: skip
        """See the protocol."""
        answer = self._client.request(
            method, f"{self._client.base_url}{path}", params=params, json=body, data=data, headers=headers,
            timeout=(CONNECT_TIMEOUT_S, timeout_s), stream=stream,
            verify=self._client.verify,  # said here, or requests prefers REQUESTS_CA_BUNDLE to the engine's own CA
        )  # fmt: skip
        return DockerReply(self._client, answer)


class DockerReply:
    """See the protocol."""

    def __init__(self, client: Any, answer: Any) -> None:
        self._client = client
        self._answer = answer

    @property
    def status(self) -> int:
        """See the protocol."""
        return int(self._answer.status_code)

    def whole(self) -> bytes:
        """See the protocol."""
        content: bytes = self._answer.content
        return content

    def lines(self) -> Iterator[bytes]:
        """See the protocol."""
        yield from self._answer.iter_lines()

    def pieces(self, size_bytes: int) -> Iterator[bytes]:
        """See the protocol."""
        yield from self._answer.iter_content(size_bytes)

    def taken_over(self) -> tuple[BufferedReader, socket.socket]:
        """See the protocol."""
        connection: Any = self._client._get_raw_response_socket(self._answer)  # no public way
        return self._answer.raw._fp.fp, getattr(connection, "_sock", connection)

    def close(self) -> None:
        """See the protocol."""
        self._answer.close()


def login_header(repository: str) -> dict[str, str]:
    """What the engine is to tell a registry about us, by the docker command's own logins; EngineError."""
    try:
        registry, _ = docker.auth.resolve_repository_name(repository)
        client: Any = docker.APIClient(version="1.41", base_url="unix:///nobody")  # it only reads the logins
        header: Any = docker.auth.get_config_header(client, registry)
    except docker.credentials.errors.StoreError as error:
        then = "Check credsStore and credHelpers in ~/.docker/config.json."
        raise EngineError("registry-credentials", f"The credential helper fails: {error}", then=then) from error
    except KINDS.foreign as error:
        then = "Check ~/.docker/config.json."
        raise EngineError("registry-credentials", f"The logins cannot be read: {error}", then=then) from error
    return {"X-Registry-Auth": header.decode() if isinstance(header, bytes) else header} if header else {}


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
