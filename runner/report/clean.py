"""Texts from elsewhere made safe to show: no control character, no terminal order, no address with a password; pure."""

from __future__ import annotations

import re
from typing import TypeVar

from pydantic import JsonValue

from runner.facts import Fact
from runner.spec.secrets import masked_addresses

TERMINAL_ORDER = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[@-Z\\^_])")
NOTHING = ord("�")
# What turns the direction of writing around makes a line read as another one.
DIRECTIONS = (*range(0x202A, 0x202F), *range(0x2066, 0x206A))
# Half characters and those that are none: no file in UTF-8 or XML may hold them.
NONE_AT_ALL = (*range(0xD800, 0xE000), 0xFFFE, 0xFFFF)
SHOWN: dict[int, int] = {
    **{code: 0x2400 + code for code in range(0x20) if chr(code) not in "\n\t"},
    **dict.fromkeys((*range(0x7F, 0xA0), *DIRECTIONS, *NONE_AT_ALL), NOTHING),
}

AnyFact = TypeVar("AnyFact", bound=Fact)


def clean(text: str) -> str:
    """The text as it may be shown anywhere; newlines and tabs stay."""
    return masked_addresses(TERMINAL_ORDER.sub("", text.replace("\r\n", "\n")).translate(SHOWN))


def cleaned(fact: AnyFact) -> AnyFact:
    """The fact with every text in it clean."""
    return type(fact).model_validate(_walked(fact.model_dump(mode="python")))


def _walked(value: JsonValue) -> JsonValue:
    if isinstance(value, str):
        return clean(str(value))
    if isinstance(value, dict):
        return {key: _walked(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_walked(each) for each in value]
    return value
