"""What only the real engine can show: streams, deadlines, terminals, registries and TLS."""

from __future__ import annotations

import asyncio
import contextlib
import queue
import ssl
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from runner.engine.docker import DockerEngine, connect_engine
from runner.errors import EngineError
from runner.facts import Json

SERVE: Json = {
    "Image": "refloat-lab/busybox:1",
    "Cmd": ["sh", "-c", "echo ready; trap 'exit 0' TERM; while :; do sleep 1 & wait $!; done"],
}
ROOT = Path(__file__).parents[2]
BIG = b"0123456789abcdef" * 65536  # more than any buffer on the way holds


@pytest.fixture(scope="module")
def engine(lab_images: str) -> DockerEngine:
    return connect_engine(lab_images)


@contextlib.contextmanager
def running(engine: DockerEngine, label: str, body: Json) -> Iterator[str]:
    name, (key, _, value) = f"engine-{uuid.uuid4().hex[:12]}", label.partition("=")
    engine.create_container(name, {**SERVE, **body, "Labels": {key: value}})
    try:
        engine.start(name)
        yield name
    finally:
        engine.remove_container(name, force=True, volumes=True)


@pytest.fixture(scope="module")
def served(engine: DockerEngine, leftovers: str) -> Iterator[str]:
    """One container for all that only asks it something."""
    with running(engine, leftovers, {}) as name:
        yield name


def test_input_and_output_bigger_than_every_buffer_pass(engine: DockerEngine, served: str) -> None:
    said = engine.execute(served, ["cat"], stdin=BIG)
    assert (said.exit_code, said.stdout == BIG) == (0, True)


def test_a_command_that_does_not_read_its_input_still_ends(engine: DockerEngine, served: str) -> None:
    assert engine.execute(served, ["sh", "-c", "exit 7"], stdin=BIG).exit_code == 7


def test_both_outputs_are_told_apart_and_heard_line_by_line(engine: DockerEngine, served: str) -> None:
    heard: list[str] = []
    said = engine.execute(served, ["sh", "-c", "echo one; echo two >&2; printf three"], on_line=heard.append)
    assert (said.stdout, said.stderr) == (b"one\nthree", b"two\n")
    assert sorted(heard) == ["one", "three", "two"]


def test_the_first_bytes_of_a_quick_command_are_never_lost(engine: DockerEngine, served: str) -> None:
    assert {engine.execute(served, ["echo", "x"]).text for _ in range(20)} == {"x\n"}


def test_a_command_past_its_deadline_is_left_alone(engine: DockerEngine, served: str) -> None:
    for timeout_s in (1, 10, 60):  # the first is enough where the machine is not busy
        command = f"echo before; sleep {timeout_s + 1}; touch /finished; sleep 3600"
        said = engine.execute(served, ["sh", "-c", command], timeout_s=timeout_s)
        if said.text:
            break
    assert (said.exit_code, said.text) == (None, "before\n")
    deadline = time.monotonic() + 60
    while engine.execute(served, ["test", "-e", "/finished"]).exit_code != 0:
        assert time.monotonic() < deadline, "it was killed"
        time.sleep(0.2)


def test_a_command_runs_as_the_user_asked_for(engine: DockerEngine, served: str) -> None:
    assert "uid=4242" in engine.execute(served, ["id"], user="4242").text


@pytest.mark.parametrize("tty", [True, False])
def test_a_log_is_read_with_and_without_a_terminal(engine: DockerEngine, leftovers: str, tty: bool) -> None:
    with running(engine, leftovers, {"Tty": tty}) as name:
        deadline = time.monotonic() + 60
        while "ready" not in engine.logs(name):
            assert time.monotonic() < deadline, "nothing was logged"
            time.sleep(0.1)
        assert engine.logs(name, tail=1).splitlines() == ["ready"]
        assert engine.logs(name, since_s=time.time() + 3600) == ""


def test_a_log_that_cannot_be_read_is_said(engine: DockerEngine, leftovers: str) -> None:
    body: Json = {"HostConfig": {"LogConfig": {"Type": "none", "Config": {}}}}
    with running(engine, leftovers, body) as name, pytest.raises(EngineError) as unreadable:
        engine.logs(name)
    assert unreadable.value.code == "logs-unreadable"


def test_a_registry_that_does_not_answer_is_told_from_a_missing_image(engine: DockerEngine) -> None:
    nowhere = "127.0.0.1:1/nothing:1"  # in the engine's own network nobody listens there
    with pytest.raises(EngineError) as pulling:
        engine.pull(nowhere)
    with pytest.raises(EngineError) as asking:
        engine.remote_digest(nowhere)
    assert {pulling.value.code, asking.value.code} == {"registry-unreachable"}


def test_what_changed_in_the_writable_layer_is_seen(engine: DockerEngine, leftovers: str) -> None:
    with running(engine, leftovers, {}) as name:
        engine.execute(name, ["sh", "-c", "touch /new; rm /bin/vi"])
        seen = {each.path: each.kind for each in engine.changes(name)}
    assert (seen["/new"], seen["/bin/vi"]) == ("added", "deleted")


def test_the_engine_says_what_it_is(engine: DockerEngine) -> None:
    seen = engine.engine()
    assert seen.os == "linux"
    assert seen.version != ""
    assert tuple(int(each) for each in seen.api_version.split(".")) >= (1, 41)
    assert seen.root_dir.startswith("/")


def test_one_command_answers_line_after_line_however_long_they_are(engine: DockerEngine, served: str) -> None:
    talk = engine.converse(served, ["cat"])
    assert [talk.ask(line, 60).stdout for line in (b"one", BIG, b"three")] == [b"one\n", BIG + b"\n", b"three\n"]
    talk.hang_up()
    assert not talk.open


LEAVING = """
import sys
from runner.engine.docker import connect_engine
talk = connect_engine().converse(sys.argv[1], ["cat"])
talk.itself = talk  # so that only the end of the process takes it down
print(talk.ask(b"hello", 60).text)
"""


def test_a_process_that_ends_in_the_middle_of_a_conversation_ends_silently(served: str) -> None:
    ended = subprocess.run(
        [sys.executable, "-c", LEAVING, served], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert (ended.stdout.strip(), ended.stderr) == ("hello", "")


def test_a_conversation_that_the_command_ends_says_how(engine: DockerEngine, served: str) -> None:
    talk = engine.converse(served, ["sh", "-c", "read -r line; echo $line; read -r line; echo oh >&2; exit 7"])
    assert talk.ask(b"one", 60).stdout == b"one\n"
    ended = talk.ask(b"two", 60)
    assert (ended.exit_code, ended.stdout, ended.complaint, talk.open) == (7, b"", "oh", False)


def test_an_answer_that_comes_too_late_is_not_taken_for_the_next_one(engine: DockerEngine, served: str) -> None:
    talk = engine.converse(served, ["sh", "-c", "read -r line; sleep 3600"])
    assert talk.ask(b"one", 0.5).exit_code is None
    assert not talk.open


def test_who_hangs_up_ends_the_command(engine: DockerEngine, served: str) -> None:
    talk = engine.converse(served, ["sh", "-c", "while read -r line; do echo $line; done; touch /hung-up"])
    talk.ask(b"one", 60)
    talk.hang_up()
    ends_at = time.monotonic() + 60
    while engine.execute(served, ["test", "-e", "/hung-up"]).exit_code != 0:
        assert time.monotonic() < ends_at


def test_everything_passes_through_tls(
    served: str, lab_images: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not lab_images.startswith("unix://"):
        return  # a remote engine of one's own has its own way in
    make_certificate(tmp_path)
    with behind_tls(lab_images.removeprefix("unix://"), tmp_path) as port:
        monkeypatch.setenv("DOCKER_TLS_VERIFY", "1")
        monkeypatch.setenv("DOCKER_CERT_PATH", str(tmp_path))
        engine = connect_engine(f"tcp://127.0.0.1:{port}")
        assert engine.container(served).name == served
        assert engine.execute(served, ["cat"], stdin=b"through\n").text == "through\n"
        assert engine.execute(served, ["sh", "-c", "exit 7"], stdin=b"unread").exit_code == 7
        assert engine.execute(served, ["echo", "x"]).text == "x\n"
        talk = engine.converse(served, ["cat"])
        assert [talk.ask(line, 60).stdout for line in (b"one", b"two")] == [b"one\n", b"two\n"]
        talk.hang_up()


def make_certificate(folder: Path) -> None:
    """One certificate for both sides, signed by itself."""
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1",
         "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", "key.pem", "-out", "cert.pem"],
        cwd=folder, check=True, capture_output=True,
    )  # fmt: skip
    (folder / "ca.pem").write_bytes((folder / "cert.pem").read_bytes())


@contextlib.contextmanager
def behind_tls(path: str, certificates: Path) -> Iterator[int]:
    """The engine's socket behind TLS with client certificates; yields the port."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=str(certificates / "ca.pem"))
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_cert_chain(certificates / "cert.pem", certificates / "key.pem")
    ready: queue.Queue[int] = queue.Queue()
    over = threading.Event()
    thread = threading.Thread(target=lambda: asyncio.run(forward_until(over, path, context, ready)), daemon=True)
    thread.start()
    try:
        yield ready.get(timeout=60)
    finally:
        over.set()
        thread.join(60)


async def forward_until(over: threading.Event, path: str, context: ssl.SSLContext, ready: queue.Queue[int]) -> None:
    """Carry connections to a socket until told to stop; says on which port."""

    async def carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_unix_connection(path)
        await asyncio.gather(pump(reader, back), pump(there, writer))

    server = await asyncio.start_server(carry, "127.0.0.1", 0, ssl=context)
    ready.put(int(server.sockets[0].getsockname()[1]))
    while not over.is_set():
        await asyncio.sleep(0.1)
    server.close()


async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Carry one direction; the end of it is the end of both."""
    with contextlib.suppress(OSError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    writer.close()
