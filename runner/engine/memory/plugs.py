"""What the daemon fills into an endpoint while a container runs: addresses, MAC, an alias; it joins nothing."""

from __future__ import annotations

from runner.engine.parse import part, text, texts
from runner.facts import Container, Endpoint, Json

SETTINGS_DEFAULTS: Json = {
    "IPAMConfig": None, "Links": None, "Aliases": None, "NetworkID": "", "EndpointID": "", "Gateway": "",
    "IPAddress": "", "IPPrefixLen": 0, "IPv6Gateway": "", "GlobalIPv6Address": "", "GlobalIPv6PrefixLen": 0,
    "MacAddress": "", "DriverOpts": None,
}  # fmt: skip
FLEETING: Json = {"EndpointID": "", "Gateway": "", "IPAddress": "", "IPPrefixLen": 0, "MacAddress": ""}
WITHOUT_NAMES = ("bridge", "host", "none")
WITHOUT_ADDRESSES = ("host", "none")


def static_address(endpoint: Endpoint) -> str:
    """The address the user chose; empty where the engine chooses."""
    return text(part(endpoint.settings, "IPAMConfig"), "IPv4Address")


def plugged(container: Container, number: int) -> Container:
    """Yield the container as it looks while it runs; ``number`` makes its addresses unlike any other's."""
    endpoints = tuple(plugged_in(each, container.short_id, number) for each in container.endpoints)
    return container.model_copy(update={"endpoints": endpoints})


def plugged_in(endpoint: Endpoint, short_id: str, number: int) -> Endpoint:
    """Fill one endpoint. Its id becomes an alias and stays one, which is how aliases pile up when copied unseen."""
    if endpoint.network in WITHOUT_ADDRESSES:
        return endpoint
    low, high = number % 250 + 2, number // 250 % 250
    address = static_address(endpoint) or f"172.31.{high}.{low}"
    filled: Json = {
        "EndpointID": f"{number:064x}",
        "Gateway": "172.31.0.1",
        "IPAddress": address,
        "IPPrefixLen": 16,
        "MacAddress": text(endpoint.settings, "MacAddress") or f"02:42:ac:1f:{high:02x}:{low:02x}",
    }
    aliases = texts(endpoint.settings.get("Aliases"))
    if endpoint.network not in WITHOUT_NAMES and short_id not in aliases:
        filled["Aliases"] = [*aliases, short_id]
    return endpoint.model_copy(update={"address": address, "settings": {**endpoint.settings, **filled}})


def unplugged(container: Container) -> Container:
    """Yield the container as it looks when it has ended."""
    endpoints = tuple(
        each.model_copy(update={"address": "", "settings": {**each.settings, **FLEETING}})
        for each in container.endpoints
    )
    return container.model_copy(update={"endpoints": endpoints})
