"""A small container beside the asked one, in its network; it never touches its files, processes or data.

What a product offers on its network is asked with our own tools, so an image needs neither curl nor a shell. Where
there is no tools image, the asked container's own shell has to do.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256

from runner.engine.port import EnginePort
from runner.errors import Conflict, EngineError, EngineUnreachable, NotFound, OutcomeUnknown
from runner.facts import Container, Finished, Json
from runner.labels import PROBER, ROLE, RUN
from runner.verdict import CANNOT_RUN

TOOLS_IMAGE = "refloat/tools:1"
# What the engine needs around the question: making an exec and reading its end.
AROUND_S = 5


def ask_network(engine: EnginePort, container: Container, run: str, argv: Sequence[str], inside: Sequence[str],
                timeout_s: float) -> Finished:  # fmt: skip
    """Run ``argv`` beside the container, or ``inside`` it where there are no tools; one exec when all is in place."""
    finished = _ask_beside(engine, container, run, argv, timeout_s + AROUND_S)
    if finished is None or finished.exit_code in CANNOT_RUN:
        return engine.execute(container.id, inside, timeout_s=timeout_s + AROUND_S)
    return finished


def ensure_prober(engine: EnginePort, container: Container, run: str) -> str:
    """Make sure that there is one beside a running container, and give its name; NotFound ``no-prober``."""
    name = prober_name(container, run)
    if not engine.containers({RUN: run, ROLE: PROBER}) and not _made(engine, container, run, name):
        raise NotFound("no-prober", f"No container can be started beside {container.name}.",
                       then=f"Look for the image {TOOLS_IMAGE}: refloat doctor")  # fmt: skip
    return name


def close_probers(engine: EnginePort, run: str) -> None:
    """Remove the probers of a run; no error when there are none."""
    for prober in engine.containers({RUN: run, ROLE: PROBER}):
        _remove(engine, prober.id)


def prober_name(container: Container, run: str) -> str:
    """A name for this very process of the container: a restarted one has a new network, which needs a new prober."""
    process = f"{container.id} {container.state.started_at}".encode()
    return f"refloat-prober-{run}-{sha256(process).hexdigest()[:8]}"


def _ask_beside(engine: EnginePort, container: Container, run: str, argv: Sequence[str],
                timeout_s: float) -> Finished | None:  # fmt: skip
    """Ask from a prober, the one there is or a new one; None where there can be none."""
    name = prober_name(container, run)
    try:
        return engine.execute(name, argv, timeout_s=timeout_s)
    except (NotFound, Conflict):
        return engine.execute(name, argv, timeout_s=timeout_s) if _made(engine, container, run, name) else None


def _made(engine: EnginePort, container: Container, run: str, name: str) -> bool:
    close_probers(engine, run)
    try:
        engine.create_container(name, _body(container, run))
        engine.start(name)
    except (EngineUnreachable, OutcomeUnknown):
        raise
    except EngineError:
        # No tools image, or the container is not up to join: the question goes to the container itself.
        _remove(engine, name)
        return False
    return True


def _remove(engine: EnginePort, ref: str) -> None:
    try:
        engine.remove_container(ref, force=True, volumes=True)
    except (NotFound, Conflict):
        return  # gone already, or the engine is removing it right now


def _body(container: Container, run: str) -> Json:
    return {
        "Image": TOOLS_IMAGE,
        "Entrypoint": ["sleep"],
        "Cmd": ["infinity"],
        "User": "65534:65534",
        "Labels": {RUN: run, ROLE: PROBER},
        "Healthcheck": {"Test": ["NONE"]},
        "HostConfig": {
            "NetworkMode": _network(container),
            "ReadonlyRootfs": True,
            "CapDrop": ["ALL"],
            "SecurityOpt": ["no-new-privileges"],
            "LogConfig": {"Type": "none"},
        },
    }


def _network(container: Container) -> str:
    """Whose network to join: its own, or the one it has itself joined."""
    mode = container.host_config.get("NetworkMode")
    borrowed = isinstance(mode, str) and mode.startswith("container:")
    return str(mode) if borrowed else f"container:{container.id}"
