"""May one release be left for another? Each hop rule's answer in words; it searches no path and knows no product."""

from __future__ import annotations

from dataclasses import dataclass
from typing import assert_never

from runner import hops
from runner.catalogue import Catalogue
from runner.versions import Release, series_from

Series = tuple[int, ...]


@dataclass(frozen=True)
class Hop:
    """One step up: from a release straight to a later one."""

    leaving: Release
    into: Release

    @property
    def placed(self) -> bool:
        """Whether both belong to a series; where one does not, nothing can be said of what lies between."""
        return not (self.leaving.unplaced or self.into.unplaced)

    def crosses(self, series: Series) -> bool:
        """Whether a series lies strictly between."""
        parts = len(series)
        return self.placed and self.leaving.series(parts) < series < self.into.series(parts)

    def enters(self, series: Series) -> bool:
        """Whether it comes into a series from outside."""
        parts = len(series)
        return self.placed and self.into.series(parts) == series != self.leaving.series(parts)


def why_not(rule: hops.HopRule, hop: Hop, among: Catalogue) -> str:  # noqa: C901 -- one case a rule, nothing nested
    """Why a rule forbids a hop; empty when it does not."""
    match rule:
        case hops.AnyForward():
            return _too_old(rule, hop, among)
        case hops.OneMajorAtATime():
            return _skipped_major(rule, hop, among) or _below_minimum(rule.minimums, hop, among)
        case hops.ThroughLastMinor():
            return _not_the_last_minor(rule, hop, among)
        case hops.ReleasedLater():
            return _released_earlier(rule, hop, among)
        case hops.FinalReleasesOnly():
            return "" if hop.leaving.is_final else f"{hop.leaving} is not a finished release"
        case hops.RequiredStops():
            return _jumped_over(required_stops(rule, hop), hop)
        case hops.NextFeatureVersion():
            return _not_the_next_feature(rule, hop, among)
        case hops.SameMajorOnly():
            return _other_major(rule, hop)
        case hops.LtsTracks():
            return _jumped_over([series_from(one) for one in rule.lts], hop)
        case hops.MinorSteps():
            return _too_many_minors(rule, hop, among)
        case hops.MinimumSource():
            return _below_minimum(rule.minimums, hop, among)
        case hops.ManualSteps() | hops.DocumentedBounds():
            return ""
        case _:
            assert_never(rule)


def dotted(series: Series) -> str:
    """A series as people write it."""
    return ".".join(map(str, series))


def _too_old(rule: hops.AnyForward, hop: Hop, among: Catalogue) -> str:
    if rule.since is None or hop.leaving.rank >= among.read(rule.since).rank:
        return ""
    return f"{hop.leaving} is older than {rule.since}"


def _skipped_major(rule: hops.OneMajorAtATime, hop: Hop, among: Catalogue) -> str:
    skipped = [dotted(one) for one in sorted(_known_majors(rule, hop, among)) if hop.crosses(one)]
    return f"{', '.join(skipped)} may not be skipped between {hop.leaving} and {hop.into}" if skipped else ""


def _known_majors(rule: hops.OneMajorAtATime, hop: Hop, among: Catalogue) -> set[Series]:
    """The declared majors; beyond them those that exist, and those that counting says must."""
    low, high = hop.leaving.series(rule.parts), hop.into.series(rule.parts)
    declared = {series_from(one) for one in rule.majors}
    if {low, high} <= declared:
        return declared
    counted = {(*low[:-1], number) for number in range(low[-1], high[-1])} if low[:-1] == high[:-1] else set()
    return declared | counted | {one.series(rule.parts) for one in among.releases if one.is_final}


def _below_minimum(minimums: tuple[hops.Minimum, ...], hop: Hop, among: Catalogue) -> str:
    for one in minimums:
        if hop.enters(series_from(one.into)) and hop.leaving.rank < among.read(one.needs).rank:
            return f"{one.into} is entered from {one.needs} or later, and {hop.leaving} is older"
    return ""


def _not_the_last_minor(rule: hops.ThroughLastMinor, hop: Hop, among: Catalogue) -> str:
    major = hop.leaving.numbers[0]
    if hop.into.numbers[0] == major:
        return ""
    existing = [one.series(2) for one in among.releases if one.numbers[0] == major and one.is_final]
    known = rule.last.get(str(major))
    last = series_from(known) if known else max(existing, default=hop.leaving.series(2))
    return f"{major} is left only from {dotted(last)}, not from {hop.leaving}" if hop.leaving.series(2) < last else ""


def _released_earlier(rule: hops.ReleasedLater, hop: Hop, among: Catalogue) -> str:
    before, after = among.date_of(hop.leaving), among.date_of(hop.into)
    if before and after and after < before:
        return f"{hop.into} was released on {after}, before {hop.leaving} on {before}"
    for leaving, into in rule.refused:
        if (among.read(leaving).rank, among.read(into).rank) == (hop.leaving.rank, hop.into.rank):
            return f"{hop.into} was released before {hop.leaving}"
    return ""


def required_stops(rule: hops.RequiredStops, hop: Hop) -> list[Series]:
    """The stops between two releases: the listed ones, and those a rule gives from a series on."""
    listed = [series_from(one) for one in rule.stops]
    if rule.from_then_on is None:
        return listed
    since, minors = series_from(rule.from_then_on[0]), [int(one) for one in rule.from_then_on[1].split()]
    majors = range(max(since[0], hop.leaving.numbers[0]), hop.into.numbers[0] + 1)
    return sorted({*listed, *((major, minor) for major in majors for minor in minors if (major, minor) >= since)})


def _jumped_over(stops: list[Series], hop: Hop) -> str:
    jumped = [dotted(stop) for stop in stops if hop.crosses(stop)]
    return f"{', '.join(jumped)} may not be jumped over between {hop.leaving} and {hop.into}" if jumped else ""


def _not_the_next_feature(rule: hops.NextFeatureVersion, hop: Hop, among: Catalogue) -> str:
    if hop.leaving.series(3) == hop.into.series(3):
        return ""
    station = among.read(rule.stepwise_to) if rule.stepwise_to else None
    if station and hop.leaving.rank < station.rank < hop.into.rank:
        return f"{hop.leaving} goes step by step to {station} first"
    if hop.into.numbers[3] != 0:
        return f"{hop.into} is a bug fix of another feature version; only {dotted(hop.into.series(3))}.0 can be entered"
    earlier = [one for one in among.between(hop.leaving, hop.into) if one.numbers[3] == 0]
    if earlier:
        return f"{earlier[0]} comes first"
    known = among.complete or hop.into.numbers in following_features(hop.leaving)
    return "" if known else f"without a list of releases {hop.into} is not known to be the next after {hop.leaving}"


def following_features(release: Release) -> tuple[Series, ...]:
    """The three numbers a next feature version can have when nobody knows which exist."""
    major, minor, feature, _ = release.numbers
    return (major, minor, feature + 1, 0), (major, minor + 1, 0, 0), (major + 1, 0, 0, 0)


def _other_major(rule: hops.SameMajorOnly, hop: Hop) -> str:
    if hop.leaving.major(rule.parts) == hop.into.major(rule.parts):
        return ""
    return f"{hop.into} is of another major than {hop.leaving}. {rule.migration.rstrip('.')}"


def _too_many_minors(rule: hops.MinorSteps, hop: Hop, among: Catalogue) -> str:
    minors = {one.series(2) for one in among.releases if one.is_final}
    steps = sum(hop.crosses(one) for one in minors) + (hop.leaving.series(2) != hop.into.series(2))
    if hop.leaving.numbers[0] == hop.into.numbers[0]:
        steps = hop.into.numbers[1] - hop.leaving.numbers[1]
    return f"{hop.leaving} to {hop.into} is {steps} minors; {rule.at_most} at a time" if steps > rule.at_most else ""
