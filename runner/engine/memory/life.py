"""How containers of the memory engine live: start, exit, restart, health, as time passes; nothing passes unasked."""

from __future__ import annotations

from pydantic import JsonValue

from runner.engine.memory.cell import Cell
from runner.engine.memory.plugs import plugged, static_address, unplugged
from runner.engine.memory.world import STANDS, World
from runner.engine.parse import entries, number, part, text, texts
from runner.errors import Conflict, EngineError, NotFound
from runner.facts import HealthSeen, MountKind
from runner.labels import CHECKER, ROLE


def start(world: World, cell: Cell) -> None:
    """Start, or refuse as the engine does."""
    state = cell.container.state
    if state.status == "running":
        return
    if state.status == "paused":
        raise Conflict("conflict", "cannot start a paused container, try unpause instead", STANDS)
    try:
        check_networks(world, cell)
        check_ports(world, cell)
        check_addresses(world, cell)
    except EngineError as no:
        cell.set_state(error=no.what, exit_code=128)
        raise
    if world.behaviour(cell).cannot_start:
        what = "OCI runtime create failed: exec: no such file or directory"
        cell.set_state(error=what, exit_code=127)
        raise EngineError("cannot-start", what, STANDS)
    cell.stopped_by_hand = False
    cell.set_state(restart_count=0)
    begin(world, cell)


def begin(world: World, cell: Cell) -> None:
    """Let the program run: it looks at its data, writes, and may exit at once."""
    world.clock += 1
    note_sharing(world, cell)
    cell.looks = 0
    cell.set_state(
        status="running", exit_code=0, error="", oom_killed=False, started_at=world.now(), pid=1000 + world.made
    )
    cell.container = plugged(cell.container, world.clock)
    cell.log.append(f"{cell.container.image_ref} starts")
    behaviour = world.behaviour(cell)
    if cell.container.labels.get(ROLE) == CHECKER:
        check(world, cell)
        return
    if unreadable := readable_by_others_only(world, cell):
        cell.log.append(f"FATAL: cannot read data written by another version: {unreadable}")
        exit_by_itself(world, cell, 1)
        return
    for path, token in behaviour.writes.items():
        contents, inside = world.contents(cell, path)
        contents[inside] = token
    for path in behaviour.deletes:
        contents, inside = world.contents(cell, path)
        contents.pop(inside, None)
    if behaviour.crashes:
        cell.log.append("FATAL: crashed")
        exit_by_itself(world, cell, behaviour.crash_code)


def check(world: World, cell: Cell) -> None:
    """Say what its command says, and exit: it writes nothing. An unknown command is obeyed."""
    config = cell.container.config
    argv = (*texts(config.get("Entrypoint")), *texts(config.get("Cmd")))
    said = next((each for each in world.behaviour(cell).answers if each.argv == argv), None)
    cell.log.extend(said.stdout.splitlines() if said else ())
    exit_by_itself(world, cell, said.exit_code if said else 0)


def readable_by_others_only(world: World, cell: Cell) -> str:
    """Find a text in the data that this version refuses."""
    refused = world.behaviour(cell).refuses
    stored = (token for mount in cell.container.mounts for token in world.stored(mount).values())
    return next((token for token in stored if token in refused), "")


def exit_by_itself(world: World, cell: Cell, code: int) -> None:
    """End the program and let its restart policy have its say."""
    cell.set_state(status="exited", exit_code=code, finished_at=world.now(), pid=0, health=None)
    cell.container = unplugged(cell.container)
    if restarts(cell, code):
        cell.set_state(status="restarting", restart_count=cell.container.state.restart_count + 1)
    elif cell.container.host_config.get("AutoRemove") is True:
        world.drop(cell, volumes=True)


def restarts(cell: Cell, code: int) -> bool:
    """Whether the engine starts it again after it exited by itself."""
    policy = part(cell.container.host_config, "RestartPolicy")
    name, most = text(policy, "Name"), number(policy, "MaximumRetryCount")
    if cell.stopped_by_hand:
        return False
    if name == "on-failure":
        return code != 0 and (most == 0 or cell.container.state.restart_count < most)
    return name in ("always", "unless-stopped")


def end_by_hand(world: World, cell: Cell, code: int) -> None:
    """End it because somebody asked to; no policy starts it again."""
    cell.stopped_by_hand = True
    world.clock += 1
    cell.log.append("ends")
    exit_by_itself(world, cell, code)


def tick(world: World) -> None:
    """Let time pass: data grow, programs die, restarts happen, health settles."""
    world.clock += 1
    for cell in tuple(world.cells.values()):
        status = cell.container.state.status
        if status == "restarting":
            begin(world, cell)
        elif status == "running":
            cell.looks += 1
            live(world, cell)


def live(world: World, cell: Cell) -> None:
    """One moment of a running program."""
    behaviour = world.behaviour(cell)
    if behaviour.dies_at is not None and cell.looks >= behaviour.dies_at:
        cell.log.append("FATAL: died")
        exit_by_itself(world, cell, 1)
        return
    if behaviour.counts:
        contents, inside = world.contents(cell, behaviour.counts)
        contents[inside] = str(int(contents.get(inside, "0")) + 1)
    seen = health(world, cell)
    if seen != cell.container.state.health:
        cell.set_state(health=seen)


def health(world: World, cell: Cell) -> HealthSeen | None:
    """What the engine's health check says by now."""
    if not health_argv(cell):
        return None
    if is_healthy(world, cell):
        return HealthSeen(status="healthy")
    if world.behaviour(cell).never_healthy and cell.looks > 1:
        return HealthSeen(status="unhealthy", failing_streak=cell.looks, last_output="not well")
    return HealthSeen(status="starting", failing_streak=cell.looks)


def is_healthy(world: World, cell: Cell) -> bool:
    """Whether the check passes now."""
    behaviour = world.behaviour(cell)
    return not behaviour.never_healthy and cell.looks >= behaviour.healthy_after_looks


def health_argv(cell: Cell) -> tuple[str, ...]:
    """Yield the command of its health check; empty where it has none."""
    test = texts(part(cell.container.config, "Healthcheck").get("Test"))
    if not test or test[0] == "NONE":
        return ()
    shell = texts(cell.container.config.get("Shell")) or ("/bin/sh", "-c")
    return (*shell, *test[1:]) if test[0] == "CMD-SHELL" else test[1:]


def restart_daemon(world: World) -> None:
    """All programs end; afterwards the restart policies decide who comes back."""
    for cell in [each for each in world.cells.values() if each.alive]:
        cell.set_state(status="exited", exit_code=137, finished_at=world.now(), pid=0, health=None)
        cell.container = unplugged(cell.container)
        if cell.container.host_config.get("AutoRemove") is True:
            world.drop(cell, volumes=True)
    for cell in tuple(world.cells.values()):
        policy = text(part(cell.container.host_config, "RestartPolicy"), "Name")
        never_ran = not cell.container.state.ever_started
        if not never_ran and (policy == "always" or restarts(cell, cell.container.state.exit_code)):
            begin(world, cell)


def note_sharing(world: World, cell: Cell) -> None:
    """Write down who could write the same data at the same time."""
    mine = writable(cell)
    for other in world.cells.values():
        if other is not cell and other.alive:
            both = (cell.container.name, other.container.name)
            world.shared.extend((place, *both) for place in sorted(mine & writable(other)))


def writable(cell: Cell) -> set[str]:
    """The volumes and paths it may write to."""
    kinds = (MountKind.VOLUME, MountKind.BIND)
    return {mount.name or mount.source for mount in cell.container.mounts if mount.rw and mount.kind in kinds}


def check_networks(world: World, cell: Cell) -> None:
    """Refuse where a network, or the container whose network it shares, is missing."""
    for endpoint in cell.container.endpoints:
        world.network(endpoint.network_id or endpoint.network)
    mode = text(cell.container.host_config, "NetworkMode")
    if mode.startswith("container:"):
        other = world.cell(mode.removeprefix("container:"))
        if not other.container.state.running:
            raise Conflict(
                "not-running", f"cannot join network of a non running container: {other.container.id}", STANDS
            )


def check_ports(world: World, cell: Cell) -> None:
    """Refuse where a host port is taken."""
    for other in world.cells.values():
        taken = published(other) if other is not cell and other.alive else set()
        for mine in published(cell):
            if any(mine[1:] == theirs[1:] and overlap(mine[0], theirs[0]) for theirs in taken):
                what = f"Bind for {mine[0]}:{mine[1]} failed: port is already allocated"
                raise Conflict("port-taken", what, STANDS)


def published(cell: Cell) -> set[tuple[str, str, str]]:
    """The host addresses, ports and protocols it publishes: only those that its config exposes, as the engine does."""
    exposed = part(cell.container.config, "ExposedPorts")
    bindings = part(cell.container.host_config, "PortBindings")
    found: list[tuple[str, str, JsonValue]] = [
        (text(each, "HostIp") or "0.0.0.0", text(each, "HostPort"), port.partition("/")[2])  # noqa: S104  # what "" means
        for port, given in bindings.items()
        if port in exposed
        for each in entries(given)
    ]
    return {(ip, port, str(protocol)) for ip, port, protocol in found if port}


def overlap(one: str, other: str) -> bool:
    """Whether two host addresses can get in each other's way."""
    everything = ("0.0.0.0", "::")  # noqa: S104  # compared with, not listened on
    return one == other or one in everything or other in everything


def check_addresses(world: World, cell: Cell) -> None:
    """Refuse where a static address is taken."""
    mine = {(each.network, static_address(each)) for each in cell.container.endpoints if static_address(each)}
    for other in world.cells.values():
        if other is not cell and other.alive:
            theirs = {(each.network, each.address) for each in other.container.endpoints if each.address}
            if mine & theirs:
                raise Conflict("address-taken", "Address already in use", STANDS)


def missing_path(ref: str) -> NotFound:
    """Yield the error for a path that is not there."""
    return NotFound("not-found", f"Could not find the file {ref}", STANDS)
