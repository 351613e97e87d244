"""How hooks are called: in the container, in a small one beside it, or on the host; it chooses no command."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from dataclasses import replace

from runner.errors import EngineError, Interrupted, NotFound, RefloatError
from runner.facts import Container, Finished, Json
from runner.hands import Hands
from runner.labels import HOOK, ROLE, RUN
from runner.perform_containers import last_lines
from runner.plan import Member, Plan
from runner.probes.prober import TOOLS_IMAGE
from runner.quoting import SHORTEST_SECRET, quoted_lines
from runner.spec.inspected import listed
from runner.spec.secrets import HIDDEN, SECRET_NAME
from runner.steps.back import CallBack
from runner.steps.calls import HookCall
from runner.steps.hooks import CallHook
from runner.steps.nouns import Who
from runner.vault.tools_image import ensure_tools_image

NOT_NOW = 75
"""The exit status with which a hook before the stop calls the upgrade off (EX_TEMPFAIL)."""
LAST_LINES = 20
PAUSE_S = 1.0
NOBODY = "65534:65534"


def facts_of(plan: Plan, member: Member) -> dict[str, str]:
    """What every hook of a member is told of the run."""
    return {
        "REFLOAT_RUN": plan.run,
        "REFLOAT_TARGET": member.target,
        "REFLOAT_VERB": plan.verb,
        "REFLOAT_OLD_VERSION": member.old.version,
        "REFLOAT_NEW_VERSION": member.new.version,
        "REFLOAT_OLD_IMAGE": member.old.image_ref,
        "REFLOAT_NEW_IMAGE": member.new.image_ref,
    }


def call_hook(hands: Hands, step: CallHook) -> Json:
    """Call it; EngineError ``hook-failed``, or ``not-now`` where it calls the upgrade off before anything stopped."""
    try:
        return _called(hands, step.who, step.call, {"after-verdict": "accepted"}.get(step.call.point, ""))
    except Interrupted:
        raise
    except RefloatError as error:
        if not step.only_warns:
            raise _as_its_container_tells(hands, step, error) from None
        return _warned(hands, error)


def _as_its_container_tells(hands: Hands, step: CallHook, error: RefloatError) -> RefloatError:
    """Why a hook failed: a container that has ended by itself says more than that nothing could be run in it."""
    container = _asked(hands, step.who) if step.call.where == "container" else None
    if container is None or container.state.status == "running":
        return error
    ended = f"it is {container.state.status} with exit code {container.state.exit_code}"
    told = EngineError("hook-failed", f"{container.name} did not stay up for the hook {step.call.spoken}: {ended}.")
    told.__dict__["log"] = last_lines(hands, container)
    return told


def call_back(hands: Hands, step: CallBack) -> Json:
    """Call it on the way back, which nothing about a hook may end."""
    try:
        return _called(replace(hands, interrupted=lambda: False), step.who, step.call, "rolled-back")
    except RefloatError as error:
        return _warned(hands, error)


def _warned(hands: Hands, error: RefloatError) -> Json:
    hands.note("warning", error.what, None)
    return {"failed": error.what, "said": listed(getattr(error, "log", ()))}


def _called(hands: Hands, who: Who, call: HookCall, verdict: str) -> Json:
    told = {**hands.told, "REFLOAT_POINT": call.point, "REFLOAT_VERDICT": verdict}
    given = {name: os.environ[name] for name in call.env if name in os.environ}
    container = _asked(hands, who)
    finished = _run(hands, container, call, call.argv, {**told, **given})
    said = _said(finished, container, given)
    if finished.exit_code != 0:
        raise _failed(call, finished, said)
    if call.confirm:
        _confirm(hands, container, call, {**told, **given})
    return {"exit_code": 0, "said": listed(said)}


def _asked(hands: Hands, who: Who) -> Container | None:
    """The container, or None where the engine has deleted it (``--rm``): a hook on the host needs none."""
    try:
        return hands.container(who)
    except NotFound:
        return None


def _run(hands: Hands, container: Container | None, call: HookCall, argv: tuple[str, ...],
         environment: dict[str, str]) -> Finished:  # fmt: skip
    if call.where == "host":
        return hands.host(argv, environment=environment, folder=call.folder, timeout_s=call.timeout_s,
                          interrupted=hands.interrupted)  # fmt: skip
    if container is None:
        raise NotFound("not-found", f"The hook {call.spoken} cannot be called: its container is gone.")
    if call.where == "container":
        return hands.engine.execute(container.id, argv, timeout_s=call.timeout_s, environment=environment)
    return _run_beside(hands, container, argv, call.timeout_s, environment)


def _run_beside(hands: Hands, container: Container, argv: tuple[str, ...], timeout_s: float,
                environment: dict[str, str]) -> Finished:  # fmt: skip
    """On the same network, with no right to anything."""
    with beside(hands, str(container.host_config.get("NetworkMode") or "default")) as name:
        return hands.engine.execute(name, argv, timeout_s=timeout_s, environment=environment)


@contextlib.contextmanager
def beside(hands: Hands, network: str) -> Iterator[str]:
    """A container of our tools on a network (a ``NetworkMode``) while the block lasts; yields its name."""
    ensure_tools_image(hands.engine, TOOLS_IMAGE, lambda text: hands.note("seen", text, None))
    name = f"refloat-hook-{hands.run}"
    _remove(hands, name)
    try:
        hands.engine.create_container(name, _body(network, hands.run))
        hands.engine.start(name)
        yield name
    finally:
        _remove(hands, name)


def _remove(hands: Hands, name: str) -> None:
    with contextlib.suppress(NotFound):
        hands.engine.remove_container(name, force=True, volumes=True)


def _body(network: str, run: str) -> Json:
    return {
        "Image": TOOLS_IMAGE,
        "Entrypoint": ["sleep"],
        "Cmd": ["infinity"],
        "User": NOBODY,
        "WorkingDir": "/tmp",  # noqa: S108  # inside the container, and its own
        "StopSignal": "SIGKILL",
        "Labels": {RUN: run, ROLE: HOOK},
        "Healthcheck": {"Test": ["NONE"]},
        "HostConfig": {
            "NetworkMode": network,
            "ReadonlyRootfs": True,
            "Tmpfs": {"/tmp": "mode=1777"},  # noqa: S108  # the same
            "CapDrop": ["ALL"],
            "SecurityOpt": ["no-new-privileges"],
            "LogConfig": {"Type": "none"},
        },
    }


def _said(finished: Finished, container: Container | None, given: dict[str, str]) -> tuple[str, ...]:
    """The last lines of both streams, secrets hidden: those of the container, and what it was given or we have."""
    text = f"{finished.text}\n{finished.complaint}"
    mine = (value for name, value in os.environ.items() if SECRET_NAME.search(name) or name in given)
    for secret in sorted({value for value in mine if len(value) >= SHORTEST_SECRET}, key=len, reverse=True):
        text = text.replace(secret, HIDDEN)
    return tuple(line for line in quoted_lines(text, container, LAST_LINES) if line.strip())


def _failed(call: HookCall, finished: Finished, said: tuple[str, ...]) -> EngineError:
    if finished.exit_code == NOT_NOW and call.point == "before-stop":
        error = EngineError("not-now", f"The hook {call.spoken} says: not now.")
    else:
        code = finished.exit_code
        ended = f"exit code {code}" if code is not None else f"it took longer than {call.timeout_s:g} s"
        error = EngineError("hook-failed", f"The hook {call.spoken} at {call.point} failed: {ended}.")
    error.__dict__["log"] = said
    return error


def _confirm(hands: Hands, container: Container | None, call: HookCall, environment: dict[str, str]) -> None:
    """Ask until it is so, or the time is over; EngineError ``hook-failed``."""
    until = hands.clock.monotonic() + call.timeout_s
    while True:
        finished = _run(hands, container, call, call.confirm, environment)
        if finished.exit_code == 0:
            return
        if hands.clock.monotonic() >= until:
            what = f"The hook {call.spoken} ran, but “{' '.join(call.confirm)}” does not confirm it."
            error = EngineError("hook-failed", what)
            error.__dict__["log"] = _said(finished, container, {})
            raise error
        hands.clock.sleep(PAUSE_S)
