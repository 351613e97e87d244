"""The hop rules a recipe can state, as frozen models; it never judges a hop (`hop_verdicts` does) and knows no product.

Releases stand here as the vendor writes them; the recipe's scheme gives them an order when the recipe is read.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

NumberOfParts = Annotated[int, Field(ge=1, le=4)]
Source = Annotated[str, Field(pattern=r"^(https?://\S+|.+\.txt)$", description="The vendor's page this comes from.")]


class Stated(BaseModel):
    """Anything a recipe states: frozen, and a word it does not know is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid", coerce_numbers_to_str=True, defer_build=True)


class Rule(Stated):
    """What every hop rule says about itself."""

    source: Source
    why: str = Field(default="", description="The vendor's reason, in one sentence.")
    advised: bool = Field(default=False, description="Advice: followed where the releases allow it, else a warning.")
    forced: str = Field(default="", description="The vendor's consequence if forced; empty: it cannot be forced.")


class Minimum(Stated):
    """To enter a series, the release left behind must be at least this one."""

    into: str = Field(description="A series, for example 2.3 or 3.")
    needs: str = Field(description="The lowest release that may enter it.")


class AnyForward(Rule):
    """Every later release may be reached at once."""

    rule: Literal["any-forward"]
    since: str | None = Field(default=None, description="The oldest release the vendor promises this for.")


class OneMajorAtATime(Rule):
    """No major may be skipped; a minimum patch may be asked for on the way out."""

    rule: Literal["one-major-at-a-time"]
    parts: NumberOfParts = Field(default=1, description="How many leading numbers make a major.")
    majors: tuple[str, ...] = Field(default=(), description="The majors in order, where counting cannot tell.")
    minimums: tuple[Minimum, ...] = ()


class ThroughLastMinor(Rule):
    """A major is left only from its last minor."""

    rule: Literal["through-last-minor"]
    last: dict[str, str] = Field(default={}, description="Major to its last minor; else the highest that exists.")


class ReleasedLater(Rule):
    """The target must have been released after the source: by known dates, and by pairs the vendor names."""

    rule: Literal["released-later"]
    refused: tuple[tuple[str, str], ...] = Field(default=(), description="Pairs [from, to] the vendor refuses.")


class FinalReleasesOnly(Rule):
    """A beta, a candidate or a daily build cannot be upgraded."""

    rule: Literal["final-releases-only"]


class RequiredStops(Rule):
    """Certain series may not be jumped over."""

    rule: Literal["required-stops"]
    stops: tuple[str, ...]
    from_then_on: tuple[str, str] | None = Field(
        default=None,
        description="[from, minors]: from this series on every X.minor is a stop, as in ['17.5', '2 5 8 11'].",
    )


class NextFeatureVersion(Rule):
    """Bug fixes freely; otherwise only the next released feature version, whose last number is 0."""

    rule: Literal["next-feature-version"]
    stepwise_to: str | None = Field(default=None, description="Older releases must stop here first.")
    contradicted: str = Field(default="", description="What the vendor says elsewhere, for releases from there on.")


class SameMajorOnly(Rule):
    """Another major needs a migration the product itself does not do at start."""

    rule: Literal["same-major-only"]
    parts: NumberOfParts = 1
    migration: str = Field(description="What the vendor offers instead.")


class LtsTracks(Rule):
    """Long-term series are the stations: none may be jumped over."""

    rule: Literal["lts-tracks"]
    lts: tuple[str, ...]


class MinorSteps(Rule):
    """At most so many minors at a time."""

    rule: Literal["minor-steps"]
    at_most: Annotated[int, Field(ge=1)]


class MinimumSource(Rule):
    """A series asks for a minimum release to come from."""

    rule: Literal["minimum-source"]
    minimums: tuple[Minimum, ...]


class ManualSteps(Rule):
    """Every listed release brings a step done by hand, in order, before the new version starts."""

    rule: Literal["manual-steps"]
    releases: tuple[str, ...]
    step: str = Field(description="What is to be done; {release} names the one.")


class Bound(Stated):
    """Up to `procedure_to` one procedure holds, from `plain_from` on another; between them nothing is documented."""

    series: str
    procedure_to: str
    plain_from: str | None = None


class DocumentedBounds(Rule):
    """The page's version table as upper bounds: what lies between two procedures is a warning."""

    rule: Literal["documented-bounds"]
    bounds: tuple[Bound, ...]


HopRule = Annotated[
    AnyForward
    | OneMajorAtATime
    | ThroughLastMinor
    | ReleasedLater
    | FinalReleasesOnly
    | RequiredStops
    | NextFeatureVersion
    | SameMajorOnly
    | LtsTracks
    | MinorSteps
    | MinimumSource
    | ManualSteps
    | DocumentedBounds,
    Field(discriminator="rule"),
]

Downgrade = Literal["never", "barriers", "tool-assisted", "silently-wrong", "works"]


class Barrier(Stated):
    """From `leaving` or later, nothing below `below` can read the data."""

    leaving: str
    below: str
    why: str


class Backward(Stated):
    """What the vendor says about going back in place."""

    source: Source
    why: str
    same_parts: Annotated[int, Field(ge=0, le=4)] = Field(
        default=0, description="Going back is allowed while this many leading numbers stay; 0: never by this."
    )
    not_below: str | None = Field(default=None, description="… and not below this release.")
    barriers: tuple[Barrier, ...] = ()


class Conversion(Stated):
    """One allowed change of edition."""

    leaving: str
    into: tuple[str, ...]
    then: str = Field(default="", description="What is as before afterwards, and what is to be done by hand.")


class Editions(Stated):
    """The editions of a product and which may become which, at equal versions: one thing at a time."""

    source: Source
    why: str
    conversions: tuple[Conversion, ...] = ()
