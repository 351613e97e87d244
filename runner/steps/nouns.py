"""The nouns of a plan: who is acted upon, what healthy means, what is measured; they do nothing."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field

from runner.facts import Fact, Json


class Phase(StrEnum):
    """The phases of an upgrade, in order."""

    PREPARE = "prepare"
    FREEZE = "freeze"
    CHANGE = "change"
    PROVE = "prove"
    OPEN = "open"
    COMMIT = "commit"


class Existing(Fact):
    """A container that was there when we looked: it may only be stopped, started, renamed, given a restart policy."""

    sort: Literal["existing"] = "existing"
    id: str
    name: str

    @property
    def spoken(self) -> str:
        """How people call it."""
        return self.name


class Ours(Fact):
    """A container this run makes, found by its labels ``refloat.run`` and ``refloat.role``, whatever its name is."""

    sort: Literal["ours"] = "ours"
    run: str
    role: str
    name: str

    @property
    def spoken(self) -> str:
        """How people call it."""
        return f"the {self.role} {self.name}"


Who = Annotated[Existing | Ours, Field(discriminator="sort")]


class Blueprint(Fact):
    """All that creates a container again, without one secret: Env values come from ``donors`` when it is made."""

    image_id: str
    image_ref: str
    body: Json
    """The create body; ``Env`` holds bare names, and an argument or label that looks secret is a ``Hidden`` mark."""
    connects: tuple[tuple[str, Json], ...] = ()
    donors: tuple[Who, ...]
    peers: tuple[Ours, ...] = ()
    """Containers of the same run that the body names (``container:NAME``, ``NAME:alias``): the new ones are meant."""


class ImageHealth(Fact):
    """Ask what the image (or the user) declared as HEALTHCHECK, at our own pace.

    Its command is read from the container when it is asked: people write passwords into it.
    """

    kind: Literal["image"] = "image"
    timeout_s: float = 30

    @property
    def spoken(self) -> str:
        """How people call it."""
        return "its own health check"


class HttpProbe(Fact):
    """GET a page inside the container's network and expect a status below 400, or ``status``, and no ``danger``."""

    kind: Literal["http"] = "http"
    port: int
    path: str = "/"
    status: int = 0
    danger: str = ""
    """A regular expression; some products put their error pages under status 200."""
    scheme: str = "http"
    timeout_s: float = 5
    if_before: bool = False
    """Ask it of the new version only where the old one answers it (a recipe cannot know another port or TLS)."""

    @property
    def spoken(self) -> str:
        """How people call it."""
        return f"GET {self.scheme}://localhost:{self.port}{self.path}"


class TcpProbe(Fact):
    """Connect to a port inside the container's network."""

    kind: Literal["tcp"] = "tcp"
    port: int
    timeout_s: float = 5
    if_before: bool = False

    @property
    def spoken(self) -> str:
        """How people call it."""
        return f"port {self.port} accepts"


class CommandProbe(Fact):
    """Run a command in the container and expect exit code 0."""

    kind: Literal["command"] = "command"
    argv: tuple[str, ...]
    user: str = ""
    timeout_s: float = 15
    if_before: bool = False

    @property
    def spoken(self) -> str:
        """How people call it."""
        return f"“{' '.join(self.argv)}” succeeds"


class LogProbe(Fact):
    """Wait for a line of its log since its start that matches a regular expression."""

    kind: Literal["log"] = "log"
    pattern: str
    if_before: bool = False

    @property
    def spoken(self) -> str:
        """How people call it."""
        return f"a log line like “{self.pattern}”"


Probe = Annotated[ImageHealth | HttpProbe | TcpProbe | CommandProbe | LogProbe, Field(discriminator="kind")]


class HealthTerms(Fact):
    """What proves a started container healthy; all times in seconds."""

    probes: tuple[Probe, ...] = ()
    deadline_s: float = 120
    """For silence only: a crash is a verdict at once, and a progress line of ``migrating`` extends it."""
    dwell_s: float = 5
    """The same process must stay up and healthy this long after the last probe turned green."""
    interval_s: float = 0.5
    unhealthy_s: float = 90
    """The engine's ``unhealthy`` is a verdict only after our own asking agreed for this long without a break."""
    standstill_s: float = 0
    """A progress line is good for this long where that is more than ``deadline_s``: the vendor calls it normal."""
    danger: tuple[str, ...] = ()
    """Regular expressions of log lines that are a bad verdict at once."""
    migrating: tuple[str, ...] = ()
    """Regular expressions of log lines that say it is busy migrating: ``unhealthy`` does not count meanwhile."""
    migrated: tuple[str, ...] = ()
    """Regular expressions of log lines that end that."""


class Reading(Fact):
    """One piece of evidence: how to read a value and how the values before and after must compare."""

    name: str
    how: Annotated[HttpProbe | CommandProbe, Field(discriminator="kind")]
    pick: str = ""
    """A regular expression whose first group (or whole match) is the value; empty takes the trimmed text."""
    pointer: str = ""
    """A JSON pointer into the answer, taken before ``pick``."""
    count: bool = False
    """The value is how many items there are at the pointer; without a pointer, how often ``pick`` matches."""
    rule: Literal["equal", "not_less", "within_percent", "shown", "goal_version"] = "shown"
    percent: float = 0
    settle_s: float = 10
    """How long a wrong value may still become right: counts grow back while a product loads or asks its peers."""


class FileEdit(Fact):
    """One change of a few bytes in a file of the user's, which is this very file before and that one after."""

    path: str
    line: int
    at_byte: int
    was: str
    becomes: str
    shown_before: str
    shown_after: str
    """The words around the change as people are shown them; never the whole line, which may hold a secret."""
    sha256_before: str
    sha256_after: str

    def apply(self, content: bytes) -> bytes:
        """The content with the change made."""
        return _spliced(content, self.at_byte, self.was, self.becomes)

    def revert(self, content: bytes) -> bytes:
        """The content with the change taken back."""
        return _spliced(content, self.at_byte, self.becomes, self.was)


def _spliced(content: bytes, at: int, was: str, becomes: str) -> bytes:
    return content[:at] + becomes.encode() + content[at + len(was.encode()) :]
