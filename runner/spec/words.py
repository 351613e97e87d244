"""A spec in words, and two specs compared in words; values that may be secret are never in them."""

from __future__ import annotations

import json
from collections.abc import Iterator

from pydantic import JsonValue

from runner.facts import Json
from runner.spec.inspected import mapping
from runner.spec.model import ContainerSpec, NetworkWish
from runner.spec.secrets import masked_value

# Objects that are one value in people's eyes, although they are JSON objects.
ONE_VALUE = ("RestartPolicy", "LogConfig")


def masked(spec: ContainerSpec) -> ContainerSpec:
    """The spec with every environment value, and all else that looks like a secret, hidden."""
    networks = tuple(
        NetworkWish(network=each.network, settings=mapping(masked_value("", each.settings))) for each in spec.networks
    )
    changed = {
        "config": mapping(masked_value("", spec.config)),
        "host_config": mapping(masked_value("", spec.host_config)),
        "networks": networks,
    }
    return spec.model_copy(update=changed)


def spec_lines(spec: ContainerSpec) -> tuple[str, ...]:
    """What the user set, one setting a line, masked."""
    return tuple(line(about, value) for about, value in settings(masked(spec)))


def differences(before: ContainerSpec, after: ContainerSpec) -> tuple[str, ...]:
    """What differs between two specs, masked; their names and images are not compared."""
    old, new = facts_of(before), facts_of(after)
    return tuple(
        line
        for about in [*old, *(each for each in new if each not in old)]
        if (line := difference(about, old.get(about), new.get(about)))
    )


Shown = tuple[str, str]


def facts_of(spec: ContainerSpec) -> dict[str, Shown]:
    """Each setting's true value, for comparing, and its masked one, for saying."""
    pairs = zip(settings(spec), settings(masked(spec)), strict=True)
    return {about: (value, shown) for (about, value), (_, shown) in pairs}


def difference(about: str, old: Shown | None, new: Shown | None) -> str:
    """One difference in words; empty when there is none."""
    if old == new:
        return ""
    if old is None or new is None:
        there = old or new or ("", "")
        return line(about, there[1]) + (" is new" if old is None else " is gone")
    if old[1] == new[1]:
        return f"{about} has another value, not shown here"
    return f"{about} was {old[1]}, is {new[1]}"


def line(about: str, value: str) -> str:
    """One setting in words."""
    return f"{about} {value}".rstrip()


def settings(spec: ContainerSpec) -> Iterator[Shown]:
    """Each setting as what it is about, unique, and its value."""
    for key, value in [*sorted(spec.config.items()), *sorted(spec.host_config.items())]:
        yield from settings_of(key, value)
    for wish in sorted(spec.networks, key=lambda each: each.network):
        yield f"Network {wish.network}", ""
        for key, value in sorted(wish.settings.items()):
            yield f"Network {wish.network} {key}", plain(value)
    if spec.auto_remove:
        yield "AutoRemove", ""


def settings_of(key: str, value: JsonValue) -> Iterator[Shown]:
    """The settings under one key: a variable, label or mount is one of its own."""
    if isinstance(value, dict) and value and key not in ONE_VALUE:
        for name, each in sorted(value.items()):
            yield f"{key} {name}", plain(each)
    elif key == "Env" and isinstance(value, list):
        yield from variables(value)
    elif isinstance(value, list) and value and key not in ("Cmd", "Entrypoint"):
        yield from items(key, value)
    else:
        yield key, plain(value)


def variables(env: list[JsonValue]) -> Iterator[Shown]:
    """Environment variables; the last of several of one name is the one that counts, as for a process."""
    last = dict(str(entry).partition("=")[::2] for entry in env)
    for name, value in sorted(last.items()):
        yield f"Env {name}", value


def items(key: str, values: list[JsonValue]) -> Iterator[Shown]:
    """The entries of a list: texts by themselves, objects by what names them."""
    for index, each in enumerate(values):
        if isinstance(each, dict):
            yield f"{key} {name_of(each, index)}", plain(each)
        else:
            yield f"{key} {plain(each)}", ""


def name_of(entry: Json, index: int) -> str:
    """What an entry is recognised by."""
    names = ("Target", "PathInContainer", "Name", "Path", "Driver")
    return next((str(entry[key]) for key in names if entry.get(key)), str(index))


def plain(value: JsonValue) -> str:
    """A value as people write it: texts bare, all else as JSON."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, sort_keys=True)
