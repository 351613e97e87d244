"""Runs a command in a running container and follows it to its end or deadline; it never kills what it started."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from threading import Thread

from runner.engine.parse import flag, mapping, number, text
from runner.engine.stream import Stream
from runner.engine.wire import Wire
from runner.errors import EngineUnreachable, OutcomeUnknown
from runner.facts import Finished, Json

STDOUT, STDERR = 1, 2
POLL_S = 0.05


def run_command(wire: Wire, ref: str, argv: Sequence[str], *, user: str, stdin: bytes, timeout_s: float,
                on_line: Callable[[str], None] | None, sleep: Callable[[float], None],
                environment: Mapping[str, str] | None = None) -> Finished:  # fmt: skip
    """Create the exec, talk to it, ask how it ended."""
    doing, deadline = f"run {argv[0]} in {ref}", time.monotonic() + timeout_s
    if stdin and not wire.half_closes:
        argv = counting_input(argv, len(stdin))
    exec_id = create_exec(wire, ref, argv, user, attach_stdin=bool(stdin), doing=doing, environment=environment)
    said = Said(on_line)
    try:
        with wire.talking(doing), wire.hijack(f"/exec/{exec_id}/start", doing=doing, deadline=deadline) as stream:
            converse(stream, stdin, said)
    except TimeoutError:
        return said.finished(None)
    return said.finished(exit_code_of(wire, exec_id, doing, deadline, sleep))


def counting_input(argv: Sequence[str], length: int) -> tuple[str, ...]:
    """Yield the same command, its input ended by its length: for connections that cannot be closed one way."""
    return ("sh", "-c", 'head -c "$0" | "$@"', str(length), *argv)


def create_exec(wire: Wire, ref: str, argv: Sequence[str], user: str, *, attach_stdin: bool, doing: str,
                environment: Mapping[str, str] | None = None) -> str:  # fmt: skip
    """Prepare the command; nothing runs yet."""
    body: Json = {
        "Cmd": list(argv),
        "User": user,
        "Env": [f"{name}={value}" for name, value in (environment or {}).items()],
        "AttachStdin": attach_stdin,
        "AttachStdout": True,
        "AttachStderr": True,
    }
    return text(mapping(wire.ask("POST", f"/containers/{ref}/exec", doing=doing, body=body)), "Id")


def converse(stream: Stream, stdin: bytes, said: Said) -> None:
    """Listen until the command closes its output, and send its input meanwhile: it may speak before it has read all."""
    if stdin and stream.full_duplex:
        Thread(target=stream.send, args=(stdin,), daemon=True).start()
    elif stdin:
        stream.send(stdin)
    for kind, data in stream.frames():
        said.add(kind, data)
    said.last_line()


def exit_code_of(wire: Wire, exec_id: str, doing: str, deadline: float, sleep: Callable[[float], None]) -> int | None:
    """Ask how the command ended; the engine may still call it running for a moment after its output closed."""
    while True:
        try:
            seen = mapping(wire.ask("GET", f"/exec/{exec_id}/json", doing=doing))
        except EngineUnreachable as gone:
            # The command did run: that its end cannot be read is doubt.
            raise OutcomeUnknown(
                gone.code, gone.what, "The command may have run to its end or not.", gone.then
            ) from gone
        if not flag(seen, "Running") and seen.get("ExitCode") is not None:
            return number(seen, "ExitCode")
        if time.monotonic() > deadline:
            return None
        sleep(POLL_S)


class Said:
    """What a command said so far, and who wants to hear it line by line."""

    def __init__(self, on_line: Callable[[str], None] | None) -> None:
        self._on_line = on_line
        self._whole: dict[int, list[bytes]] = {STDOUT: [], STDERR: []}
        self._open: dict[int, bytes] = {STDOUT: b"", STDERR: b""}

    def add(self, kind: int, data: bytes) -> None:
        """Take one frame in."""
        self._whole.setdefault(kind, []).append(data)
        if self._on_line:
            *lines, self._open[kind] = (self._open.get(kind, b"") + data).split(b"\n")
            for line in lines:
                self._on_line(line.decode("utf-8", "replace"))

    def last_line(self) -> None:
        """Tell the lines that ended without a newline."""
        for rest in self._open.values():
            if self._on_line and rest:
                self._on_line(rest.decode("utf-8", "replace"))

    def finished(self, exit_code: int | None) -> Finished:
        """Sum up."""
        out, err = (b"".join(self._whole[kind]) for kind in (STDOUT, STDERR))
        return Finished(exit_code=exit_code, stdout=out, stderr=err)
