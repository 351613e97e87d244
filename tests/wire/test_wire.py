"""The wire against servers that answer badly: late, torn, never, or in somebody else's words."""

from __future__ import annotations

import hashlib
import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from runner.engine.docker import DockerEngine, connect_engine, wait_for_engine
from runner.engine.link import local_socket
from runner.engine.patience import ATTEMPTS
from runner.engine.wire import Wire
from runner.errors import EngineError, EngineUnreachable, OutcomeUnknown

Reply = Callable[[socket.socket], None]


def answering(body: object, status: str = "200 OK") -> Reply:
    """Answer like an engine and hang up."""
    said = json.dumps(body).encode()
    head = f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {len(said)}\r\n"
    return lambda connection: connection.sendall(f"{head}Connection: close\r\n\r\n".encode() + said)


def torn(connection: socket.socket) -> None:
    """Promise more than is sent."""
    connection.sendall(b'HTTP/1.1 200 OK\r\nContent-Length: 1000\r\nConnection: close\r\n\r\n{"Id"')


def hanging_up(connection: socket.socket) -> None:
    """Say nothing at all."""
    connection.shutdown(socket.SHUT_RDWR)


def garbled(connection: socket.socket) -> None:
    """Talk, but not HTTP."""
    connection.sendall(b"220 mail.example.com ESMTP\r\n")


def not_json(connection: socket.socket) -> None:
    """Answer with a web page."""
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 13\r\nConnection: close\r\n\r\n<html></html>")


def silent(connection: socket.socket) -> None:
    """Wait until the other side gives up."""
    connection.recv(1)


@contextmanager
def served(path: Path, *replies: Reply) -> Iterator[list[str]]:
    """Serve a Unix socket: the n-th connection gets the n-th reply, the last one for ever. Yields the requests seen."""
    seen: list[str] = []
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(path))
    listener.listen(8)
    thread = threading.Thread(target=serve, args=(listener, list(replies), seen), daemon=True)
    thread.start()
    try:
        yield seen
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        thread.join(10)
        listener.close()


def serve(listener: socket.socket, replies: list[Reply], seen: list[str]) -> None:
    while True:
        try:
            connection, _ = listener.accept()
        except OSError:
            return
        with closing(connection):
            request = b""
            while b"\r\n\r\n" not in request:
                request += connection.recv(65536)
            seen.append(request.split(b"\r\n", 1)[0].decode())
            (replies.pop(0) if len(replies) > 1 else replies[0])(connection)


@pytest.fixture
def address(tmp_path: Path) -> Path:
    return tmp_path / "s"


def engine_at(address: Path) -> DockerEngine:
    return DockerEngine(Wire(f"unix://{address}"), sleep=lambda _: None)


@pytest.mark.parametrize("reply", [torn, hanging_up, garbled], ids=lambda each: each.__name__)
def test_a_change_whose_answer_is_lost_is_sent_once_and_is_doubt(address: Path, reply: Reply) -> None:
    with served(address, reply) as seen, pytest.raises(OutcomeUnknown) as doubt:
        engine_at(address).create_container("x", {"Image": "y"})
    assert doubt.value.code == "answer-lost"
    assert seen == ["POST /v1.41/containers/create?name=x HTTP/1.1"]


@pytest.mark.parametrize("reply", [torn, hanging_up, garbled, not_json], ids=lambda each: each.__name__)
def test_a_reading_whose_answer_is_lost_is_asked_again_a_few_times(address: Path, reply: Reply) -> None:
    with served(address, reply) as seen, pytest.raises(EngineUnreachable):
        engine_at(address).container("x")
    assert len(seen) == ATTEMPTS


def test_a_reading_succeeds_when_the_answer_comes_whole_the_second_time(address: Path) -> None:
    with served(address, torn, answering({"Id": "abc", "Name": "/x"})):
        assert engine_at(address).container("x").name == "x"


def test_a_late_answer_to_a_change_is_doubt(address: Path) -> None:
    with served(address, silent), pytest.raises(OutcomeUnknown) as doubt:
        Wire(f"unix://{address}").ask("POST", "/containers/x/start", doing="start x", timeout_s=0.2)
    assert doubt.value.code == "engine-timeout"


def test_a_late_answer_to_a_reading_did_not_happen(address: Path) -> None:
    with served(address, silent), pytest.raises(EngineUnreachable) as late:
        Wire(f"unix://{address}").ask("GET", "/containers/x/json", doing="look", timeout_s=0.2)
    assert late.value.code == "engine-timeout"


@pytest.mark.parametrize("status", ["502 Bad Gateway", "504 Gateway Timeout"])
def test_a_gateway_that_gives_up_on_a_change_leaves_doubt(address: Path, status: str) -> None:
    with served(address, answering({}, status)), pytest.raises(OutcomeUnknown):
        engine_at(address).start("x")


def test_a_refusal_is_asked_for_once(address: Path) -> None:
    said = {"message": "write /x: no space left on device"}
    with served(address, answering(said, "500 Internal Server Error")) as seen, pytest.raises(EngineError) as no:
        engine_at(address).container("x")
    assert no.value.code == "no-space"
    assert len(seen) == 1


def test_what_is_no_engine_is_called_so(address: Path) -> None:
    with served(address, answering([])), pytest.raises(EngineError) as stranger:
        engine_at(address).container("x")
    assert stranger.value.code == "bad-answer"


def test_a_name_cannot_leave_its_place_in_the_path(address: Path) -> None:
    with served(address, answering({"Id": "abc"})) as seen:
        engine_at(address).container("a?b#c d")
    assert seen == ["GET /v1.41/containers/a%3Fb%23c%20d/json HTTP/1.1"]


@pytest.mark.parametrize(("theirs", "chosen"), [("1.41", "1.41"), ("1.47", "1.47"), ("1.60", "1.51"), ("2.0", "1.51")])
def test_the_newest_common_version_is_spoken(address: Path, theirs: str, chosen: str) -> None:
    with served(address, answering({"ApiVersion": theirs})):
        assert connect_engine(f"unix://{address}").engine().api_version == chosen


def test_a_missing_engine_says_where_it_was_looked_for(address: Path) -> None:
    with pytest.raises(EngineUnreachable) as missing:
        connect_engine(f"unix://{address}")
    assert str(address) in missing.value.what
    assert "DOCKER_HOST" in missing.value.then


def test_an_engine_that_comes_back_is_waited_for(address: Path) -> None:
    with served(address, hanging_up, answering({"ApiVersion": "1.43"})):
        engine = wait_for_engine(f"unix://{address}", deadline_s=60, sleep=lambda _: None)
        assert engine.engine().api_version == "1.43"


def test_an_engine_that_does_not_come_back_is_given_up(address: Path) -> None:
    with pytest.raises(EngineUnreachable):
        wait_for_engine(f"unix://{address}", deadline_s=0.1, sleep=lambda _: None)


def test_the_engine_is_found_by_its_environment(address: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", f"unix://{address}")
    assert Wire().address == f"unix://{address}"


def test_the_engine_is_found_by_the_current_context(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    where = tmp_path / ".docker"
    meta = where / "contexts" / "meta" / hashlib.sha256(b"there").hexdigest()
    meta.mkdir(parents=True)
    (where / "config.json").write_text('{"currentContext": "there"}')
    endpoint = {"docker": {"Host": "tcp://192.0.2.7:2375", "SkipTLSVerify": False}}
    (meta / "meta.json").write_text(json.dumps({"Name": "there", "Metadata": {}, "Endpoints": endpoint}))
    for name in ("DOCKER_HOST", "DOCKER_CONTEXT", "DOCKER_CONFIG"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert Wire().address == "tcp://192.0.2.7:2375"


def test_a_context_that_is_not_there_is_not_replaced_by_another_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DOCKER_HOST", raising=False)
    monkeypatch.setenv("DOCKER_CONTEXT", "nowhere")
    with pytest.raises(EngineUnreachable) as missing:
        Wire()
    assert "nowhere" in missing.value.what


@pytest.mark.parametrize("url", ["ftp://x", "ssh://", "tcp://"])
def test_an_address_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(EngineUnreachable):
        connect_engine(url)


@pytest.mark.parametrize("rest", [b"", b"\n"], ids=["counted", "chunked"])
def test_an_answer_that_is_read_in_pieces_is_whole_or_an_error(address: Path, rest: bytes) -> None:
    how = b"Transfer-Encoding: chunked\r\n\r\n20\r\n" if rest else b"Content-Length: 1000\r\n\r\n"
    with served(address, lambda connection: connection.sendall(b"HTTP/1.1 200 OK\r\n" + how + b"begun" + rest)):
        pieces = Wire(f"unix://{address}").ask_pieces("/images/get", doing="save", params={}, timeout_s=60)
        with pytest.raises(EngineUnreachable) as torn_off:
            list(pieces)
    assert torn_off.value.code == "answer-lost"


@pytest.mark.parametrize("settings", ['{"HttpHeaders": {"X-Team": "a"}}', "{", "[]"])
def test_settings_that_only_dockers_own_client_understands_are_left_to_it(
    settings: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    assert local_socket("unix:///x") == "/x"
    (tmp_path / "config.json").write_text(settings)
    assert local_socket("unix:///x") == ""
