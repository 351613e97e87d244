"""The releases that are known to exist and how complete that knowledge is; where they come from is not its business."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from runner.versions import Release, SchemeName, release_from


@dataclass(frozen=True)
class Catalogue:
    """Releases in order. Only a complete catalogue proves that something does not exist."""

    scheme: SchemeName
    releases: tuple[Release, ...] = ()
    complete: bool = False
    dates: tuple[tuple[Release, str], ...] = ()

    def read(self, text: str) -> Release:
        """A release as this product writes it."""
        return release_from(text, self.scheme)

    def date_of(self, release: Release) -> str | None:
        """The day it came out, if known."""
        return next((day for known, day in self.dates if known.rank == release.rank), None)

    def between(self, low: Release, high: Release) -> tuple[Release, ...]:
        """Finished releases above the one and below the other."""
        return tuple(one for one in self.releases if low.rank < one.rank < high.rank and one.is_final)

    def thinned(self) -> Catalogue:
        """The first and the last finished release of each series.

        Every rule asks of a patch at most that it be old or new enough, so these two stand for all between them,
        and a registry of thousands of tags is searched as fast as one of dozens.
        """
        ends: dict[tuple[int, ...], tuple[Release, Release]] = {}
        for one in (release for release in self.releases if release.is_final):
            first, _ = ends.get(one.numbers[:-1], (one, one))
            ends[one.numbers[:-1]] = first, one
        return replace(self, releases=tuple(sorted({end for pair in ends.values() for end in pair})))

    def holds(self, release: Release) -> bool:
        """Whether this very release is listed; a list without editions holds it in every edition."""
        return any(one.rank == release.rank and one.edition in ("", release.edition) for one in self.releases)


def catalogue_from(
    lines: Iterable[str], scheme: SchemeName, *, complete: bool, dates: Iterable[tuple[str, str]] = ()
) -> Catalogue:
    """A catalogue of the releases given, each once; an unreadable one is an error, never left out."""
    dated = tuple((release_from(text, scheme), day) for text, day in dates)
    releases = {release_from(text, scheme) for text in lines} | {release for release, _ in dated}
    return Catalogue(scheme, tuple(sorted(releases)), complete, dated)
