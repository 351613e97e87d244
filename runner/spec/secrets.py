"""Hiding what may be secret in values that get printed; it rather hides too much than too little."""

from __future__ import annotations

import re

from pydantic import JsonValue

HIDDEN = "***"
WORD = r"(?:pass|pwd|secret|token|credential|key|auth(?!ors?\b)|dsn)"
SECRET_NAME = re.compile(WORD, re.IGNORECASE)
# Names whose lists are command lines: there the word after a telling option is hidden.
COMMAND_LINES = ("Cmd", "Entrypoint", "Test")
# A name is looked at once, from its beginning, and taken whole: a log may hold a line of a megabyte without a blank.
NAME = rf"(?<![\w.-])(?=[\w.-]*{WORD})[\w.-]++"
OPTION = rf"(?<![\w.-])(?=[\w.]*+-[\w.-]*{WORD})[\w.-]++"
IN_TEXT = (
    # As far as the last @: a password may have one in it. Without a password, a user of the web is a token.
    (re.compile(r"(\w://[^/\s:@]*:|https?://(?=[^/\s:@]+@))[^/\s]+(?=@)"), rf"\1{HIDDEN}"),
    (re.compile(rf"({NAME}\s*=\s*)('[^']*'|\"[^\"]*\"|[^\s,;&]+)", re.IGNORECASE), rf"\1{HIDDEN}"),
    (re.compile(rf"({OPTION}\s+)('[^']*'|\"[^\"]*\"|[^\s]+)", re.IGNORECASE), rf"\1{HIDDEN}"),
    (re.compile(rf"({NAME}:\s+)(.+)", re.IGNORECASE), rf"\1{HIDDEN}"),
)
TELLING_OPTION = re.compile(rf"--?(?=[\w.-]*{WORD})[\w.-]*+", re.IGNORECASE)


def masked_text(text: str) -> str:
    """A text with what looks like a secret in it hidden: options, assignments, headers, addresses with a password."""
    for pattern, replacement in IN_TEXT:
        text = pattern.sub(replacement, text)
    return text


def masked_addresses(text: str) -> str:
    """A text with the passwords in its addresses hidden, and nothing else."""
    pattern, replacement = IN_TEXT[0]
    return pattern.sub(replacement, text)


def masked_command(words: list[JsonValue]) -> list[JsonValue]:
    """A command line, with the words after telling options hidden too."""
    before = [None, *words]
    return [
        HIDDEN if isinstance(previous, str) and TELLING_OPTION.fullmatch(previous) else masked_value("", word)
        for previous, word in zip(before, words, strict=False)
    ]


def masked_variable(entry: str) -> str:
    """An environment entry with its value hidden, whatever it is called."""
    name, equals, _ = entry.partition("=")
    return f"{name}{equals}{HIDDEN}" if equals else name


def masked_value(name: str, value: JsonValue) -> JsonValue:
    """A value of the engine's JSON under this name, with all secrets in it hidden."""
    if isinstance(value, dict):
        return {key: masked_value(key, each) for key, each in value.items()}
    if isinstance(value, list):
        return masked_list(name, value)
    if not isinstance(value, str):
        return value
    return HIDDEN if value and SECRET_NAME.search(name) else masked_text(value)


def masked_list(name: str, values: list[JsonValue]) -> JsonValue:
    """A list under this name, with all secrets in it hidden."""
    if name == "Env":
        return [masked_variable(each) for each in values if isinstance(each, str)]
    if name in COMMAND_LINES:
        return masked_command(values)
    # Other lists of texts (mounts, capabilities, addresses) hold no secrets, but paths that look like them.
    return [each if isinstance(each, str) else masked_value("", each) for each in values]
