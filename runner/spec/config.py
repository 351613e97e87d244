"""Which part of an inspected ``Config`` the user set: what equals the image's default is taken as inherited.

It never guesses beyond that; ``keep_env`` is how a user says that an equal value was meant.
"""

from __future__ import annotations

from pydantic import JsonValue

from runner.facts import Json
from runner.labels import ROLE, RUN
from runner.spec.inspected import integer, is_empty, listed, mapping, text, texts
from runner.spec.model import Seen
from runner.spec.mounts import covered, plain_path
from runner.spec.networks import network_mode, shares_network

OUR_LABELS = (RUN, ROLE)
INHERITED = ("User", "WorkingDir", "StopSignal", "Shell")
# Attach… tells how the client that created it was attached, OnBuild matters to builds only: neither is carried.
OWN = ("StopTimeout", "Tty", "OpenStdin", "StdinOnce", "NetworkDisabled")


def user_config(seen: Seen) -> Json:
    """All of ``Config`` that differs from what the image alone would have given."""
    return {
        **user_env(seen),
        **user_command(seen.container.config, seen.image.config),
        **user_labels(seen),
        **user_healthcheck(seen),
        **user_ports(seen),
        **user_volumes(seen),
        **user_host_names(seen),
        **user_plain(seen),
    }


def user_env(seen: Seen) -> Json:
    """The variables set or changed; one that equals the image's belongs to the image (a stale PATH breaks the next)."""
    defaults = set(texts(seen.image.config.get("Env")))
    env = [
        entry
        for entry in texts(seen.container.config.get("Env"))
        if entry not in defaults or entry.partition("=")[0] in seen.keep_env
    ]
    return {"Env": listed(env)} if env else {}


def user_command(config: Json, default: Json) -> Json:
    """Entrypoint and Cmd, decided as a pair: overriding the entrypoint makes the engine forget the image's Cmd."""
    entrypoint, command = config.get("Entrypoint"), config.get("Cmd")
    same_command = command == default.get("Cmd") or (not command and not default.get("Cmd"))
    own_command: Json = {"Cmd": command} if command else {}
    if own_command and config.get("ArgsEscaped") is True:
        own_command["ArgsEscaped"] = True
    if entrypoint == default.get("Entrypoint"):
        if same_command:
            return {}
        # Only an entrypoint given explicitly, equal by chance, can have emptied the image's Cmd.
        return own_command or ({"Entrypoint": entrypoint} if entrypoint else {})
    if entrypoint == []:
        return {"Entrypoint": []} | ({} if same_command else own_command)
    # [""] is how the API says "no entrypoint"; inspect then shows null.
    return {"Entrypoint": entrypoint or [""]} | own_command


def user_labels(seen: Seen) -> Json:
    """The labels that are neither the image's nor ours."""
    labels: Json = {
        key: value
        for key, value in mapping(seen.container.config.get("Labels")).items()
        if seen.image.labels.get(key) != value and key not in OUR_LABELS
    }
    return {"Labels": labels} if labels else {}


def user_healthcheck(seen: Seen) -> Json:
    """The health check's fields that are not the image's: the engine merges them one by one (0 = the image's)."""
    default = mapping(seen.image.config.get("Healthcheck"))
    own = {
        key: value
        for key, value in mapping(seen.container.config.get("Healthcheck")).items()
        if not is_empty(value) and value != default.get(key)
    }
    return {"Healthcheck": own} if own else {}


def user_ports(seen: Seen) -> Json:
    """The ports exposed beyond the image's and the published ones (``create_body`` exposes those by itself)."""
    if shares_network(seen.container):
        return {}
    known = {*mapping(seen.image.config.get("ExposedPorts")), *mapping(seen.container.host_config.get("PortBindings"))}
    ports: Json = {port: {} for port in sorted(mapping(seen.container.config.get("ExposedPorts"))) if port not in known}
    return {"ExposedPorts": ports} if ports else {}


def user_volumes(seen: Seen) -> Json:
    """The anonymous volumes asked for that have no mount: those that have one are named in ``Binds`` from now on."""
    known = {plain_path(path) for path in mapping(seen.image.config.get("Volumes"))}
    known |= covered(seen.container.host_config) | {plain_path(each.destination) for each in seen.container.mounts}
    asked = mapping(seen.container.config.get("Volumes"))
    volumes: Json = {path: {} for path in sorted(asked) if plain_path(path) not in known}
    return {"Volumes": volumes} if volumes else {}


def user_host_names(seen: Seen) -> Json:
    """Host name, domain and MAC address where they are the user's: the default host name is the short id."""
    if shares_network(seen.container):
        return {}
    config = seen.container.config
    keys = {"Domainname", "MacAddress"} | ({"Hostname"} if has_own_hostname(seen) else set())
    return {key: config[key] for key in sorted(keys) if not is_empty(config.get(key))}


def has_own_hostname(seen: Seen) -> bool:
    """Whether the host name is neither the short id nor, on the host's network, the host's."""
    hostname = text(seen.container.config.get("Hostname"))
    if len(hostname) >= 12 and seen.container.id.startswith(hostname):
        return False
    return not (network_mode(seen.container) == "host" and hostname == seen.engine.name)


def user_plain(seen: Seen) -> Json:
    """Single values: inherited ones where they differ from the image's, others where they are set at all."""
    config, default = seen.container.config, seen.image.config
    chosen: Json = {key: config[key] for key in INHERITED if is_chosen(config.get(key), default.get(key))}
    own: Json = {key: config[key] for key in OWN if not is_empty(config.get(key)) or is_zero_timeout(key, config)}
    return chosen | own


def is_chosen(value: JsonValue, default: JsonValue) -> bool:
    """Whether a value is set and not the image's."""
    return not is_empty(value) and value != default


def is_zero_timeout(key: str, config: Json) -> bool:
    """A stop timeout of 0 (kill at once) is a choice; null is the engine's ten seconds."""
    return key == "StopTimeout" and config.get(key) is not None and integer(config.get(key)) == 0
