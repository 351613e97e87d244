"""All that a planner looks at, as one frozen fact, and what a plan relies on in it; it reads nothing itself."""

from __future__ import annotations

import hashlib
import json

from runner.compose.project import Definition
from runner.facts import Change, Container, Engine, Fact, Image, Volume
from runner.plan import Expectation
from runner.vault.configuration import Refreshed, RefreshOrder
from runner.vault.port import Measured, Source, Space, VaultPlace

SPARE = 1.1
"""How much more than what a snapshot adds must be free: for what is written while it is taken."""
SPARE_BYTES = 16 * 1024 * 1024
"""For manifests, folders and papers."""
SPARE_INODES = 1000


class Inquired(Fact):
    """What the old version answered to one of its recipe's questions before an upgrade."""

    name: str
    listing: bool = False
    """Whether it lists what people added, rather than checks whether an upgrade may begin."""
    items: tuple[str, ...] = ()
    """The first of what is listed."""
    count: int = 0
    """How many there are in all."""
    limits: tuple[tuple[str, str], ...] = ()
    """Items that say from which release on they are outdated, with that release."""
    refused: str = ""
    """What a check said against an upgrade; empty where it passed."""
    unheard: str = ""
    """Why there is no answer; empty where there is one."""
    why: str = ""
    source: str = ""


class Installed(Fact):
    """What a container itself, and not its image, says of versions; empty where nobody asked or it does not say."""

    program: str = ""
    """What runs, asked only where the image does not say it."""
    data: str = ""
    """What its data is of."""
    data_parts: int = 4
    """How many numbers of its version the data tells."""
    where: str = ""
    """What says so of the data, in words."""
    unread: str = ""
    """Why nothing says what there should be, in words; empty where all is said."""


class Refreshing(Fact):
    """The configuration an upgrade refreshes, and what that came to when it was looked at."""

    order: RefreshOrder
    found: Refreshed


class World(Fact):
    """One target and its surroundings at one moment."""

    engine: Engine
    target: Container
    old_image: Image
    new_image: Image
    new_ref: str
    others: tuple[Container, ...]
    """Every other container of the engine, stopped ones too."""
    changes: tuple[Change, ...]
    sources: tuple[Source, ...]
    volumes: tuple[Volume, ...] = ()
    """Those of the sources that are volumes, as the engine keeps them."""
    place: VaultPlace
    measured: tuple[Measured, ...]
    space: Space
    refresh: Refreshing | None = None
    definition: Definition | None = None
    """The files that name its image, where compose made it and somebody looked."""
    notices: tuple[str, ...] = ()
    """What was odd while looking, such as a registry that did not answer."""
    inquired: tuple[Inquired, ...] = ()
    installed: Installed = Installed()
    tags: tuple[str, ...] = ()
    """All tags of the target's repository, where it mattered and its registry told them; else nothing is known."""

    @property
    def size_bytes(self) -> int:
        """All data of the target."""
        return sum(measured.size_bytes for measured in self.measured)

    @property
    def entries(self) -> int:
        """All files, folders and others of the target's data."""
        return sum(measured.entries for measured in self.measured)

    @property
    def new_bytes(self) -> int:
        """What a snapshot would add to the vault."""
        return sum(measured.new_bytes for measured in self.measured)

    @property
    def new_entries(self) -> int:
        """The inodes a snapshot would take."""
        return sum(measured.new_entries for measured in self.measured)

    @property
    def needed_bytes(self) -> int:
        """What must be free for a snapshot, with what is written meanwhile and the manifests."""
        return int(self.new_bytes * SPARE) + SPARE_BYTES if self.sources else 0

    @property
    def empty_volumes(self) -> frozenset[str]:
        """The target's volumes with nothing in them but their own top."""
        empty = {measured.key for measured in self.measured if measured.entries <= 1}
        return frozenset(source.volume for source in self.sources if source.volume and source.key in empty)


def expectations(world: World) -> tuple[Expectation, ...]:
    """What the plan relies on; each is compared as text when the plan is applied."""
    target = world.target
    mounts = ", ".join(f"{source.spoken} on {source.destination}" for source in world.sources)
    return (
        Expectation(about="engine", was=world.engine.id),
        Expectation(about=f"container {target.name}", was=target.id),
        Expectation(about=f"image of {target.name}", was=target.image_id),
        Expectation(about=f"image {world.new_ref}", was=world.new_image.id),
        Expectation(about="mounts", was=mounts),
        Expectation(about="networks", was=", ".join(sorted(endpoint.network for endpoint in target.endpoints))),
        Expectation(about="settings", was=_fingerprint(target)),
    )  # fmt: skip


def _fingerprint(target: Container) -> str:
    """Short and not to be turned back: HostConfig holds no secret values of the environment."""
    text = json.dumps(target.host_config, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def changed_since(planned: tuple[Expectation, ...], now: tuple[Expectation, ...]) -> tuple[str, ...]:
    """What changed between plan and now, in words."""
    seen = {expectation.about: expectation.was for expectation in now}
    return tuple(
        f"{one.about}: was {one.was or 'nothing'}, is {seen.get(one.about) or 'nothing'}"
        for one in planned
        if seen.get(one.about, "") != one.was
    )
