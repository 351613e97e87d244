"""Runs `refloat refresh` alone, in a process of its own at a terminal; it tells errors as the command line does."""

from __future__ import annotations

import fcntl
import sys
import termios

import typer

from runner.cli.refresh import refresh_command
from runner.errors import RefloatError

if __name__ == "__main__":
    # The leader of a new session takes its standard input as the terminal Ctrl-C comes from.
    fcntl.ioctl(sys.stdin.fileno(), termios.TIOCSCTTY, 0)
    try:
        typer.run(refresh_command)
    except RefloatError as error:
        sys.stderr.write(f"{error.code}: {error}\n")
        sys.exit(error.exit_status)
