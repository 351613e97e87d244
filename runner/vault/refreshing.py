"""A refresh as the program in the tools container is asked for it and answers; it runs nothing."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping

from pydantic import JsonValue, ValidationError

from runner.facts import Fact, Json
from runner.refresh.shipping import program
from runner.vault.answers import error_from
from runner.vault.configuration import OpenQuestion, PathTold, Refreshed, RefreshOrder, joined

Packed = dict[str, dict[str, bytes]]
"""Side (``old``, ``new``) → path of a place, or of a list of modes → a tar of its defaults, or of the list."""


class _PlaceAnswer(Fact):
    path: str
    paths: tuple[PathTold, ...]
    counts: dict[str, int]
    changed: int
    open: tuple[OpenQuestion, ...]


class _Answer(Fact):
    places: tuple[_PlaceAnswer, ...]
    outcomes: dict[str, str] = {}


def refresh_fields(run: str, order: RefreshOrder, packed: Packed | None, *, write: bool,
                   drafts: Mapping[str, str] | None = None) -> Json:  # fmt: skip
    """What goes into the request beside the room and the sources; ``drafts``: place → folder to make its copy in."""
    defaults: JsonValue = None
    if packed is not None:
        defaults = {side: {path: _text(tar) for path, tar in trees.items()} for side, trees in packed.items()}
    answers: list[JsonValue] = [
        {**each.model_dump(mode="json", exclude={"text_sha256"}), "text": order.texts.get(each.text_sha256, "")}
        for each in order.answers
    ]
    told: Json = {
        "run": run,
        "places": [place.model_dump(mode="json") for place in order.places],
        "old": order.old_image,
        "new": order.new_image,
        "tokens": {**order.tokens},
        "conflict": order.conflict.value,
        "answers": answers,
        "defaults": defaults,
        "write": write,
        "drafts": {**(drafts or {})},
    }
    return {"program": _text(program()), "order": told}


def _text(content: bytes) -> str:
    return b64encode(content).decode()


def refreshed_from(answer: bytes) -> Refreshed:
    """What the program says it did, or would do."""
    try:
        told = _Answer.model_validate_json(answer)
    except ValidationError:
        what = "The answer to a refresh makes no sense: the tools image is of another age."
        raise error_from("copy-failed", what, "refresh") from None
    done = joined(tuple(_refreshed(place) for place in told.places))
    return done.model_copy(update={"outcomes": told.outcomes})


def _refreshed(place: _PlaceAnswer) -> Refreshed:
    return Refreshed(places=(place.path,), paths=place.paths, counts=place.counts, changed=place.changed,
                     open=place.open)  # fmt: skip
