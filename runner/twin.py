"""The old version on clones of the very snapshot the way back leads to, beside the new one; it never decides a verdict.

It starts while the new version does, so nobody waits for it afterwards. The way back itself is played all the same.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from runner.errors import RefloatError
from runner.facts import Container, Usage
from runner.isolation import Isolated, StandsFor, yielding
from runner.rehearsal import Scene
from runner.session import Session
from runner.staging import make_twin, make_twin_clones, strike_twin
from runner.world import World

WORTH_S = 2.0
"""What is up sooner is waited for after the new version: making a twin takes as long."""
ROOMY = 4
"""How many times what the old version took at its peak must be free: production keeps its breath."""


def is_worth_it(settle_s: float, used: Usage | None, free_memory_bytes: int) -> bool:
    """Whether the old version is to start beside the new one: it takes long to come up, and there is memory for two."""
    peak_bytes = used.peak_bytes if used and used.peak_bytes else 0
    return settle_s >= WORTH_S and 0 < ROOMY * peak_bytes <= free_memory_bytes


@dataclass
class Twin:
    """Makes the twin as soon as the new version is started, and takes it away before anything of it is undone."""

    session: Session
    scene: Scene
    world: World
    isolated_on: Callable[[tuple[StandsFor, ...]], Isolated]
    """The old version as a copy on the twin's network, with these things in place of its data."""
    container: Container | None = None
    """The twin, once it is there; None where it could not be made: then the old version is waited for afterwards."""

    def heard_by(self, session: Session) -> Session:
        """The same session, whose steps this hears of."""

        def announce(boundary: str) -> None:
            session.announce(boundary)
            self._hear(boundary)

        return replace(session, announce=announce)

    def _hear(self, boundary: str) -> None:
        if boundary == "did start-successor":
            self._make()
        elif boundary.startswith("meant undo:") and self.container:
            self.container = None
            strike_twin(self.session, self.scene)

    def _make(self) -> None:
        try:
            copy = yielding(self.isolated_on(make_twin_clones(self.session, self.scene)))
            self.container = make_twin(self.session, self.scene, self.world, copy)
        except RefloatError:
            strike_twin(self.session, self.scene)
