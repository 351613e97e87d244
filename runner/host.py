"""Runs commands and writes texts on the machine the runner is on; it decides neither."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import BinaryIO

from runner.errors import EngineError, Interrupted
from runner.facts import Finished

LOOK_S = 0.1
GRACE_S = 2.0
"""How long it may take to end after it was asked to."""
MOST_BYTES = 64_000
"""How much of its output is read, from the end."""


def run_on_host(argv: Sequence[str], *, environment: Mapping[str, str], folder: str, timeout_s: float,
                interrupted: Callable[[], bool]) -> Finished:  # fmt: skip
    """Run it in a session of its own: Ctrl-C ends it in our order. EngineError ``no-such-command``, Interrupted.

    Past ``timeout_s`` it is ended with all it started, and ``exit_code`` is None.
    """
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        try:
            child = subprocess.Popen(argv, cwd=folder or None, env={**os.environ, **environment}, stdout=out,
                                     stderr=err, stdin=subprocess.DEVNULL, start_new_session=True)  # fmt: skip
        except OSError as wrong:
            raise EngineError("no-such-command", f"“{argv[0]}” cannot be run here: {wrong.strerror}.") from None
        code = _ended(child, timeout_s, interrupted)
        return Finished(exit_code=code, stdout=_last(out), stderr=_last(err))


def _ended(child: subprocess.Popen[bytes], timeout_s: float, interrupted: Callable[[], bool]) -> int | None:
    until = time.monotonic() + timeout_s
    try:
        while time.monotonic() < until:
            with contextlib.suppress(subprocess.TimeoutExpired):
                return child.wait(LOOK_S)
            if interrupted():
                raise Interrupted("interrupted", "It was interrupted while a hook ran on the host.")
        return None
    finally:
        if child.returncode is None:
            _end(child)


def _end(child: subprocess.Popen[bytes]) -> None:
    """With all that is in its session; what it started may be slower to go than itself."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child.pid, number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.wait(GRACE_S)


def _last(file: BinaryIO) -> bytes:
    size = file.seek(0, os.SEEK_END)
    file.seek(max(0, size - MOST_BYTES))
    return file.read()


def write_text(path: str, text: str, *, onto: bool) -> str:
    """Put a file in its place at once, or write ``onto`` a pipe somebody reads; why not, empty where it is done."""
    try:
        if onto:
            return _write_onto(path, text.encode())
        draft = Path(f"{path}.{os.getpid()}")
        draft.write_text(text, encoding="utf-8")
        draft.replace(path)
    except OSError as wrong:
        return f"{wrong.strerror}"
    return ""


def _write_onto(path: str, data: bytes) -> str:
    """Without waiting: a pipe that nobody reads would hold an upgrade up for good."""
    pipe = os.open(path, os.O_WRONLY | os.O_NONBLOCK)
    try:
        return "" if os.write(pipe, data) == len(data) else "it took only a part"
    finally:
        os.close(pipe)
