"""What an upgrade will lose or change, said before anything happens; it draws on facts only and prevents nothing."""

from __future__ import annotations

from runner.facts import Change, Container, Engine, Image
from runner.spec.config import user_config
from runner.spec.model import Seen, SpecWarning, Upgrade
from runner.spec.warn_data import DATA_RULES
from runner.spec.warn_settings import SETTINGS_RULES


def spec_warnings(container: Container, old_image: Image, new_image: Image, changes: tuple[Change, ...],
                  others: tuple[Container, ...], engine: Engine) -> tuple[SpecWarning, ...]:  # fmt: skip
    """What an upgrade from the old image to the new one will lose or change.

    ``changes`` are those of the container's own filesystem; ``others`` are all containers of the engine (it may be
    among them).
    """
    config = user_config(Seen(container, old_image, engine, {}))
    others = tuple(each for each in others if each.id != container.id)
    upgrade = Upgrade(container, old_image, new_image, changes, others, engine, config)
    return tuple(warning for rule in (*DATA_RULES, *SETTINGS_RULES) for warning in rule(upgrade))
