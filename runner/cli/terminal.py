"""Standard output, standard error and the one question a verb may ask; it knows no engine and no plan."""

from __future__ import annotations

import contextlib
import json
import os
import sys
from pathlib import Path

from runner.errors import NOTHING_TOUCHED, RefloatError, Refused, UsageError


def say(text: str) -> None:
    """The answer of a verb, on standard output; that nobody reads it (``| head``) changes no verb and no status.

    UsageError ``output-unwritable`` where it cannot be written, as on a full disk.
    """
    try:
        sys.stdout.write(text if text.endswith("\n") else f"{text}\n")
        sys.stdout.flush()
    except BrokenPipeError:
        _write_no_more()
    except OSError as error:
        _write_no_more()
        what = f"Standard output cannot be written: {error.strerror or error}."
        stands = "Only the answer is lost; what was done stays done."
        raise UsageError(
            "output-unwritable", what, stands, "Send it elsewhere. See what stands: refloat status"
        ) from error


def _write_no_more() -> None:
    sys.stdout = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115  # until the process ends


def say_json(answer: object) -> None:
    """The answer of a verb for a program."""
    say(json.dumps(answer, indent=2, ensure_ascii=False))


def tell(text: str) -> None:
    """What is for people beside the answer, on standard error."""
    with contextlib.suppress(OSError):
        sys.stderr.write(text if text.endswith("\n") else f"{text}\n")
        sys.stderr.flush()


def ask(question: str, *, yes: bool) -> None:
    """Ask before something is lost; Refused ``needs-yes`` where the answer is no, or nobody is there to give it."""
    if yes:
        return
    if not sys.stdin.isatty():
        raise Refused("needs-yes", f"Nobody is here to answer: {question}", then="Say it beforehand: --yes")
    sys.stderr.write(f"{question} [y/N] ")
    sys.stderr.flush()
    if sys.stdin.readline().strip().lower() not in ("y", "yes"):
        raise Refused("needs-yes", "The answer was no.", NOTHING_TOUCHED)


def error_json(error: RefloatError) -> dict[str, object]:
    """An error for a program."""
    said = {"code": error.code, "what": error.what, "stands": error.stands, "then": error.then}
    return {"error": said, "exit": int(error.exit_status)}
