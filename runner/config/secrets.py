"""Values that a configuration only points to: ``${NAME}`` of the environment, or a file; they are shown nowhere."""

from __future__ import annotations

import os
import re
from pathlib import Path

from runner.errors import UsageError
from runner.secrecy import FromFile

_NAME = re.compile(r"\$\{([A-Za-z_]\w*)\}")


def secret_text(value: str | FromFile, folder: Path) -> str:
    """The value itself; a file's name counts from ``folder``. UsageError names what is missing, never a value."""
    if isinstance(value, FromFile):
        return _file_text(folder / Path(value.file).expanduser())
    return _NAME.sub(lambda match: _variable(match[1]), value)


def _file_text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as wrong:
        why = wrong.strerror if isinstance(wrong, OSError) else "it is not text"
        raise UsageError("secret-missing", f"The secret in {path} cannot be read: {why}.") from None


def _variable(name: str) -> str:
    found = os.environ.get(name, "")
    if not found:
        what = f"The configuration takes a secret from the variable {name}, which is not set."
        raise UsageError("secret-missing", what, then=f"export {name}=…")
    return found
