"""Every foreign exception becomes one of ours: the ones there are, and which of them leave doubt."""

from __future__ import annotations

import http.client
import json
import ssl
from types import ModuleType

import docker.credentials.errors
import docker.errors
import pytest
import requests.exceptions
import urllib3.exceptions

from runner.engine.client import KINDS
from runner.engine.failures import failure_from
from runner.errors import EngineError, EngineUnreachable, OutcomeUnknown, RefloatError

LIBRARIES: tuple[ModuleType, ...] = (
    docker.errors, docker.credentials.errors, requests.exceptions, urllib3.exceptions, http.client,
)  # fmt: skip


def thrown_by(library: ModuleType) -> tuple[type[BaseException], ...]:
    found = (each for each in vars(library).values() if isinstance(each, type) and issubclass(each, Exception))
    own = library.__name__.partition(".")[0]
    return tuple(each for each in found if not issubclass(each, Warning) and each.__module__.startswith(own))


def full_name(kind: type[BaseException]) -> str:
    return f"{kind.__module__}.{kind.__name__}"


ALL = sorted({each for library in LIBRARIES for each in thrown_by(library)}, key=full_name)


def made(kind: type[BaseException]) -> BaseException:
    """An instance without its constructor's demands, but with what the texts of docker's own are made of."""
    error = kind.__new__(kind, "it failed")
    error.args = ("it failed",)
    error.__dict__.update(msg="it failed", param="x", name="x")
    return error


@pytest.mark.parametrize("kind", ALL, ids=full_name)
def test_each_exception_of_the_libraries_is_caught_and_mapped(kind: type[BaseException]) -> None:
    assert issubclass(kind, KINDS.foreign)
    if kind not in (docker.errors.APIError, docker.errors.NotFound, docker.errors.ImageNotFound):
        for changing in (True, False):
            failure = failure_from(made(kind), "start x", "unix:///x", changing=changing, kinds=KINDS)
            assert isinstance(failure, EngineError)
            assert changing or not isinstance(failure, OutcomeUnknown)


def wrapped(inner: BaseException) -> requests.exceptions.ConnectionError:
    return requests.exceptions.ConnectionError(urllib3.exceptions.ProtocolError("Connection aborted.", inner))


NEVER_SENT = (
    wrapped(FileNotFoundError(2, "No such file")),
    wrapped(ConnectionRefusedError(111, "Connection refused")),
    wrapped(PermissionError(13, "Permission denied")),
    wrapped(ssl.SSLCertVerificationError("certificate verify failed")),
    requests.exceptions.ConnectTimeout("no route"),
)
DOUBT = (
    wrapped(ConnectionResetError(104, "Connection reset by peer")),
    wrapped(http.client.RemoteDisconnected("closed without response")),
    wrapped(BrokenPipeError(32, "Broken pipe")),
    wrapped(TimeoutError("timed out")),
    requests.exceptions.ReadTimeout("timed out"),
    requests.exceptions.ChunkedEncodingError("torn"),
    json.JSONDecodeError("torn", "{", 1),
)


@pytest.mark.parametrize("error", NEVER_SENT, ids=repr)
@pytest.mark.parametrize("changing", [True, False])
def test_a_request_that_was_never_sent_did_not_happen(error: Exception, changing: bool) -> None:
    assert isinstance(failure_from(error, "start x", "unix:///x", changing=changing, kinds=KINDS), EngineUnreachable)


@pytest.mark.parametrize("error", DOUBT, ids=repr)
def test_a_change_whose_answer_is_lost_is_doubt_and_a_reading_is_not(error: Exception) -> None:
    assert isinstance(failure_from(error, "start x", "unix:///x", changing=True, kinds=KINDS), OutcomeUnknown)
    lost = failure_from(error, "inspect x", "unix:///x", changing=False, kinds=KINDS)
    assert isinstance(lost, EngineUnreachable)
    assert lost.code in ("answer-lost", "engine-timeout")


def test_an_older_failure_that_was_being_handled_does_not_count() -> None:
    error = requests.exceptions.ReadTimeout("timed out")
    error.__context__ = ConnectionRefusedError()
    assert isinstance(failure_from(error, "start x", "unix:///x", changing=True, kinds=KINDS), OutcomeUnknown)


def test_a_missing_permission_says_what_to_do() -> None:
    failure: RefloatError = failure_from(NEVER_SENT[2], "look", "unix:///x", changing=False, kinds=KINDS)
    assert failure.code == "engine-denied"
    assert "group docker" in failure.then
