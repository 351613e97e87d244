"""A person at a real terminal: reads what the command shows, presses keys; it asserts nothing about time."""

from __future__ import annotations

import os
import pty
import select
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType

DRIVER = Path(__file__).with_name("refresh_driver.py")
PROMPT = "==> "
_PATIENCE_S = 180  # only so that a test that waits in vain ends


class Person:
    """Runs the command at a terminal of its own."""

    def __init__(self, arguments: list[str], environment: Mapping[str, str]) -> None:
        self._fd, theirs = pty.openpty()
        command = [sys.executable, str(DRIVER), *arguments]
        plain = {
            "PYTHONPATH": os.pathsep.join([str(DRIVER.parents[2]), *sys.path]),
            "TERM": "dumb",
            "HOME": "/nonexistent",
        }
        clean = {name: value for name, value in os.environ.items() if name not in ("VISUAL", "EDITOR")}
        self._process = subprocess.Popen(
            command,
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            start_new_session=True,
            env={**clean, **plain, **environment},
        )
        os.close(theirs)
        self._unread = ""

    def __enter__(self) -> Person:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self._process.kill()
        self._process.wait()
        os.close(self._fd)

    def sees(self, text: str) -> str:
        """Wait for a text; yield what was shown up to and with it."""
        shown = ""
        while text not in self._unread:
            more = self._more()
            assert more, f"ended without {text!r} after {shown}{self._unread}"
            self._unread += more
        shown, _, self._unread = self._unread.partition(text)
        return shown + text

    def presses(self, keys: str) -> None:
        """Type."""
        os.write(self._fd, keys.encode())

    def works_in_the_shell(self, *commands: str) -> str:
        """Give commands to the shell that just opened, then leave it by Ctrl-D; yield what it showed."""
        self.presses("PS1='rea''dy> '\n")
        shown = self.sees("ready> ")
        for command in commands:
            self.presses(f"{command}\n")
            shown += self.sees("ready> ")
        self.presses("\x04")
        return shown

    def leaves(self) -> tuple[int, str]:
        """Wait for the end; yield the exit status and the rest of what was shown."""
        while more := self._more():
            self._unread += more
        return self._process.wait(timeout=_PATIENCE_S), self._unread

    def _more(self) -> str:
        ready, _, _ = select.select([self._fd], [], [], _PATIENCE_S)
        assert ready, f"nothing more after {self._unread}"
        try:
            return os.read(self._fd, 65536).decode(errors="replace").replace("\r\n", "\n")
        except OSError:  # how a terminal says that nobody is at its other end
            return ""


Start = Callable[..., Person]


def arguments(tree: Path) -> list[str]:
    """Name a tree and the defaults beside it."""
    return ["--old", str(tree.parent / "old"), "--new", str(tree.parent / "new"), "--tree", str(tree)]


def editor(folder: Path, script: str) -> str:
    """Make an editor that does one thing; its name has a space in it."""
    program = folder / "an editor"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    return f"'{program}'"
