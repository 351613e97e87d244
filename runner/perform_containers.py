"""How the steps on containers and images are performed: each looks first, acts, and may be done again; none decides."""

from __future__ import annotations

from pydantic import JsonValue

from runner.donors import reveal, strings
from runner.engine.pulling import repository_of
from runner.errors import Busy, Conflict, EngineError, NotFound, RefloatError
from runner.facts import Container, Json
from runner.hands import Hands, configs
from runner.labels import RETURNED, ROLE, RUN
from runner.quoting import quoted_lines
from runner.spec import NO_RESTART, restarts
from runner.steps.back import StartContainer, StopAgain, StopOurs
from runner.steps.forward import CreateSuccessor, HoldImage, StartAgain, StopContainer
from runner.steps.nouns import Blueprint, Ours, Who

LAST_LINES = 20
MODES = ("NetworkMode", "PidMode", "IpcMode")
KILLED = 137
GONE_S, GONE_PAUSE_S = 10.0, 0.2
"""The engine deletes a ``--rm`` container a moment after it stopped."""


def create_successor(hands: Hands, step: CreateSuccessor) -> Json:
    """Create it, or find it created; its name is the lock."""
    try:
        container = hands.container(step.who)
    except NotFound:
        return {"id": _create(hands, step.who.name, step.blueprint)}
    _connect(hands, container.id, step.blueprint)
    return {"id": container.id}


def _create(hands: Hands, name: str, blueprint: Blueprint) -> str:
    named: Json = {**blueprint.body, "Image": _sure_ref(hands, blueprint)}
    body = _joined(hands, reveal(named, configs(hands, blueprint.donors)), blueprint.peers)
    try:
        made = hands.engine.create_container(name, body)
    except Conflict as error:
        raise _taken(hands, name, error) from None
    _connect(hands, made, blueprint)
    return made


def _joined(hands: Hands, body: Json, peers: tuple[Ours, ...]) -> Json:
    """With the containers it lives in or is linked to by id: their names are still those of the old ones."""
    host = body.get("HostConfig")
    if not peers or not isinstance(host, dict):
        return body
    ids = {peer.name: hands.ours(peer.run, peer.role).id for peer in peers}
    modes: Json = {f: f"container:{ids[name]}" for f in MODES if (name := _named(host.get(f))) in ids}
    links = [_link(each, ids) for each in strings(host.get("Links"))]
    return {**body, "HostConfig": {**host, **modes, **({"Links": [*links]} if links else {})}}


def _named(mode: JsonValue) -> str:
    kind, _, name = str(mode or "").partition(":")
    return name if kind == "container" else ""


def _link(link: str, ids: dict[str, str]) -> str:
    name, _, alias = link.partition(":")
    return f"{ids.get(name, name)}:{alias}"


def _sure_ref(hands: Hands, blueprint: Blueprint) -> str:
    """What to call the image: as people know it where that still means it, for a tag may have moved since."""
    image = hands.engine.image(blueprint.image_id)
    home = repository_of(blueprint.image_ref)
    digests = (digest for digest in image.digests if repository_of(digest) == home)
    return next((ref for ref in (blueprint.image_ref, *digests) if _means(hands, ref, image.id)), image.id)


def _means(hands: Hands, ref: str, image_id: str) -> bool:
    try:
        return hands.engine.image(ref).id == image_id
    except NotFound:
        return False


def _connect(hands: Hands, ref: str, blueprint: Blueprint) -> None:
    for network, settings in blueprint.connects:
        hands.engine.connect(network, ref, settings)


def _taken(hands: Hands, name: str, error: Conflict) -> RefloatError:
    try:
        holder = hands.engine.container(name).labels.get(RUN, "")
    except NotFound:
        return error
    if holder and holder != hands.run:
        return Busy("busy", f"Run {holder} holds this target: its container {name} is there.", then="refloat recover")
    return error


def hold_image(hands: Hands, step: HoldImage) -> Json:
    """Tag it; tagging again changes nothing."""
    repository, _, tag = step.tag.rpartition(":")
    hands.engine.tag(step.image_id, repository, tag)
    return {}


def stop_container(hands: Hands, step: StopContainer) -> Json:
    """Stop it and tell how it ended; ``unclean-stop`` where a clean one is required and it was killed."""
    try:
        container = hands.engine.container(step.who.id)
        hands.engine.stop(container.id, step.timeout_s)
        state = hands.engine.container(container.id).state
    except NotFound:
        if step.vanishes is None:
            raise
        return {"exit_code": None, "killed": False}
    if state.alive:
        raise EngineError("still-running", f"{step.who.name} is {state.status} although it was stopped.")
    killed = state.exit_code == KILLED or state.oom_killed
    if killed:
        _say_killed(hands, step)
    return {"exit_code": state.exit_code, "killed": killed}


def _say_killed(hands: Hands, step: StopContainer) -> None:
    text = (
        f"{step.who.name} did not stop within {step.timeout_s} s and was killed: "
        "its data is as after a crash (a longer stop timeout may help: --stop-timeout SECONDS)"
    )
    hands.note("warning", text, None)
    if step.clean_required:
        raise EngineError("unclean-stop", f"{text}; this product must be stopped cleanly before an upgrade.")


def start_successor(hands: Hands, who: Ours) -> Json:
    """Start it; what cannot even run tells its reason here."""
    container = hands.container(who)
    try:
        hands.engine.start(container.id)
    except EngineError as error:
        error.__dict__.setdefault("log", last_lines(hands, container))
        raise
    return {"started_at": hands.engine.container(container.id).state.started_at}


def start_again(hands: Hands, step: StartAgain) -> Json:
    """Start a container of the user's that was stopped for the others."""
    container = hands.container(step.who)
    hands.engine.start(container.id)
    return {"id": container.id}


def stop_again(hands: Hands, step: StopAgain) -> Json:
    """Stop it and see it down: its data is restored next."""
    container = _found(hands, step.who)
    return _stop(hands, container, step.timeout_s) if container else {}


def start_container(hands: Hands, step: StartContainer) -> Json:
    """Start the old one; create it again where the engine, or somebody, had deleted it."""
    _let_stop_end(hands, step)
    try:
        container = hands.container(step.who)
    except NotFound:
        if step.blueprint is None:
            hands.note("warning", f"{step.who.name} is gone, removed by somebody else: it is created again", None)
        container = hands.engine.container(_create_again(hands, step, step.blueprint or hands.way_back))
    hands.engine.start(container.id)
    return {"id": container.id}


def _let_stop_end(hands: Hands, step: StartContainer) -> None:
    """Stop it once more where nobody saw the stop end: the engine goes on with it after its runner died.

    Such an order kills, up to its timeout later, whatever runs by then; a second one returns only when it is through.
    """
    container = None if hands.found("stop-container") else _found(hands, step.who)
    if container is None or not container.state.alive:
        return
    hands.engine.stop(container.id, step.stop_timeout_s)
    until = hands.clock.monotonic() + GONE_S
    while step.blueprint and _found(hands, step.who) and hands.clock.monotonic() < until:
        hands.clock.sleep(GONE_PAUSE_S)


def _create_again(hands: Hands, step: StartContainer, blueprint: Blueprint) -> str:
    labels = blueprint.body.get("Labels")
    ours: Json = {**(labels if isinstance(labels, dict) else {}), RUN: step.run, ROLE: RETURNED}
    again = blueprint.model_copy(update={"body": {**blueprint.body, "Labels": ours}})
    return _create(hands, step.who.name, again)


def set_policy(hands: Hands, who: Who, policy: Json) -> Json:
    """Set the restart policy where it differs."""
    container = _found(hands, who)
    if container is not None and container.host_config.get("RestartPolicy") != policy:
        hands.engine.set_restart_policy(container.id, policy)
    return {}


def _found(hands: Hands, who: Who) -> Container | None:
    """The container, or None where it is one that the engine deletes when it stops."""
    try:
        return hands.container(who)
    except NotFound:
        return None


def set_name(hands: Hands, who: Who, name: str) -> Json:
    """Rename it where its name differs; a container the engine deleted needs no name."""
    container = _found(hands, who)
    if container is not None and container.name != name:
        hands.engine.rename(container.id, name)
    return {}


def remove_ours(hands: Hands, who: Ours) -> Json:
    """Remove it with the anonymous volumes made for it; what it shares by name stays."""
    try:
        container = hands.container(who)
        hands.engine.remove_container(container.id, force=True, volumes=True)
    except NotFound:
        return {}
    return {"removed": container.id}


def stop_ours(hands: Hands, step: StopOurs) -> Json:
    """Take its restart policy, stop it, and see it down."""
    container = _found(hands, step.who)
    if container is None:
        return {}
    return _stop(hands, container, step.timeout_s)


def _stop(hands: Hands, container: Container, timeout_s: int) -> Json:
    policy = container.host_config.get("RestartPolicy")
    if restarts(policy if isinstance(policy, dict) else {}):  # compose leaves none at all: that stays so
        hands.engine.set_restart_policy(container.id, NO_RESTART)
    hands.engine.stop(container.id, timeout_s)
    if hands.engine.container(container.id).state.alive:
        hands.engine.kill(container.id)
    state = hands.engine.container(container.id).state
    if state.alive:
        raise EngineError("still-running", f"{container.name} cannot be stopped: it is {state.status}.")
    return {"exit_code": state.exit_code}


def capture_failure(hands: Hands, who: Ours) -> Json:
    """Its state, exit code, last health output and last log lines, before anything is removed."""
    container = _found(hands, who)
    if container is None:
        return {}
    lines = last_lines(hands, container)
    return {"state": container.state.model_dump(mode="json"), "log": list(lines)}


def last_lines(hands: Hands, container: Container) -> tuple[str, ...]:
    """The last log lines, secrets hidden; none where the engine has none."""
    try:
        return quoted_lines(hands.engine.logs(container.id, tail=LAST_LINES), container, LAST_LINES)
    except EngineError:
        return ()


def release_image(hands: Hands, tag: str) -> Json:
    """Take our tag away."""
    hands.engine.untag(tag)
    return {}
