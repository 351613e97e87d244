"""How the steps on configuration are performed: through the vault where the data is, and the new image's checker."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass

from pydantic import JsonValue

from runner.errors import EngineError, NotFound
from runner.facts import Container, Json, MountKind
from runner.hands import Hands
from runner.labels import ROLE, RUN, SUCCESSOR
from runner.perform_containers import last_lines, remove_ours
from runner.perform_data import ensure_sole_use
from runner.quoting import quoted_lines, quoted_text
from runner.spec.inspected import listed, text, texts, variables_of
from runner.steps.configuration import AsksImage, CheckConfiguration, PrepareRefresh, RefreshConfiguration
from runner.steps.nouns import Existing
from runner.vault.configuration import Refreshed, RefreshOrder

TEXTS_PAPER = "answers.json"
"""The texts that go with prepared answers: SHA-256 → base64."""
HEAD_LINES = 200


def prepare_refresh(hands: Hands, step: PrepareRefresh) -> Json:
    """Look at the data as it is now; VaultError where a conflict is another one than was answered."""
    seen = hands.vault.prepare_refresh(step.room, step.sources, _ready(hands, step.who, step.order))
    if seen.open:
        what = f"{seen.open[0].path}: {seen.open[0].sentence} Nobody has answered that."
        raise EngineError("refresh-unanswered", what)
    return {"changed": seen.changed}


def refresh(hands: Hands, step: RefreshConfiguration) -> Json:
    """Refresh what nobody runs on, and tell every path of which there is something to say."""
    ensure_sole_use(hands, step.sources)
    hands.vault.sealed(step.room)
    done = hands.vault.refresh(step.room, step.sources, _ready(hands, step.who, step.order))
    return told(done, _whose(hands, step.who))


def _whose(hands: Hands, who: Existing) -> Container:
    """The old container, or its successor with the same settings: the engine deletes a ``--rm`` one when it stops."""
    try:
        return hands.container(who)
    except NotFound:
        return hands.ours(hands.run, SUCCESSOR)


def _ready(hands: Hands, who: Existing, order: RefreshOrder) -> RefreshOrder:
    texts_of_answers: dict[str, str] = json.loads(hands.papers.get(TEXTS_PAPER, "{}"))
    return order.ready(variables_of(_whose(hands, who)), texts_of_answers)


def told(done: Refreshed, container: Container) -> Json:
    """A refresh for the journal; what looks like a secret in its diffs is hidden."""
    paths: list[JsonValue] = [
        {"path": each.path, "lines": listed(each.lines), "diff": quoted_text(each.diff, container)}
        for each in done.paths
    ]
    return {"changed": done.changed, "counts": {**done.counts}, "paths": paths}


@dataclass(frozen=True)
class ImageAnswer:
    """What an image answered: the exit code (None: not in time), all it said, and its last lines fit to be shown."""

    code: int | None
    said: str
    container: Container
    lines: tuple[str, ...]


def check(hands: Hands, step: CheckConfiguration) -> Json:
    """Run the checker; EngineError ``bad-configuration`` with what it said."""
    answer = ask_image(hands, step)
    if answer.code != step.exit_status or (step.danger and re.search(step.danger, answer.said, re.MULTILINE)):
        raise _refused(step, answer.code, answer.lines)
    return {"exit_code": answer.code, "said": listed(quoted_lines(answer.said, answer.container, HEAD_LINES))}


def ask_image(hands: Hands, step: AsksImage) -> ImageAnswer:
    """Run a command of the new image in a container of its own, which is gone afterwards."""
    remove_ours(hands, step.who)
    successor = hands.container(step.successor)
    made = hands.engine.create_container(step.who.name, _body(step, successor))
    try:
        hands.engine.start(made)
        code = hands.engine.wait(made, step.timeout_s)
        container = hands.engine.container(made)
        return ImageAnswer(code, hands.engine.logs(made), container, last_lines(hands, container))
    finally:
        remove_ours(hands, step.who)


def _refused(step: CheckConfiguration, code: int | None, lines: tuple[str, ...]) -> EngineError:
    ended = f"exit code {code}" if code is not None else f"no answer within {step.timeout_s:g} s"
    asked = " ".join(step.argv)
    what = f"The new version's own “{asked}” refuses the configuration: {ended} (--unchecked leaves that out)."
    error = EngineError("bad-configuration", what)
    error.__dict__["log"] = lines
    return error


def _body(step: AsksImage, successor: Container) -> Json:
    """The successor's own settings, with its data mounted read-only and nobody to reach."""
    config = successor.config
    before = texts(config.get("Entrypoint")) if step.entrypoint else ()
    argv = (*before, *step.argv)
    return {
        "Image": step.image_id,
        "Entrypoint": [argv[0]],
        "Cmd": listed(argv[1:]),
        "Env": listed(texts(config.get("Env"))),
        "User": text(config.get("User")),
        "WorkingDir": text(config.get("WorkingDir")),
        "Healthcheck": {"Test": ["NONE"]},
        "NetworkDisabled": True,
        "Labels": {RUN: step.who.run, ROLE: step.who.role},
        "HostConfig": {
            "Mounts": [*_read_only(successor)],
            "NetworkMode": "none",
            "LogConfig": {"Type": "json-file", "Config": {}},
            "SecurityOpt": ["no-new-privileges:true"],
        },
    }


def _read_only(successor: Container) -> list[Json]:
    mounts: list[Json] = []
    for each in successor.mounts:
        shown: Json = {"Target": each.destination, "ReadOnly": True}
        if each.kind is MountKind.VOLUME:
            mounts.append({**shown, "Type": "volume", "Source": each.name, "VolumeOptions": {"NoCopy": True}})
        elif each.kind is MountKind.BIND:
            mounts.append({**shown, "Type": "bind", "Source": each.source})
    return mounts
