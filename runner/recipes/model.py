"""A recipe: the facts about one product, as frozen data; it holds no procedure and touches nothing."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import ConfigDict, Field, JsonValue, field_validator, model_validator

from runner.hops import Backward, Downgrade, Editions, HopRule, NumberOfParts, Stated
from runner.recipes.health import Port, RecipeEvidence, RecipeProbe, Standstill
from runner.recipes.patterns import Pattern
from runner.recipes.work import (
    Argv,
    ConsistentCopy,
    Coupled,
    Family,
    Gate,
    Hook,
    Identifier,
    Listing,
    Note,
    PackageList,
    Preflight,
    Rehearsal,
)
from runner.versions import SchemeName

Verified = Literal["real", "stand-in", "documentation"]
AbsolutePath = Annotated[str, Field(pattern=r"^/")]
RelativePath = Annotated[str, Field(pattern=r"^[^/](.*[^/])?$")]


class RecipeImage(Stated):
    """A repository this product is published in, and how a version becomes its tag."""

    repository: str = Field(
        pattern=r"^[a-z0-9._/-]+$", description="Without registry host, for example prom/prometheus."
    )
    tag: str = Field(default="{version}", pattern=r"\{version\}", description="How a version becomes a tag.")
    edition: str | None = None


class FromLabel(Stated):
    """The version is an image label."""

    kind: Literal["label"]
    label: str


class FromTag(Stated):
    """The version is the image's tag."""

    kind: Literal["tag"]


class FromEnv(Stated):
    """The version stands in a variable that the image itself sets."""

    kind: Literal["env"]
    name: str
    regex: Pattern = r"(\S+)"


class FromContainer(Stated):
    """The version is asked of the container, not of its image: what its program says, or what its data is of."""

    of: Literal["program", "data"] = Field(
        default="program", description="Whose version it is. Where the data's is another, the rules are asked for it."
    )
    parts: NumberOfParts | None = Field(default=None, description="How many numbers of the version it tells, if few.")


class FromCommand(FromContainer):
    """The version is printed by a command inside the container."""

    kind: Literal["command"]
    argv: Argv
    regex: Pattern


class FromFile(FromContainer):
    """The version stands in a file, or in the name a link points to; it is read of a stopped container too."""

    kind: Literal["file", "link"]
    path: str = Field(description="Absolute, or below one of data_paths; $NAME is the container's variable.")
    regex: Pattern = r"(\S+)"
    of: Literal["program", "data"] = Field(default="data", description="Whose version it is.")


class FromLog(FromContainer):
    """The version stands in a log line: the last one since the start; several groups are joined by dots."""

    kind: Literal["log"]
    regex: Pattern


class FromHttp(FromContainer):
    """The version is a field of an HTTP answer."""

    kind: Literal["http"]
    port: Port
    path: str = Field(pattern=r"^/")
    pointer: str | None = None
    regex: Pattern | None = None


VersionSource = Annotated[
    FromLabel | FromTag | FromEnv | FromCommand | FromFile | FromLog | FromHttp, Field(discriminator="kind")
]


class DatedRelease(Stated):
    """A release and the day it came out, where a rule asks for the day."""

    version: str
    date: str = Field(pattern=r"^\d{4}-\d{2}-\d{2}$")


def _or_its_path_alone(schema: dict[str, JsonValue]) -> None:
    whole = dict(schema)
    schema.clear()
    schema["anyOf"] = [{"type": "string", "pattern": "^/"}, whole]


class ConfigTree(Stated):
    """A directory of configuration; a path alone where the images have the defaults at that very place."""

    model_config = ConfigDict(json_schema_extra=_or_its_path_alone)

    path: AbsolutePath = Field(description="As the container sees it.")
    defaults: AbsolutePath | None = Field(default=None, description="Where the images keep its defaults instead.")
    permissions: AbsolutePath | None = Field(
        default=None, description="A file in the images with the defaults' modes: PATH MODE a line."
    )
    skip: tuple[RelativePath, ...] = Field(default=(), description="Paths in it to leave alone, with all below them.")
    modes_to_set: tuple[RelativePath, ...] = Field(
        default=(), description="Paths in it where a changed default mode is set without a question."
    )

    @model_validator(mode="before")
    @classmethod
    def _path_alone(cls, given: object) -> object:
        return {"path": given} if isinstance(given, str) else given


class Recipe(Stated):
    """Everything the runner knows about one product."""

    name: Identifier
    title: str
    verified: Verified = Field(description="Checked against the real product, a stand-in, or the documentation alone.")
    images: tuple[RecipeImage, ...] = ()
    names: tuple[str, ...] = Field(default=(), description="Last path components that mean this product.")
    scheme: SchemeName
    version_from: tuple[VersionSource, ...] = Field(
        default=(), description="Where the version is read: the first that can be; the image before the container."
    )
    releases: tuple[str | DatedRelease, ...] = Field(default=(), description="Releases known to exist; never complete.")

    data_paths: tuple[AbsolutePath, ...] = ()
    config_paths: tuple[ConfigTree, ...] = ()
    config_tokens: dict[str, str] = Field(
        default={}, description="Literal tokens in default files and what stands for them; $NAME is the container's."
    )
    uid: int | None = Field(
        default=None,
        description="Whose the data is in the vendor's image; a plan says where another user runs it.",
    )

    hops: tuple[HopRule, ...] = Field(min_length=1)
    downgrade: Downgrade
    backward: Backward
    editions: Editions | None = None
    coupled: tuple[Coupled, ...] = ()
    family: Family | None = None

    same_hostname: bool = Field(
        default=False, description="The product keys its data on its host name: the new container keeps the old one's."
    )
    stop_timeout_s: int | None = Field(default=None, gt=0)
    requires_clean_stop: bool = False
    never_stop_while_migrating: bool = False
    ready_log: tuple[Pattern, ...] = ()
    danger_log: tuple[Pattern, ...] = ()
    migrating_log: tuple[Pattern, ...] = ()
    standstill: Standstill | None = None
    probes: tuple[RecipeProbe, ...] = ()
    healthy_dwell_s: float | None = Field(default=None, ge=0)
    start_deadline_s: float | None = Field(default=None, gt=0)
    evidence: tuple[RecipeEvidence, ...] = ()

    preflight: tuple[Preflight, ...] = ()
    customised: tuple[Listing, ...] = ()
    packages: tuple[PackageList, ...] = ()
    notes: tuple[Note, ...] = ()
    gates: tuple[Gate, ...] = ()
    hooks: tuple[Hook, ...] = ()
    rehearsal: Rehearsal = Rehearsal()
    consistent_copy: ConsistentCopy = ConsistentCopy()

    @field_validator("notes", "gates")
    @classmethod
    def _each_id_once(cls, items: tuple[Note, ...] | tuple[Gate, ...]) -> tuple[Note, ...] | tuple[Gate, ...]:
        ids = [item.id for item in items]
        twice = sorted({one for one in ids if ids.count(one) > 1})
        if twice:
            raise ValueError(f"used twice: {', '.join(twice)}")
        return items
