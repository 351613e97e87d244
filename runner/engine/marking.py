"""More labels on what an engine is asked to make, by which somebody else clears it away; it asks nothing."""

from __future__ import annotations

from collections.abc import Mapping

from runner.engine.parse import part
from runner.facts import Json
from runner.labels import DEPOT_ROLE, ROLE, VAULT_ROLE

MAKING = ("/containers/create", "/networks/create", "/volumes/create")
LASTING = (VAULT_ROLE, DEPOT_ROLE)
"""What these volumes hold outlives whoever made them."""


def marked(path: str, body: Json | None, marks: Mapping[str, str]) -> Json | None:
    """The body of a request; where it makes something that goes again, its labels and these."""
    if not marks or body is None or path not in MAKING:
        return body
    labels = part(body, "Labels")
    return body if labels.get(ROLE) in LASTING else {**body, "Labels": {**marks, **labels}}
