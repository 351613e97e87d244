"""The rehearsal of a stack as names: what each member's copy is called and whom it reaches; it makes nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from runner.isolation import Props, StandsFor, shown_mounts
from runner.plan import Member, Plan
from runner.rehearsal import Belongings, Scene
from runner.spec import ContainerSpec, NetworkWish, split_networks
from runner.spec.inspected import mapping, text, texts
from runner.vault.port import Room, Source
from runner.world import World

HOST = "host"


@dataclass(frozen=True)
class Cast:
    """One member as it is meant: its share of the plan, its world, and what the user set on it."""

    member: Member
    world: World
    spec: ContainerSpec


def stack_scene(plan: Plan, cast: tuple[Cast, ...], snapshots: Mapping[str, Room]) -> Scene:
    """Every name of the rehearsal of a stack; ``snapshots`` are those that were there before, by target.

    Data that several members have is in the scene of the one whose snapshot has it, and nowhere else.
    """
    every = tuple(source for each in cast for source in each.member.sources)
    lodgers = {f"container:{each.member.target}" for each in cast}
    apart = (each for each in cast if text(each.spec.host_config.get("NetworkMode")) not in lodgers)
    networks = dict.fromkeys(name for each in apart for name in networks_of(each.spec))
    whole = Scene(
        run=plan.run,
        target=plan.target,
        target_id="",
        engine_id=plan.engine_id,
        place=plan.place,
        room=Room(place=plan.place, target=plan.target, run=plan.run),
        borrowed=False,
        sources=(),
        clones={},
        networks={name: f"refloat-rehearsal-{plan.run}-{number}" for number, name in enumerate(networks, 1)},
    )
    members = (_of_member(whole, number, each, every, snapshots) for number, each in enumerate(cast, 1))
    return whole.model_copy(update={"members": tuple(members)})


def _of_member(whole: Scene, number: int, one: Cast, every: tuple[Source, ...], snapshots: Mapping[str, Room]) -> Scene:
    member = one.member
    own = {source.key for source in member.sources}
    things = Belongings(
        sources=member.sources,
        files=tuple(each.key for each in one.world.measured if each.is_file and each.key in own),
        shown=shown_mounts(one.world.target, every),
    )
    return Scene(
        **things.model_dump(),
        run=member.run,
        target=member.target,
        target_id=member.container_id,
        engine_id=whole.engine_id,
        place=whole.place,
        room=snapshots.get(member.target) or Room(place=whole.place, target=member.target, run=member.run),
        borrowed=member.target in snapshots,
        clones={source.key: f"refloat-clone-{member.run}-{source.key}" for source in things.sources},
        copies={source.key: f"refloat-clone-{member.run}-{source.key}" for source in things.shown},
        within=whole.run,
        part=number,
    )


def networks_of(spec: ContainerSpec) -> tuple[str, ...]:
    """The networks a container is on, the one that decides its default route first.

    Whoever is on the host's, or on that of a container nobody rehearses, is on one that is called the host's.
    """
    first, others = split_networks(spec)
    if first is None:
        return () if text(spec.host_config.get("NetworkMode")) == "none" else (HOST,)
    return tuple(each.network for each in (first, *others))


def props_of(whole: Scene, cast: tuple[Cast, ...], one: Cast, things: tuple[StandsFor, ...]) -> Props:
    """What a member's copy gets; ``things`` stand for the data of all members, and for what it reads itself."""
    wishes = tuple(
        NetworkWish(network=whole.networks[name], settings={"Aliases": [*_names_on(name, one, cast)]})
        for name in networks_of(one.spec)
        if name in whole.networks
    )
    first = wishes[0] if wishes else NetworkWish(network="none")
    scenes = {each.target: each for each in whole.members}
    return Props(
        network=first.network,
        aliases=texts(first.settings.get("Aliases")),
        things=things,
        free_memory_bytes=max(each.world.space.free_memory_bytes for each in cast),
        more=wishes[1:],
        shared={f"container:{name}": f"container:{scene.stand_in}" for name, scene in scenes.items()},
        sharers=sum(each.world.target.state.alive for each in cast),
    )


def _names_on(network: str, one: Cast, cast: tuple[Cast, ...]) -> tuple[str, ...]:
    """Its name, its aliases there, and what those call it who have a link to it."""
    chosen = (alias for wish in one.spec.networks if wish.network == network for alias in _texts(wish, "Aliases"))
    linked = (
        alias or one.member.target
        for other in cast
        if network in networks_of(other.spec)
        for source, _, alias in (link.partition(":") for link in _links(other.spec, network))
        if source.lstrip("/") in (one.member.target, one.member.container_id)
    )
    return tuple(dict.fromkeys((one.member.target, *chosen, *linked)))


def _links(spec: ContainerSpec, network: str) -> Iterator[str]:
    yield from texts(spec.host_config.get("Links"))
    for wish in spec.networks:
        if wish.network == network:
            yield from _texts(wish, "Links")


def _texts(wish: NetworkWish, key: str) -> tuple[str, ...]:
    return texts(mapping(wish.settings).get(key))
