"""How the steps on configuration are performed: through the vault where the data is, and the new image's checker."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass

from pydantic import JsonValue

from runner.errors import EngineError, NotFound
from runner.facts import Container, Json, MountKind
from runner.hands import Hands
from runner.labels import DRAFT, ROLE, RUN, SUCCESSOR
from runner.perform_containers import last_lines, remove_ours
from runner.perform_data import ensure_sole_use
from runner.quoting import quoted_lines, quoted_text
from runner.spec.inspected import listed, text, texts, variables_of
from runner.steps.configuration import AsksImage, CheckConfiguration, CheckDraft, PrepareRefresh, RefreshConfiguration
from runner.steps.nouns import Existing
from runner.vault.configuration import Refreshed, RefreshOrder

TEXTS_PAPER = "answers.json"
"""The texts that go with prepared answers: SHA-256 → base64."""
HEAD_LINES = 200
NO_DRAFTS: Mapping[str, str] = {}


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
    return {"changed": done.changed, "counts": {**done.counts}, "paths": paths, "outcomes": {**done.outcomes}}


@dataclass(frozen=True)
class ImageAnswer:
    """What an image answered: the exit code (None: not in time), all it said, and its last lines fit to be shown."""

    code: int | None
    said: str
    container: Container
    lines: tuple[str, ...]


def check(hands: Hands, step: CheckConfiguration) -> Json:
    """Run the checker, unless it saw just this on a copy; EngineError ``bad-configuration`` with what it said."""
    seen = hands.found("check-draft").get("outcomes")
    if seen and seen == hands.found("refresh-configuration").get("outcomes"):
        return {"checked_before": True}
    return _checked(hands, step, {})


def check_draft(hands: Hands, step: CheckDraft) -> Json:
    """The same on a copy as the refresh will leave it; what is too big to be copied is left to the later check."""
    names = {place.path: f"refloat-{DRAFT}-{step.who.run}-{n}" for n, place in enumerate(step.order.places)}
    remove_ours(hands, step.who)
    try:
        ready = _ready(hands, step.owner, step.order)
        outcomes = hands.vault.draft_refresh(step.room, step.sources, ready, names)
        if not outcomes:
            return {"left_out": "it is too big to be copied"}
        return {**_checked(hands, step, names), "outcomes": {**outcomes}}
    finally:
        for name in names.values():
            with suppress(NotFound):
                hands.engine.remove_volume(name)


def _checked(hands: Hands, step: CheckConfiguration | CheckDraft, drafts: Mapping[str, str]) -> Json:
    answer = ask_image(hands, step, drafts)
    if answer.code != step.exit_status or (step.danger and re.search(step.danger, answer.said, re.MULTILINE)):
        raise _refused(step, answer.code, answer.lines)
    return {"exit_code": answer.code, "said": listed(quoted_lines(answer.said, answer.container, HEAD_LINES))}


def ask_image(hands: Hands, step: AsksImage, drafts: Mapping[str, str] = NO_DRAFTS) -> ImageAnswer:
    """Run a command of the new image in a container of its own, which is gone afterwards.

    ``drafts`` (path in the container → volume) are mounted over its data.
    """
    remove_ours(hands, step.who)
    successor = hands.container(step.successor)
    made = hands.engine.create_container(step.who.name, _body(step, successor, drafts))
    try:
        hands.engine.start(made)
        code = hands.engine.wait(made, step.timeout_s)
        container = hands.engine.container(made)
        return ImageAnswer(code, hands.engine.logs(made), container, last_lines(hands, container))
    finally:
        remove_ours(hands, step.who)


def _refused(step: CheckConfiguration | CheckDraft, code: int | None, lines: tuple[str, ...]) -> EngineError:
    ended = f"exit code {code}" if code is not None else f"no answer within {step.timeout_s:g} s"
    asked = " ".join(step.argv)
    what = f"The new version's own “{asked}” refuses the configuration: {ended} (--unchecked leaves that out)."
    error = EngineError("bad-configuration", what)
    error.__dict__["log"] = lines
    return error


def _body(step: AsksImage, successor: Container, drafts: Mapping[str, str]) -> Json:
    """The successor's own settings, with its data mounted read-only, drafts over it, and nobody to reach."""
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
            "Mounts": [*_read_only(successor, drafts)],
            "NetworkMode": "none",
            "LogConfig": {"Type": "json-file", "Config": {}},
            "SecurityOpt": ["no-new-privileges:true"],
        },
    }


def _read_only(successor: Container, drafts: Mapping[str, str]) -> list[Json]:
    mounts = [_volume(name, path) for path, name in drafts.items()]
    for each in successor.mounts:
        shown: Json = {"Target": each.destination, "ReadOnly": True}
        if each.destination in drafts:
            continue
        if each.kind is MountKind.VOLUME:
            mounts.append(_volume(each.name, each.destination))
        elif each.kind is MountKind.BIND:
            mounts.append({**shown, "Type": "bind", "Source": each.source})
    return mounts


def _volume(name: str, path: str) -> Json:
    return {"Type": "volume", "Source": name, "Target": path, "ReadOnly": True, "VolumeOptions": {"NoCopy": True}}
