"""What is said to a monitor and what it answers: a talk yields calls and takes replies; others send them."""

from __future__ import annotations

import json
from collections.abc import Generator
from datetime import UTC, datetime
from functools import cache

from pydantic import JsonValue, TypeAdapter, ValidationError

from runner.errors import EngineError
from runner.facts import Fact


class Order(Fact):
    """One upgrade as monitors hear of it; times are Unix times in seconds."""

    run: str
    target: str
    old: str
    new: str
    begins_s: int
    ends_s: int
    """When it is noisy again by itself; at the end of the upgrade: now."""
    accepted: bool | None = None
    """Whether the new version was accepted; None while nobody knows."""

    @property
    def mark(self) -> str:
        """What finds everything of this run again."""
        return f"refloat {self.run}"

    @property
    def comment(self) -> str:
        """Why it is quiet; the mark comes first."""
        return f"{self.mark}: upgrade of {self.target} {self.old} to {self.new}"


class HttpCall(Fact):
    """One request; ``fine`` are statuses that do besides those below 400."""

    method: str
    url: str
    headers: tuple[str, ...] = ()
    body: str = ""
    user: str = ""
    """``name:password``, where the monitor asks for that."""
    fine: tuple[int, ...] = ()


class FileCall(Fact):
    """A text for a file: put in its place, or ``onto`` a command file, which is a pipe."""

    path: str
    text: str
    onto: bool = False


Talk = Generator[HttpCall | FileCall, str, None]
"""It is sent the body of each answer."""


def json_call(method: str, url: str, body: JsonValue, *headers: str, user: str = "",
              fine: tuple[int, ...] = ()) -> HttpCall:  # fmt: skip
    """A request whose body is JSON."""
    every = ("Content-Type: application/json", "Accept: application/json", *headers)
    return HttpCall(method=method, url=url, headers=every, body=json.dumps(body), user=user, fine=fine)


@cache
def _adapter() -> TypeAdapter[JsonValue]:
    return TypeAdapter(JsonValue)  # slow to make, and seldom needed


def read_json(text: str) -> JsonValue:
    """The JSON of an answer; EngineError ``silence-failed``."""
    try:
        return _adapter().validate_json(text or "null")
    except ValidationError:
        raise EngineError("silence-failed", "The monitor's answer is not JSON.") from None


def objects(value: JsonValue) -> tuple[dict[str, JsonValue], ...]:
    """The objects of a list; none where it is something else."""
    return tuple(each for each in value if isinstance(each, dict)) if isinstance(value, list) else ()


def iso(moment_s: int) -> str:
    """A moment as RFC 3339, UTC."""
    return datetime.fromtimestamp(moment_s, UTC).isoformat().replace("+00:00", "Z")
