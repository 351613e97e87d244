"""How the steps on data are performed: through the vault, and never on data that somebody else is using."""

from __future__ import annotations

from runner.errors import EngineError, NotFound
from runner.facts import Container, Json
from runner.hands import Hands
from runner.labels import READERS, ROLE, RUN
from runner.spec.data import shared_with
from runner.steps.back import RestoreData
from runner.steps.forward import BringBackData, ColdCopy, WarmCopy, WritePapers
from runner.vault.port import Room, Source

VERDICT_PAPER = "verdict"


def ensure_sole_use(hands: Hands, sources: tuple[Source, ...]) -> Json:
    """EngineError ``data-in-use`` names the container that runs on the data."""
    users = alive_users(hands, sources)
    if users:
        container, source = users[0]
        what = f"{container.name} is {container.state.status} on {source.spoken}: two servers on one data directory."
        raise EngineError("data-in-use", what, then=f"docker stop {container.name}")
    return {}


def alive_users(hands: Hands, sources: tuple[Source, ...]) -> tuple[tuple[Container, Source], ...]:
    """The containers, ours that only read aside, that run on the data."""
    others = tuple(each for each in _holders(hands, sources) if each.state.alive and not _reader(each))
    return shared_with(sources, others)


def _holders(hands: Hands, sources: tuple[Source, ...]) -> tuple[Container, ...]:
    """Who may have the data: asked by volume where that is possible, for looking at everybody takes time."""
    if any(source.path for source in sources):
        return hands.engine.containers()
    return tuple(each for source in sources for each in hands.engine.containers(volume=source.volume))


def _reader(container: Container) -> bool:
    return RUN in container.labels and container.labels.get(ROLE) in READERS


def write_papers(hands: Hands, step: WritePapers) -> Json:
    """Put the papers into the vault."""
    hands.vault.write_papers(step.room, hands.papers, step.sources)
    return {}


def write_verdict(hands: Hands, room: Room, verdict: str) -> Json:
    """Put the verdict into the vault: who finds the run without its journal knows where it was going."""
    hands.vault.write_papers(room, {VERDICT_PAPER: verdict})
    return {}


def warm_copy(hands: Hands, step: WarmCopy) -> Json:
    """Copy the bulk."""
    return hands.vault.warm_copy(step.room, step.sources).model_dump(mode="json")


def cold_copy(hands: Hands, step: ColdCopy) -> Json:
    """Copy the rest and seal."""
    copied = hands.vault.cold_copy(step.room, step.sources)
    sealed = hands.vault.seal(step.room, step.sources, step.taken_from)
    return {"digest": sealed.digest, "size_bytes": sealed.size_bytes, "entries": sealed.entries,
            "copied": copied.model_dump(mode="json")}  # fmt: skip


def bring_back_data(hands: Hands, step: BringBackData) -> Json:
    """Restore an earlier run's snapshot, after its seal was checked and nobody is on the data."""
    try:
        return _restore(hands, step.earlier, step.sources)
    finally:
        hands.vault.close(step.earlier.run)


def restore_data(hands: Hands, step: RestoreData) -> Json:
    """Restore this run's own snapshot."""
    return _restore(hands, step.room, step.sources)


def _restore(hands: Hands, room: Room, sources: tuple[Source, ...]) -> Json:
    ensure_sole_use(hands, sources)
    hands.vault.sealed(room)
    return hands.vault.restore(room, sources).model_dump(mode="json")


def discard_room(hands: Hands, room: Room) -> Json:
    """Remove the room and our containers around it."""
    hands.vault.discard(room)
    close_vault(hands, room.run)
    return {}


def close_vault(hands: Hands, run: str) -> Json:
    """Remove the run's tools containers and probers."""
    hands.vault.close(run)
    for container in hands.engine.containers({RUN: run}):
        if container.labels.get(ROLE) in READERS:
            _remove(hands, container)
    return {}


def _remove(hands: Hands, container: Container) -> None:
    try:
        hands.engine.remove_container(container.id, force=True, volumes=True)
    except NotFound:
        return
