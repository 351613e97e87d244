"""What an upgrade will lose or change, said before anything happens; it reads facts only and prevents nothing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from runner.facts import Change, Container, Engine, Fact, Image


class SpecWarning(Fact):
    """One thing that an upgrade will lose or change; ``code`` is stable, scripts match it."""

    code: str
    text: str


@dataclass(frozen=True)
class Upgrade:
    """The facts that the warnings are drawn from."""

    container: Container
    old: Image
    new: Image
    changes: tuple[Change, ...]
    others: tuple[Container, ...]
    engine: Engine


def spec_warnings(container: Container, old_image: Image, new_image: Image, changes: tuple[Change, ...],
                  others: tuple[Container, ...], engine: Engine) -> tuple[SpecWarning, ...]:  # fmt: skip
    """What an upgrade from the old image to the new one will lose or change; ``others`` are the other containers."""
    upgrade = Upgrade(container, old_image, new_image, changes, others, engine)
    return tuple(warning for rule in RULES for warning in rule(upgrade))


def auto_remove_warnings(upgrade: Upgrade) -> Iterator[SpecWarning]:
    """Warn about a container that vanishes when it stops."""
    if upgrade.container.host_config.get("AutoRemove") is True:
        yield SpecWarning(code="auto-remove", text="It runs with --rm: the engine removes it as soon as it stops.")


RULES = (auto_remove_warnings,)
