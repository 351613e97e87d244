"""Which networks a container is joined to and what the user chose there; addresses the engine gave are left behind."""

from __future__ import annotations

import re

from pydantic import JsonValue

from runner.facts import Container, Endpoint, Json
from runner.spec.inspected import is_empty, listed, mapping, text, texts
from runner.spec.model import NetworkWish, Seen

# What a user can set on an endpoint; the rest of EndpointSettings is what the engine made of it.
CHOSEN = ("IPAMConfig", "Links", "DriverOpts", "GwPriority")
NO_NETWORK = ("host", "none")
MAC_OF_ENDPOINT_SINCE = (1, 44)


def network_mode(container: Container) -> str:
    """The mode with its default spelled out, and a network's id (or its beginning) turned into its name.

    A recreated network keeps its name, not its id.
    """
    mode = text(container.host_config.get("NetworkMode"))
    if mode in ("", "default"):
        return "bridge"
    known = {each.network for each in container.endpoints}
    by_id = (each.network for each in container.endpoints if len(mode) >= 12 and each.network_id.startswith(mode))
    return mode if mode in known else next(by_id, mode)


def shares_network(container: Container) -> bool:
    """Whether it lives in another container's network: then names, ports and addresses are the other's."""
    return network_mode(container).startswith("container:")


def network_wishes(seen: Seen) -> tuple[NetworkWish, ...]:
    """Each network joined, also those connected after creation, which only the endpoints know."""
    if shares_network(seen.container):
        return ()
    return tuple(
        NetworkWish(network=each.network, settings=chosen_settings(each, seen))
        for each in seen.container.endpoints
        if each.network not in NO_NETWORK
    )


def chosen_settings(endpoint: Endpoint, seen: Seen) -> Json:
    """The endpoint's settings without what the engine gave."""
    settings: Json = {key: endpoint.settings[key] for key in CHOSEN if not is_empty(endpoint.settings.get(key))}
    ipam = {key: value for key, value in mapping(settings.get("IPAMConfig")).items() if not is_empty(value)}
    aliases = chosen_aliases(endpoint.settings.get("Aliases"), seen.container)
    mac = chosen_mac(endpoint, seen)
    settings.pop("IPAMConfig", None)
    return settings | ({"IPAMConfig": ipam} if ipam else {}) | ({"Aliases": aliases} if aliases else {}) | mac


def chosen_aliases(aliases: JsonValue, container: Container) -> JsonValue:
    """The aliases without those that engines before API 1.45 add when it starts: the short id and the host name.

    Kept, one more id piles up at each upgrade. The host name is an alias again by itself wherever it was one.
    """
    added = (container.short_id, container.id, container.config.get("Hostname"))
    return listed([each for each in texts(aliases) if each not in added])


def chosen_mac(endpoint: Endpoint, seen: Seen) -> Json:
    """The endpoint's MAC address where it cannot be one the engine made up.

    Before API 1.44 ``Config.MacAddress`` is the one place for a chosen address; since then the engine does not say. One
    that is not locally administered, or not in the pattern that engines used until API 1.47, was chosen.
    """
    mac = text(endpoint.settings.get("MacAddress")).lower()
    version = api_version(seen.engine.api_version)
    if version < MAC_OF_ENDPOINT_SINCE or not re.fullmatch(r"[0-9a-f]{2}(:[0-9a-f]{2}){5}", mac):
        return {}
    made_up = mac.startswith("02:42:") or (version >= (1, 48) and bool(int(mac[:2], 16) & 2))
    configured = text(seen.container.config.get("MacAddress")).lower() == mac
    return {"MacAddress": mac} if configured or not made_up else {}


def api_version(version: str) -> tuple[int, ...]:
    """An API version such as 1.44 for comparing."""
    return tuple(int(part) for part in re.findall(r"\d+", version)[:2])
