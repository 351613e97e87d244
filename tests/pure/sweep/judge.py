"""The judge of the sweep: old or new, whole, and nothing left behind; any third state is a finding."""

from __future__ import annotations

from dataclasses import dataclass

from runner.engine.memory import MemoryEngine
from runner.facts import Container
from runner.labels import ROLE, RUN
from tests.pure.sweep.stages import NAME, WEB, Stage, compose_file


@dataclass(frozen=True)
class Picture:
    """What a machine looks like: the target, its data, and what is around."""

    image: str
    alive: bool
    paused: bool
    policy: str
    networks: tuple[str, ...]
    env: tuple[str, ...]
    data: tuple[tuple[str, tuple[tuple[str, str], ...]], ...]
    written: bytes
    """What the compose file says; it matters where the stage has one."""
    web: tuple[object, ...]
    """The second container of a stack: its image and state, whether it is beside the first one, and its data."""
    others: tuple[str, ...]
    """Names of all other containers."""


def picture(stage: Stage, engine: MemoryEngine) -> Picture:
    """Look at a machine."""
    everyone = engine.containers()
    target = next((container for container in everyone if container.name == NAME), None)
    places = tuple(bind.split(":")[0] for bind in stage.binds)
    return Picture(
        image=target.image_id[7:8] if target else "gone",
        alive=bool(target and target.state.alive),
        paused=bool(target and target.state.paused),
        policy=_policy(target),
        networks=tuple(sorted(endpoint.network for endpoint in target.endpoints)) if target else (),
        env=tuple(sorted(_env(target))) if target else (),
        data=tuple((place, tuple(sorted(engine.data[place].items()))) for place in places),
        written=compose_file().read_bytes() if stage.composed else b"",
        web=_web(engine, target),
        others=tuple(sorted(container.name for container in everyone if container.name != NAME)),
    )


def _web(engine: MemoryEngine, target: Container | None) -> tuple[object, ...]:
    web = next((container for container in engine.containers() if container.name == WEB), None)
    if web is None:
        return ()
    mode = str(web.host_config.get("NetworkMode"))
    beside = target is not None and mode == f"container:{target.id}"
    data = tuple(sorted(engine.data["webdata"].items()))
    return web.image_id[7:8], web.state.status, _policy(web), beside, mode.partition(":")[0], data


def _policy(target: Container | None) -> str:
    policy = target.host_config.get("RestartPolicy") if target else None
    return str(policy.get("Name") or "no") if isinstance(policy, dict) else ""


def _env(target: Container) -> tuple[str, ...]:
    env = target.config.get("Env")
    return tuple(str(entry) for entry in env if str(entry).startswith("SECRET")) if isinstance(env, list) else ()


def findings(stage: Stage, engine: MemoryEngine, old: Picture, new: Picture) -> tuple[str, ...]:
    """What is wrong with the end of a run; ``old`` and ``new`` are the two ends that are right."""
    if engine.world.shared:
        return (f"two servers on one data directory: {engine.world.shared}",)
    now = picture(stage, engine)
    if now not in (old, new):
        return (f"neither old nor new: {now}",)
    stale = [
        container.name
        for container in engine.containers({RUN: ""})
        if container.labels[ROLE] not in ("successor", "returned")
    ]
    return (f"left behind: {stale}",) if stale else ()
