"""The plan and every undo on the memory engine, before anyone sees the plan; it touches nothing real.

For every prefix of the plan: carried out so far and then undone, the paper world must be as it was before.
"""

from __future__ import annotations

from collections.abc import Sequence

from runner.clock import MemoryClock
from runner.engine.memory import Behaviour, MemoryEngine
from runner.errors import RefloatError
from runner.executor import execute
from runner.facts import Container, Engine, Finished, Image, Json, Network
from runner.hands import Hands
from runner.labels import RETURNED, ROLE, RUN
from runner.perform import perform
from runner.plan import Plan, step_key
from runner.progress import Do, found_by
from runner.records import End, Opened, Record, Turned, Wish
from runner.spec.data import shared_with
from runner.steps import AnyForward, BackStep
from runner.steps.back import CallBack, ProveBack, SpeakAgain
from runner.steps.hooks import CallHook
from runner.steps.nouns import FileEdit
from runner.steps.packages import ComparePackages
from runner.steps.proof import ProveHealth
from runner.steps.silence import EndQuiet, KeepQuiet
from runner.vault.memory import MemoryVault
from runner.world import World

PAPER_ID = "paper"
PAPER_IDS = 10**9
"""Where paper ids begin: the world they are held against may be a memory engine's, with ids of the same making."""


class PaperLog:
    """A journal that is not written down."""

    def __init__(self) -> None:
        self.records: tuple[Record, ...] = (Opened(at="", wish=Wish.FORWARD, host="", pid=0),)

    def write(self, record: Record) -> None:
        """Keep it."""
        self.records = (*self.records, record)


class PaperError(RefloatError):
    """Our own bug: a plan that cannot be undone from everywhere."""


def check_on_paper(plan: Plan, *worlds: World) -> None:
    """PaperError names the first prefix of the plan whose undo does not lead back."""
    engine = paper_engine(plan, *worlds)
    before = _state(engine, plan)
    _check(plan, engine.fork(), len(plan.steps), End.NEW, None)
    for length in range(len(plan.steps)):
        _check(plan, engine.fork(), length, End.OLD, before)


def _check(plan: Plan, engine: MemoryEngine, length: int, end: End, wanted: object) -> None:
    log = PaperLog()
    turn_at = step_key(length)
    hands = _hands(plan, engine, log)

    def do(move: Do) -> Json:
        if move.undo_of is None and move.key == turn_at:
            raise PaperError("paper", "turned round on paper")
        return {} if _is_a_call(move.step) else perform(hands, _as_on_paper(move.step))

    closed = execute(plan, log, do, MemoryClock(), lambda: False)
    if closed.end is not end or (wanted is not None and _state(engine, plan) != wanted):
        failed = next((record for record in log.records if isinstance(record, Turned)), None)
        what = (
            f"On paper the plan ends {closed.end} after {length} steps: {closed.why or (failed.why if failed else '')}"
        )
        raise PaperError("paper", what, then="This is a bug of refloat: please report it with the output of --json.")


def _is_a_call(step: AnyForward | BackStep) -> bool:
    """Hooks and monitors are beyond the world on paper: nothing answers there."""
    return isinstance(step, CallHook | CallBack | KeepQuiet | EndQuiet | SpeakAgain)


def _as_on_paper(step: AnyForward | BackStep) -> AnyForward | BackStep:
    """On paper a program answers whatever it is asked, but it logs nothing and names no package."""
    if isinstance(step, ComparePackages):
        return step.model_copy(update={"required": ()})
    if not isinstance(step, ProveHealth | ProveBack):
        return step
    probes = tuple(probe for probe in step.terms.probes if probe.kind != "log")
    return step.model_copy(update={"terms": step.terms.model_copy(update={"probes": probes})})


def _hands(plan: Plan, engine: MemoryEngine, log: PaperLog) -> Hands:
    def found(kind: str) -> Json:
        return found_by(plan, log.records, kind)

    return Hands(
        run=plan.run,
        engine=engine,
        vault=MemoryVault(engine),
        clock=MemoryClock(),
        papers={"plan.json": "paper"},
        found=found,
        note=lambda _kind, _text, _left: None,
        interrupted=lambda: False,
        editor=_no_file,
        host=_no_host,
        secret=lambda _pointer, _folder: "",
        writer=_no_writer,
        told={},
        way_back=plan.lead.way_back,
    )


def _no_file(edit: FileEdit, *, back: bool) -> str:  # noqa: ARG001  # on paper there is no file
    return ""


def _no_host(argv: Sequence[str], **_: object) -> Finished:  # nothing is called on paper
    del argv
    return Finished(exit_code=0)


def _no_writer(path: str, text: str, *, onto: bool) -> str:
    del path, text, onto
    return ""


def paper_engine(plan: Plan, *worlds: World) -> MemoryEngine:
    """The world on paper: same containers, images, networks and data; the programs do as they are told.

    ``worlds`` are those of the members; each sees the same engine from its own place.
    """
    world = worlds[0]
    engine = MemoryEngine()
    paper = engine.world
    paper.made = PAPER_IDS
    paper.engine = Engine.model_validate({**world.engine.model_dump(), "id": PAPER_ID})
    images = {image.id: image for each in worlds for image in (each.old_image, each.new_image)}
    for image in images.values():
        paper.add_image(image, _manners(plan, image))
    for container in (world.target, *(each for each in world.others if _matters(each, plan))):
        _place_networks(engine, container, first=container.name in plan.names)
        paper.place(container)
    for source in (source for each in worlds for source in each.sources):
        paper.data.setdefault(source.volume or source.path, {})["file"] = "old"
    for step in plan.steps:
        if step.kind == "bring-back-data":
            MemoryVault(engine).write_papers(step.earlier, {"plan.json": "paper"})
            MemoryVault(engine).cold_copy(step.earlier, step.sources)
            MemoryVault(engine).seal(step.earlier, step.sources, {})
    return engine


def _matters(container: Container, plan: Plan) -> bool:
    """Who has no part in it is not looked at, again and again, for every prefix: there may be hundreds."""
    modes = (str(container.host_config.get(key) or "") for key in ("NetworkMode", "PidMode", "IpcMode"))
    return (
        container.name in plan.names
        or RUN in container.labels
        or bool(shared_with(plan.sources, (container,)))
        or any(mode.startswith("container:") for mode in modes)
    )


def _manners(plan: Plan, image: Image) -> Behaviour:
    """It obeys, and brings its own default wherever configuration is refreshed."""
    steps = (step for step in plan.steps if step.kind == "refresh-configuration")
    ships = {f"{place.defaults or place.path}/{image.id}": "default" for step in steps for place in step.order.places}
    return Behaviour(obeys=True, healthcheck=bool(image.config.get("Healthcheck")), ships=ships)


def _place_networks(engine: MemoryEngine, container: Container, *, first: bool) -> None:
    """The target's networks are as the target has them: one that is stopped may still name a network long gone."""
    known = {network.name for network in engine.networks()}
    for endpoint in container.endpoints:
        if first or endpoint.network not in known:
            engine.world.place_network(Network(id=endpoint.network_id or endpoint.network, name=endpoint.network))


def _state(engine: MemoryEngine, plan: Plan) -> object:
    """What must be as it was: the target, its data, and that nothing of the run is left."""
    everyone = engine.containers()
    targets = [_shape(container) for container in everyone if container.name in plan.names]
    labels, held = ({each.run for each in plan.members}, {each.held_tag for each in plan.members})
    ours = [container.name for container in everyone if container.labels.get(RUN) in labels and not _back(container)]
    data = {source.spoken: dict(engine.data.get(source.volume or source.path, {})) for source in plan.sources}
    tags = [tag for image in engine.images() for tag in image.tags if tag in held]
    return targets, ours, data, tags


def _back(container: Container) -> bool:
    return container.labels.get(ROLE) == RETURNED


def _shape(container: Container) -> tuple[object, ...]:
    alive = container.state.alive
    return container.name, container.image_id, alive, container.state.paused, container.host_config.get("RestartPolicy")
