"""The queries that pick things by their labels, as the engine reads them; it asks nothing."""

from __future__ import annotations

import json
from collections.abc import Mapping


def label_filters(labels: Mapping[str, str] | None) -> list[str]:
    """Yield the engine's label filters; an empty value stands for any value."""
    return [f"{key}={value}" if value else key for key, value in (labels or {}).items()]


def label_query(labels: Mapping[str, str] | None) -> dict[str, str]:
    """Yield the query that filters by labels alone."""
    return {"filters": json.dumps({"label": label_filters(labels)})}
