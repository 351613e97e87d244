"""What a plan says where compose's file and what runs will differ, or compose will think so; it touches nothing."""

from __future__ import annotations

from collections.abc import Iterator

from runner.compose.project import CONFIG_HASH
from runner.plan import PlanWarning
from runner.way import kept_name
from runner.world import World


def drift_warnings(world: World, *, edit: bool, hold: bool) -> Iterator[PlanWarning]:
    """A file that is left as it is, and a container that compose will make anew."""
    definition, old = world.definition, world.target.image_ref
    if definition is None:
        return
    if hold:
        text = (
            f"while the verdict is open, `docker compose up` or `down` takes {kept_name(world.target.name)} for a "
            f"container of {definition.service} and removes it: commit or roll back first"
        )
        yield PlanWarning(code="compose-open", text=text)
    if not edit or definition.why_not:
        why = "it was not wished" if not edit else definition.why_not
        text = (
            f"the compose file of {definition.service} is not edited: {why}. Put {world.new_ref} there yourself, or "
            f"the next `docker compose up` brings {old} again"
        )
        yield PlanWarning(code="compose-drift", text=text)
    elif world.target.labels.get(CONFIG_HASH) and not definition.config_hash:
        text = (
            f"the next `docker compose up` makes {world.target.name} anew, once, from the edited file: no compose on "
            "this machine comes to the hash that the container carries, or the file was changed since it was made"
        )
        yield PlanWarning(code="compose-hash", text=text)
