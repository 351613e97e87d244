"""Sets the scene of a rehearsal (snapshot, clones, network, stand-in) and strikes it; of the user's it pauses."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from pydantic import ValidationError

from runner import stillness
from runner.errors import Busy, EngineError, NotFound
from runner.facts import Container, Json
from runner.isolation import Isolated, StandsFor, is_about_disk_shares, network_body, without_disk_shares
from runner.journal import write_durably
from runner.labels import REHEARSAL, ROLE, RUN
from runner.plan import held_tag
from runner.rehearsal import CLONE, STAND_IN, TWIN, Scene
from runner.session import Session
from runner.spec import create_body
from runner.vault.port import Source
from runner.world import World


def rehearsals_folder(home: Path) -> Path:
    """Where rehearsals are kept: ``RUN.json`` is a result, ``RUN/`` the run that was played."""
    return home / "rehearsals"


def _scene_path(session: Session, run: str) -> Path:
    return rehearsals_folder(session.home) / run / "scene.json"


def pause_path(session: Session, run: str) -> Path:
    """The file that says that what is rehearsed is ours to wake up."""
    return rehearsals_folder(session.home) / run / "paused"


@contextlib.contextmanager
def on_stage(session: Session, scene: Scene) -> Iterator[None]:
    """Hold the stage for one rehearsal of a target; whatever happens in it, everything is cleared away.

    Where several share a snapshot, whoever holds that holds the stage for all of them.
    """
    with contextlib.nullcontext() if scene.within else _held(session, scene):
        write_durably(_scene_path(session, scene.run), scene.model_dump_json(indent=2) + "\n")
        try:
            yield
        finally:
            strike(session, scene)


def take_snapshot(session: Session, scene: Scene, container: Container) -> float:
    """Copy the data into the vault; gives how long the target stood still meanwhile, in seconds."""
    session.vault.write_papers(scene.room, {"rehearsal.json": scene.model_dump_json()}, scene.sources)
    return stillness.take_snapshot(session, scene.room, scene.sources, container, pause_path(session, scene.run))


def make_clones(session: Session, scene: Scene) -> str:
    """Make a writable view of each source; says how, empty where there is no data."""
    if not scene.clones:
        return ""
    return session.vault.clone(scene.room, scene.clones, {**scene.labels, ROLE: CLONE})


def stand_ins(session: Session, scene: Scene) -> tuple[StandsFor, ...]:
    """What stands for each mount: its clone, or a copy of what is only read; nothing for what is too big to copy."""
    copied = {}
    if scene.shown:
        labels = {**scene.labels, ROLE: CLONE}
        done = session.vault.duplicate(scene.run, scene.shown, scene.copies, labels)
        copied = {each.key: each.is_file for each in done if each.copied}
    kinds = {**{source.key: source.key in scene.files for source in scene.sources}, **copied}
    names = {**scene.clones, **scene.copies}

    sources = tuple(source for source in (*scene.sources, *scene.shown) if source.key in kinds)
    return tuple(
        _stands_for(session, each, names[each.key], is_file=kinds[each.key], read_only=each in scene.shown)
        for each in sources
    )


def _stands_for(session: Session, source: Source, name: str, *, is_file: bool, read_only: bool = False) -> StandsFor:
    file = f"{session.engine.volume(name).mountpoint}/file" if is_file else ""
    return StandsFor(source, name, file, read_only=read_only)


def make_stand_in(session: Session, scene: Scene, world: World, copy: Isolated) -> Container:
    """Create the old version's copy on its own network and start it."""
    session.engine.create_network(scene.network, network_body(scene.labels))
    return place_stand_in(session, scene, world, copy)


def place_stand_in(session: Session, scene: Scene, world: World, copy: Isolated, *, start: bool = True) -> Container:
    """Create the old version's copy, joined to all its networks, and start it."""
    return _place(session, world, copy, scene.stand_in, {**scene.labels, ROLE: STAND_IN}, start=start)


def make_twin(session: Session, scene: Scene, world: World, copy: Isolated) -> Container:
    """Create another one on the clones of the twin, which are there, with a network of its own, and start it."""
    session.engine.create_network(scene.twin_network, network_body(scene.labels))
    return _place(session, world, copy, scene.twin, {**scene.labels, ROLE: TWIN})


def _place(session: Session, world: World, copy: Isolated, name: str, labels: dict[str, str], *,
           start: bool = True) -> Container:  # fmt: skip
    engine, still = session.engine, _still(session, world.target.image_ref, world)
    made = create_body(copy.spec, world.old_image, labels=labels, restart=False, ref=still)
    _create(session, name, made.body, made.connects)
    try:
        if start:
            engine.start(name)
    except EngineError as no:
        if not is_about_disk_shares(no):
            raise
        engine.remove_container(name, force=True, volumes=True)
        _create(session, name, without_disk_shares(made.body), made.connects)
        engine.start(name)
    return engine.container(name)


def _create(session: Session, name: str, body: Json, connects: tuple[tuple[str, Json], ...]) -> None:
    session.engine.create_container(name, body)
    for network, settings in connects:
        session.engine.connect(network, name, settings)


def _still(session: Session, ref: str, world: World) -> str:
    """The name of the old image where it still means that image, else nothing."""
    try:
        return ref if session.engine.image(ref).id == world.old_image.id else ""
    except NotFound:
        return ""


def make_twin_clones(session: Session, scene: Scene) -> tuple[StandsFor, ...]:
    """What stands for the twin's data: clones of the snapshot of the play."""
    names = scene.twin_clones
    session.vault.clone(scene.play_rooms[0], names, {**scene.labels, ROLE: CLONE})
    return tuple(_stands_for(session, source, names[source.key], is_file=source.key in scene.files)
                 for source in scene.sources)  # fmt: skip


def strike_twin(session: Session, scene: Scene) -> None:
    """Take the twin away, with all that was made for it; nothing where there is none."""
    engine = session.engine
    for container in engine.containers({REHEARSAL: scene.run, ROLE: TWIN}):
        with contextlib.suppress(NotFound):
            engine.remove_container(container.id, force=True, volumes=True)
    made = {each.name for each in engine.volumes({REHEARSAL: scene.run})} & {*scene.twin_clones.values()}
    if made:
        session.vault.drop_clone(scene.play_rooms[0], {name: name for name in made})
    with contextlib.suppress(NotFound):
        engine.remove_network(scene.twin_network)


def strike(session: Session, scene: Scene) -> None:
    """Take away all that was made; it may be done again, after any interruption."""
    stillness.wake(session, pause_path(session, scene.run))
    strike_twin(session, scene)
    for each in scene.everyone:
        _remove_containers(session, each)
    for each in scene.everyone:
        _drop_data(session, each)
    for network in (scene.network, *scene.networks.values()):
        with contextlib.suppress(NotFound):
            session.engine.remove_network(network)
    path = _scene_path(session, scene.run)
    path.unlink(missing_ok=True)
    with contextlib.suppress(OSError):  # whoever only held a snapshot for others has played nothing
        path.parent.rmdir()


def _drop_data(session: Session, scene: Scene) -> None:
    """The clones, copies, snapshots and tags; nobody runs on them any more."""
    engine, vault = session.engine, session.vault
    if scene.clones:
        vault.drop_clone(scene.room, scene.clones)
    for name in scene.copies.values():
        with contextlib.suppress(NotFound):
            engine.remove_volume(name)
    for room in scene.play_rooms:
        vault.discard(room)
    if not scene.borrowed and scene.sources:
        vault.discard(scene.room)
    for run in (*(() if scene.within and not scene.part else (scene.room.run,)), scene.run, *scene.plays):
        vault.close(run)
    for run in scene.plays:
        engine.untag(held_tag(run))


def _remove_containers(session: Session, scene: Scene) -> None:
    plays = ({RUN: play} for play in scene.plays)
    runs = ({REHEARSAL: scene.run}, *plays, {RUN: scene.run}, {RUN: f"{scene.run}-clone"})
    for labels in runs:
        for container in session.engine.containers(labels):
            with contextlib.suppress(NotFound):
                session.engine.remove_container(container.id, force=True, volumes=True)


def left_scenes(session: Session) -> tuple[Scene, ...]:
    """The rehearsals on this engine that nobody cleared away, the ones at work among them; a shared snapshot last."""
    engine_id = session.engine.engine().id
    scenes = (_scene_in(path) for path in sorted(rehearsals_folder(session.home).glob("*/scene.json")))
    mine = (scene for scene in scenes if scene and scene.engine_id == engine_id)
    return tuple(sorted(mine, key=lambda scene: not scene.within))


def _scene_in(path: Path) -> Scene | None:
    """None where it has ended meanwhile, or another version of refloat wrote it: that one clears it away."""
    try:
        return Scene.model_validate_json(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValidationError):
        return None


def strike_left(session: Session) -> tuple[Scene, ...]:
    """Clear away the rehearsals whose process is gone; gives them."""
    struck = []
    for scene in left_scenes(session):
        with contextlib.suppress(Busy), _held(session, scene):
            strike(session, scene)
            struck.append(scene)
    return tuple(struck)


def is_at_work(session: Session, scene: Scene) -> bool:
    """Whether the process of a rehearsal is alive; then it clears away itself."""
    try:
        with _held(session, scene):
            return False
    except Busy:
        return True


@contextlib.contextmanager
def _held(session: Session, scene: Scene) -> Iterator[None]:
    """Hold the stage: one rehearsal of a target at a time. Busy; the lock dies with its process."""
    with contextlib.ExitStack() as held:
        try:
            for target in dict.fromkeys(each.target for each in scene.everyone):
                name = f"rehearsal of {target}"
                held.enter_context(session.runs.lock(scene.engine_id, name, scene.run, session.now()))
        except Busy as busy:
            raise Busy("busy", busy.what, then="Wait until it has ended.") from None
        yield
