"""The order in which the containers of a stack are started, from what each needs of the others; it asks nobody."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from runner.compose.project import DEPENDS_ON, PROJECT, SERVICE
from runner.errors import Refused
from runner.facts import Container
from runner.labels import READERS, ROLE
from runner.recipes.loader import recipe_for_image
from runner.spec.inspected import mapping, text, texts
from runner.spec.warn_settings import MODES, ways_of_depending
from runner.way import repository

DATABASES = ("postgres", "mariadb", "mysql", "mongodb")
"""The recipes that are meant where a product's rules say “database”."""


Pairs = frozenset[tuple[str, str]]
"""Who needs whom, by id."""


def in_order(members: tuple[Container, ...], written: Pairs = frozenset()) -> tuple[Container, ...]:
    """Each after all it needs, else as given; Refused ``stack-cycle`` where they need each other.

    ``written`` are needs that no label and no setting of theirs tells.
    """
    left, done = list(members), list[Container]()
    while left:
        known = {each.id for each in done}
        ready = next((each for each in left if {need.id for need in needs_of(each, members, written)} <= known), None)
        if ready is None:
            raise _cycle(left, written)
        left.remove(ready)
        done.append(ready)
    return tuple(done)


def _cycle(left: list[Container], written: Pairs) -> Refused:
    needs = (
        f"{each.name} needs {', '.join(need.name for need in needs_of(each, tuple(left), written))}" for each in left
    )
    what = f"There is no order in which these could be started: {'; '.join(needs)}."
    return Refused("stack-cycle", what, then="Upgrade them one by one, or leave one out of the stack.")


def needs_of(container: Container, among: tuple[Container, ...], written: Pairs = frozenset()) -> tuple[Container, ...]:
    """The others that must run before it does."""
    others = (each for each in among if each.id != container.id)
    return tuple(each for each in others if _needs(container, each, written))


def _needs(container: Container, other: Container, written: Pairs) -> bool:
    if _refers_to(container, other) or (container.id, other.id) in written:
        return True
    firm = _refers_to(other, container) or (other.id, container.id) in written
    return _comes_after(container, other) and not firm


def _refers_to(container: Container, other: Container) -> bool:
    """Whether its own settings say so; they count for more than a product's rules."""
    looks = (lives_on, _is_depended_on, _has_volumes_from, _is_linked)
    return any(look(container, other) for look in looks)


def lives_on(container: Container, other: Container) -> bool:
    """Whether it refers to the very container of another, which a new one would not be: namespaces, old links."""
    return any(ways_of_depending(container, other))


def shares_namespace(container: Container, other: Container) -> bool:
    """Whether it lives in the network, pid or ipc namespace of another."""
    refs = {f"container:{ref}" for ref in (other.id, other.short_id, other.name)}
    return any(text(container.host_config.get(mode)) in refs for mode in MODES)


def _is_depended_on(container: Container, other: Container) -> bool:
    """As compose notes it: ``db:service_healthy:false,cache:service_started:true``."""
    noted = container.labels.get(DEPENDS_ON, "").split(",")
    services = {each.partition(":")[0].strip() for each in noted}
    same = container.labels.get(PROJECT, "") == other.labels.get(PROJECT)
    return same and other.labels.get(SERVICE, "") in services - {""}


def _has_volumes_from(container: Container, other: Container) -> bool:
    named = {each.partition(":")[0] for each in texts(container.host_config.get("VolumesFrom"))}
    return bool(named & {other.id, other.short_id, other.name})


def _is_linked(container: Container, other: Container) -> bool:
    links = (link for endpoint in container.endpoints for link in texts(mapping(endpoint.settings).get("Links")))
    return any(link.partition(":")[0].lstrip("/") in (other.name, other.id) for link in links)


def _comes_after(container: Container, other: Container) -> bool:
    """Whether the recipe of one of them says so."""
    mine, theirs = (recipe_for_image(repository(each.image_ref)) for each in (container, other))
    if mine is None or theirs is None:
        return False
    first = {each.component for each in mine.coupled if each.order == "before"}
    later = {each.component for each in theirs.coupled if each.order == "after"}
    stores = any(each.component == "database" for each in mine.coupled) and theirs.name in DATABASES
    return stores or theirs.name in first or mine.name in later


def recreated(members: tuple[Container, ...], changed: frozenset[str]) -> frozenset[str]:
    """The ids of those that need a new container: ``changed``, and whoever lives on one of them."""
    found = changed
    while more := frozenset(_followers(members, found)):
        found |= more
    return found


def _followers(members: tuple[Container, ...], found: frozenset[str]) -> Iterator[str]:
    moved = tuple(each for each in members if each.id in found)
    for each in members:
        if each.id not in found and any(lives_on(each, other) for other in moved):
            yield each.id


def with_tenants(container: Container, everyone: tuple[Container, ...]) -> tuple[Container, ...]:
    """A container with those that live in its namespaces, and in theirs."""
    found = {container.id: container}
    while more := {each.id: each for each in everyone if each.id not in found and _is_tenant(each, found.values())}:
        found |= more
    return tuple(found.values())


def _is_tenant(each: Container, hosts: Iterable[Container]) -> bool:
    if not each.state.alive or each.labels.get(ROLE) in READERS:
        return False
    return any(shares_namespace(each, host) for host in hosts)
