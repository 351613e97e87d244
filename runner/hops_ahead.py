"""Which hops lead from a target to its goal where one upgrade may not go straight there; it plans none of them."""

from __future__ import annotations

from runner.catalogue import Catalogue
from runner.engine.port import EnginePort
from runner.facts import Container, Fact
from runner.goal import Goal, home_of
from runner.outlook import refusal_of_hop
from runner.paths import Path, find_path
from runner.prospects import Ask, Standpoint, known_releases, local_tags, standpoint, tag_of
from runner.recipes.tags import read_tag, tags_by_release
from runner.registry.listing import not_asked
from runner.versions import Release
from runner.way import repository


class HopsAhead(Fact):
    """A path as it will be carried out; all three in order, the start left out of ``tags`` and ``versions``."""

    target: str
    start: str
    versions: tuple[str, ...]
    tags: tuple[str, ...]
    notices: tuple[str, ...] = ()
    """How the goal was found, such as what is newer but barred."""

    again: str = ""
    """What carries out the rest where it was cut off; empty where that is the plain command."""

    @property
    def command(self) -> str:
        """What carries it out, or the rest of it."""
        return self.again or f"refloat apply {self.target} --to {self.tags[-1]}"

    @property
    def spoken(self) -> str:
        """The whole path."""
        return " → ".join((self.start, *self.versions))


def hops_ahead(engine: EnginePort, target: Container, goal: Goal, ask: Ask, *, force: bool = False) -> HopsAhead | None:
    """The hops to a goal that has its tag; None where one upgrade will do, or where no path is known."""
    image = engine.image(target.image_id)
    home = home_of(target, image) if goal.to else repository(goal.image)
    tag = goal.to or goal.image[len(home) + 1 :]
    at = standpoint(engine, target, image, home) if home == repository(target.image_ref) else None
    into = read_tag(at.recipe, home, tag)[0] if at and "@" not in tag else None
    if at is None or into is None or into == at.current or into.edition != at.current.edition:
        return None
    here = local_tags(engine, home)
    known = tags_by_release(at.recipe, home, (*here, tag), at.variant)
    if refusal_of_hop(at.recipe, at.current, into, known_releases(at, known, not_asked(home)), force=force) is None:
        return None
    listing = ask(home) if goal.pull != "never" else not_asked(home)
    known |= tags_by_release(at.recipe, home, listing.tags, at.variant)
    return _hops(target.name, at, into, known, known_releases(at, known, listing), force=force)


def _hops(name: str, at: Standpoint, into: Release, tags: dict[Release, str], among: Catalogue,
          *, force: bool) -> HopsAhead | None:  # fmt: skip
    found = find_path(at.recipe, at.current, into, among, force=force)
    if not isinstance(found, Path) or len(found.hops) < 2:
        return None
    return HopsAhead(
        target=name,
        start=at.current.text,
        versions=tuple(one.text for one in found.hops),
        tags=tuple(tag_of(at, tags, one) for one in found.hops),
    )
