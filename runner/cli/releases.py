"""The releases a user names as all there are: a file, or a list with commas; it judges none of them."""

from __future__ import annotations

import json
from pathlib import Path

from runner.errors import UsageError


def releases_in(given: str) -> list[str]:
    """A file with one release a line (or a JSON list), or the list itself; UsageError ``releases-unreadable``."""
    file = Path(given)
    if "," not in given and given and (file.exists() or _means_a_file(file)):
        text = _text_of(file)
        return _json_list(text, file) if text.lstrip().startswith(("[", "{")) else _lines(text)
    return [one.strip() for one in given.split(",") if one.strip()]


def _means_a_file(file: Path) -> bool:
    """Whether this is the name of a file that is missing: no release is written with a slash or ends in a word."""
    return len(file.parts) > 1 or file.suffix[1:].isalpha()


def _text_of(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as wrong:
        why = (wrong.strerror or "the system says no") if isinstance(wrong, OSError) else "it is no text"
        then = "Name a file with one release a line, or the releases with commas between."
        raise UsageError("releases-unreadable", f"{file} cannot be read: {why}.", then=then) from None


def _json_list(text: str, file: Path) -> list[str]:
    try:
        found = json.loads(text)
    except ValueError as wrong:
        raise UsageError("releases-unreadable", f"{file} is not a JSON list: {wrong}.") from wrong
    if not isinstance(found, list) or not all(isinstance(one, str) for one in found):
        raise UsageError("releases-unreadable", f"{file} is not a JSON list with every release in quotes.")
    return list(found)


def _lines(text: str) -> list[str]:
    bare = (line.split("#", 1)[0].strip() for line in text.splitlines())
    return [line for line in bare if line]
