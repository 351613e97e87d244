"""One container of the memory engine and what inspect does not show of it; it does nothing by itself."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from runner.facts import Container


@dataclass
class Cell:
    """One container and what inspect does not show."""

    container: Container
    anonymous: frozenset[str] = frozenset()
    layer: dict[str, str] = field(default_factory=dict)
    log: list[str] = field(default_factory=list)
    looks: int = 0
    stopped_by_hand: bool = False

    def set_state(self, **changes: object) -> None:
        """Replace parts of the state."""
        state = self.container.state.model_copy(update=changes)
        self.container = self.container.model_copy(update={"state": state})

    def fork(self) -> Cell:
        """Copy what changes; the facts are frozen and shared."""
        return replace(self, layer=dict(self.layer), log=list(self.log))

    @property
    def alive(self) -> bool:
        """Whether it has, or may get by itself, a process."""
        return self.container.state.alive
