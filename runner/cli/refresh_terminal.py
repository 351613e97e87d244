"""The terminal of a refresh: shows, waits for keys, opens editor and shell; it understands none of it."""

from __future__ import annotations

import os
import select
import shlex
import shutil
import subprocess
import sys
import termios
import tty
from collections.abc import Mapping
from pathlib import Path

from runner.errors import Refused
from runner.refresh.entries import printable

_ESCAPE = b"\x1b"
_REST_OF_A_KEY_S = 0.05  # arrows and function keys send letters after it, which are no answers


class KeyTerminal:
    """The terminal on standard input. It shows on standard error: standard output is for the report alone."""

    def show(self, text: str) -> None:
        """Show text at once, without a line feed of its own."""
        sys.stderr.write(text)
        sys.stderr.flush()

    def key(self) -> str:
        """Wait for one key; keys typed ahead count. Ctrl-C interrupts as always."""
        try:
            pressed = _one_key(sys.stdin.fileno())
        except (OSError, termios.error):  # what a terminal that was closed says of itself
            pressed = b""
        if not pressed:
            then = "Start it again at another one, or prepare --answers."
            raise Refused("refresh-aborted", "The terminal went away in the middle of a question.", then=then)
        return pressed.decode("latin-1")

    def edit(self, path: Path) -> bool:
        """Open $VISUAL, $EDITOR or vi."""
        editor = os.environ.get("VISUAL") or os.environ.get("EDITOR") or "vi"
        try:
            command = shlex.split(editor) or ["vi"]
        except ValueError as unclosed:
            self.show(f"   {printable(editor)} is no command: {unclosed}\n")
            return False
        return self._run([*command, str(path)], Path.cwd(), {})

    def shell(self, directory: Path, more_environment: Mapping[str, str]) -> None:
        """Open an interactive shell in a directory."""
        self._run([shutil.which("bash") or "sh", "-i"], directory, more_environment)

    def _run(self, command: list[str], directory: Path, more_environment: Mapping[str, str]) -> bool:
        environment = os.environ | dict(more_environment)
        try:
            return (
                subprocess.run(command, cwd=directory, env=environment, stdout=sys.stderr, check=False).returncode == 0
            )
        except OSError as error:
            self.show(f"   {command[0]} cannot be started: {error.strerror}\n")
            return False


def _one_key(fd: int) -> bytes:
    before = termios.tcgetattr(fd)
    try:
        tty.setcbreak(fd, termios.TCSADRAIN)
        pressed = os.read(fd, 1)
        while pressed == _ESCAPE and select.select([fd], [], [], _REST_OF_A_KEY_S)[0]:
            if not os.read(fd, 16):
                break
        return pressed
    finally:
        termios.tcsetattr(fd, termios.TCSADRAIN, before)
