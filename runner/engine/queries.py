"""The queries that pick things by their labels, as the engine reads them, and answers put together; it asks nothing."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping

from runner.errors import EngineError


def label_filters(labels: Mapping[str, str] | None) -> list[str]:
    """Yield the engine's label filters; an empty value stands for any value."""
    return [f"{key}={value}" if value else key for key, value in (labels or {}).items()]


def label_query(labels: Mapping[str, str] | None) -> dict[str, str]:
    """Yield the query that filters by labels alone."""
    return {"filters": json.dumps({"label": label_filters(labels)})}


def within(pieces: Iterable[bytes], at_most_bytes: int, path: str) -> bytes:
    """Put an archive together; EngineError ``too-large`` as soon as it is past a limit that is not 0."""
    whole = bytearray()
    for piece in pieces:
        whole += piece
        if 0 < at_most_bytes < len(whole):
            raise EngineError("too-large", f"{path} is larger than {at_most_bytes} bytes.")
    return bytes(whole)
