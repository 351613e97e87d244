"""Runs `refloat refresh` alone, in a process of its own; it tells errors as the command line does."""

from __future__ import annotations

import sys

import typer

from runner.cli.refresh import refresh_command
from runner.errors import RefloatError

if __name__ == "__main__":
    try:
        typer.run(refresh_command)
    except RefloatError as error:
        sys.stderr.write(f"{error.code}: {error}\n")
        sys.exit(error.exit_status)
