"""Warnings about settings: what changes, what ends with the old container, who depends on it; they prevent none."""

from __future__ import annotations

import re
from collections.abc import Iterator

from runner.facts import Container, Json
from runner.spec.inspected import mapping, objects, text, texts
from runner.spec.model import SpecWarning, Upgrade
from runner.spec.networks import network_mode

MODES = ("NetworkMode", "PidMode", "IpcMode")


def removal_warnings(upgrade: Upgrade) -> Iterator[SpecWarning]:
    """Warn about a container that vanishes when it stops."""
    if upgrade.container.host_config.get("AutoRemove") is True:
        said = "It runs with --rm: the engine removes it when it stops, so a way back creates it anew; without --rm"
        yield SpecWarning(code="auto-remove", text=said)


def port_warnings(upgrade: Upgrade) -> Iterator[SpecWarning]:
    """Warn about published ports that will not be the same ones."""
    for port, bindings in sorted(mapping(upgrade.container.host_config.get("PortBindings")).items()):
        chosen = [text(each.get("HostPort")) for each in objects(bindings)]
        if any(each in ("", "0") or "-" in each for each in chosen):
            yield picked(f"Port {port} is published on a port that the engine picks")
        if port in exposed(upgrade.old.config) and port not in exposed(upgrade.new.config):
            said = f"Port {port} is published, but the new image no longer exposes it: it may listen elsewhere"
            yield SpecWarning(code="port-moved", text=said)
    if upgrade.container.host_config.get("PublishAllPorts") is True:
        yield picked("All exposed ports are published on ports that the engine picks")


def picked(what: str) -> SpecWarning:
    """The warning for an ephemeral port."""
    return SpecWarning(code="ephemeral-port", text=f"{what}: it will be another one afterwards")


def exposed(config: Json) -> Json:
    """The ports an image exposes."""
    return mapping(config.get("ExposedPorts"))


def downgrade_warnings(upgrade: Upgrade) -> Iterator[SpecWarning]:
    """Warn where the images' version labels say that this goes backwards."""
    old, new = upgrade.old.version, upgrade.new.version
    if numbers(new) and numbers(new) < numbers(old):
        said = f"By its label the new image is older: {new} instead of {old}. Most products cannot read newer data"
        yield SpecWarning(code="downgrade", text=said)


def numbers(version: str) -> tuple[int, ...]:
    """The leading numbers of a version; empty where it does not begin with one. 1.0 and 1 are the same."""
    match = re.match(r"v?(\d+(?:\.\d+)*)", version)
    found = [int(each) for each in match[1].split(".")] if match else []
    while len(found) > 1 and found[-1] == 0:
        found.pop()
    return tuple(found)


def dependent_warnings(upgrade: Upgrade) -> Iterator[SpecWarning]:
    """Warn about containers that refer to this one by its id: they go on referring to the old one."""
    for other in upgrade.others:
        for how in ways_of_depending(other, upgrade.container):
            said = f"Container {other.name} {how} this container; it must be recreated to follow it"
            yield SpecWarning(code="dependent", text=said)


def ways_of_depending(other: Container, container: Container) -> Iterator[str]:
    """How one container depends on another: shared namespaces, links."""
    refs = {f"container:{ref}" for ref in (container.id, container.short_id, container.name)}
    for mode in MODES:
        if text(other.host_config.get(mode)) in refs:
            yield f"uses the {mode.removesuffix('Mode').lower()} of"
    if any(link.startswith(f"/{container.name}:") for link in texts(other.host_config.get("Links"))):
        yield "has a link to"


def neighbour_warnings(upgrade: Upgrade) -> Iterator[SpecWarning]:
    """Warn where the container lives in another container's namespace that is no longer there."""
    known = {ref for each in upgrade.others for ref in (each.id, each.short_id, each.name)}
    modes = [network_mode(upgrade.container), *(text(upgrade.container.host_config.get(mode)) for mode in MODES[1:])]
    for mode in modes:
        kind, _, ref = mode.partition(":")
        if kind == "container" and ref not in known:
            said = f"It shares what a container {ref[:12]} has, which is gone: it cannot be created again like that"
            yield SpecWarning(code="missing-neighbour", text=said)


def health_warnings(upgrade: Upgrade) -> Iterator[SpecWarning]:
    """Warn where the new image stops saying what healthy means."""
    old, new = mapping(upgrade.old.config.get("Healthcheck")), mapping(upgrade.new.config.get("Healthcheck"))
    if old.get("Test") and not new.get("Test") and "Test" not in mapping(upgrade.config.get("Healthcheck")):
        yield SpecWarning(code="healthcheck-dropped", text="The new image has no health check any more")


def override_warnings(upgrade: Upgrade) -> Iterator[SpecWarning]:
    """Warn where a setting of the user's stands over a default that the new image changed."""
    old, new = upgrade.old.config, upgrade.new.config
    for key in ("Entrypoint", "Cmd", "User", "WorkingDir"):
        if key in upgrade.config and (old.get(key) or None) != (new.get(key) or None):
            said = f"{key} is set on the container, so the new image's changed {key} does not take effect"
            yield SpecWarning(code="override", text=said)
    changed = set(texts(new.get("Env"))) - set(texts(old.get("Env")))
    own = {entry.partition("=")[0] for entry in texts(upgrade.config.get("Env"))}
    for name in sorted({entry.partition("=")[0] for entry in changed} & own):
        said = f"Env {name} is set on the container, so the new image's changed value does not take effect"
        yield SpecWarning(code="override", text=said)


def platform_warnings(upgrade: Upgrade) -> Iterator[SpecWarning]:
    """Warn about an image for another kind of machine."""
    old, new = upgrade.old.architecture, upgrade.new.architecture
    if old and new and old != new:
        yield SpecWarning(code="other-platform", text=f"The new image is for {new}, the old one for {old}")


SETTINGS_RULES = (removal_warnings, port_warnings, downgrade_warnings, dependent_warnings, neighbour_warnings,
                  health_warnings, override_warnings, platform_warnings)  # fmt: skip
