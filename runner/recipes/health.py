"""How a product shows its health and what proves its data, as a recipe states it; nothing here asks a container."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from runner.hops import Source, Stated
from runner.recipes.patterns import Pattern

Port = Annotated[int, Field(ge=1, le=65535)]
Seconds = Annotated[float, Field(gt=0)]


class HttpProbe(Stated):
    """An address that must answer with a status, and without words that mean no."""

    kind: Literal["http"]
    port: Port
    path: str = Field(pattern=r"^/")
    status: int = 200
    danger: Pattern | None = Field(default=None, description="Words in the answer that mean no, whatever its status.")
    deadline_s: Seconds = 60


class TcpProbe(Stated):
    """A port that must accept a connection."""

    kind: Literal["tcp"]
    port: Port
    deadline_s: Seconds = 60


class CommandProbe(Stated):
    """A command inside the container that must exit with 0."""

    kind: Literal["command"]
    argv: tuple[str, ...] = Field(min_length=1)
    deadline_s: Seconds = 60


class LogProbe(Stated):
    """A line that must appear in the log since the start."""

    kind: Literal["log"]
    regex: Pattern
    deadline_s: Seconds = 60


RecipeProbe = Annotated[HttpProbe | TcpProbe | CommandProbe | LogProbe, Field(discriminator="kind")]
Compare = Literal["equal", "not_less", "changed_to_goal", "within_percent"]


class Measured(Stated):
    """What every piece of evidence says: its name, how to find the value, how before and after compare."""

    name: str
    pointer: str | None = Field(default=None, description="JSON pointer into the answer, for example /data/version.")
    regex: Pattern | None = Field(default=None, description="Its first group is the value.")
    count: bool = Field(
        default=False, description="The value is how many items stand at the pointer, or how often the regex matches."
    )
    compare: Compare
    percent: float | None = Field(default=None, gt=0, description="Allowed difference for within_percent.")
    settle_s: Seconds = Field(default=10, description="How long a wrong value may still become right after the start.")

    @model_validator(mode="after")
    def _percent_goes_with_within(self) -> Measured:
        if (self.compare == "within_percent") != (self.percent is not None):
            raise ValueError("`percent` belongs to `compare: within_percent`, and only there")
        return self


class CommandEvidence(Measured):
    """A value printed by a command inside the container."""

    kind: Literal["command"]
    argv: tuple[str, ...] = Field(min_length=1)


class HttpEvidence(Measured):
    """A value served over HTTP by the container."""

    kind: Literal["http"]
    port: Port
    path: str = Field(pattern=r"^/")


RecipeEvidence = Annotated[CommandEvidence | HttpEvidence, Field(discriminator="kind")]


class Standstill(Stated):
    """A pause in the progress lines which the vendor calls normal: it is no reason to give up."""

    source: Source
    why: str
    lasts_s: Seconds
