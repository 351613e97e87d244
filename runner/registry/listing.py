"""What is known of a repository's tags, as a frozen fact; where it comes from is not its business."""

from __future__ import annotations

from runner.facts import Fact


class Listing(Fact):
    """The tags of one repository, or why they could not be seen."""

    repository: str
    registry: str = ""
    """Who answered, or should have; empty where nobody was to be asked."""
    tags: tuple[str, ...] = ()
    unseen: str = ""
    """Why nobody answered; empty where the list is whole."""

    @property
    def whole(self) -> bool:
        """Whether what is not listed does not exist."""
        return bool(self.registry) and not self.unseen


def not_asked(repository: str, why: str = "") -> Listing:
    """A repository nobody was asked about."""
    return Listing(repository=repository, unseen=why)
