"""The models of a spec: what the user set, and the request made of it; they decide nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from runner.facts import Change, Container, Engine, Fact, Image, Json


class NetworkWish(Fact):
    """One network to join, with the EndpointSettings the user chose (addresses, aliases, …); mostly empty."""

    network: str
    settings: Json = {}


class ContainerSpec(Fact):
    """What the user set: inspect minus the image's defaults minus what the engine filled in.

    Both parts use the engine's own keys, and hold nothing that equals a default. Environment values are inside, in the
    clear, because a container cannot be made without them: print it through ``masked`` or ``spec_lines`` only.
    """

    name: str
    image_id: str
    image_ref: str
    config: Json
    host_config: Json
    networks: tuple[NetworkWish, ...] = ()
    auto_remove: bool = False
    """It ran with ``--rm``. What we create never does: one that vanishes when it stops is no way back."""


class CreateBody(Fact):
    """The body of ``POST /containers/create``, and the networks to ``connect`` afterwards.

    Engines before API 1.44 take one network at creation; the one of ``NetworkMode`` decides the default route.
    """

    body: Json
    connects: tuple[tuple[str, Json], ...] = ()


@dataclass(frozen=True)
class Seen:
    """What a spec is read from; ``names`` tells the names of other containers by id."""

    container: Container
    image: Image
    engine: Engine
    names: Mapping[str, str]
    keep_env: tuple[str, ...] = ()


class SpecWarning(Fact):
    """One thing that an upgrade will lose or change; ``code`` is stable, scripts match it."""

    code: str
    text: str


@dataclass(frozen=True)
class Upgrade:
    """What warnings are drawn from; ``others`` are the other containers of the engine, ``config`` what the user set."""

    container: Container
    old: Image
    new: Image
    changes: tuple[Change, ...]
    others: tuple[Container, ...]
    engine: Engine
    config: Json
