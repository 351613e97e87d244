"""Versions as products write them: parsed, in total order, spelled back; nothing here knows a rule or a registry."""

from runner.versions.release import Release
from runner.versions.schemes import Scheme, SchemeName, release_from, scheme_named, series_from

__all__ = ["Release", "Scheme", "SchemeName", "release_from", "scheme_named", "series_from"]
