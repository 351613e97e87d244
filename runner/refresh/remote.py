"""A refresh where the data is: asked and answered with JSON; it asks no person and needs the standard library alone.

It is sent into the tools container with all of this package. What it did not finish there, it undoes when asked again;
what it did finish it does not do twice, for the store beside the data names the run that wrote it.
"""

from __future__ import annotations

import json
import os
import tempfile
from base64 import b64decode
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TypedDict

from runner.errors import Refused
from runner.refresh import beside
from runner.refresh.answers import PreparedAnswers
from runner.refresh.apply import apply, tree_of_our_own
from runner.refresh.choices import Answer, Conflict, Question, answer_by_policy
from runner.refresh.entries import Rules, printable
from runner.refresh.look import Defaults, Tokens, read_defaults
from runner.refresh.permissions import permissions_from
from runner.refresh.report import Report, report_of
from runner.refresh.root import Root
from runner.refresh.run import Opened, refuse_unfinished, unanswered
from runner.refresh.settle import settle
from runner.refresh.settlement import Settlement
from runner.refresh.store import adopt_draft, draft_store, drop_draft
from runner.refresh.telling import Told, told_of
from runner.refresh.undo import is_unfinished
from runner.refresh.unpack import holds_something, only_file, unpack

DEFAULTS, REPORTS = "defaults.json", "reports.json"


Packed = dict[str, dict[str, str]]
"""Side (``old``, ``new``) → path of a place, or of a list of modes → a tar of its defaults, or of the list; base64."""


class Place(TypedDict):
    """One tree of configuration: of which source, where in it, how its container calls it, and what in it to skip."""

    key: str
    inside: str
    path: str
    permissions: str
    """Where the images have a list of the defaults' modes; empty where they have none."""
    skip: list[str]
    modes_to_set: list[str]


class Prepared(TypedDict):
    """An answer given before; ``text`` is base64, empty where none goes with it."""

    path: str
    question: str
    fingerprint: str
    choice: str
    text: str


class Order(TypedDict):
    """What is to be refreshed, from which defaults to which, and who answers."""

    run: str
    places: list[Place]
    old: str
    new: str
    tokens: dict[str, str]
    conflict: str
    answers: list[Prepared]
    defaults: Packed | None
    """None takes those that are kept in the room."""
    write: bool


@dataclass(frozen=True)
class _Site:
    """One place, open and read."""

    place: Place
    store: Path
    world: Opened
    rules: Rules


def answer(order: Order, mounts: Path, kept: Path | None) -> dict[str, object]:
    """Preview or do what is ordered; ``mounts`` holds the sources by key, ``kept`` what a run needs again."""
    packed = _defaults(order, kept)
    with tempfile.TemporaryDirectory(prefix="refloat-refresh-") as scratch, ExitStack() as stack:
        sites = []
        for number, place in enumerate(order["places"]):
            if order["run"] or _is_there(order, place, mounts, packed):
                folder = Path(scratch) / str(number)
                folder.mkdir()
                sites.append(stack.enter_context(_opened(order, place, mounts, folder, packed)))
        told = _done(order, sites, kept) if order["write"] and kept else _previewed(order, sites)
    return {"places": told}


def _is_there(order: Order, place: Place, mounts: Path, packed: Packed) -> bool:
    """Whether a place has a tree, and defaults to compare it with; a look passes over all others."""
    try:
        _user_root(mounts / place["key"], place).close()
    except Refused:
        return False
    old, new = (holds_something(b64decode(packed[side].get(place["path"], ""))) for side in ("old", "new"))
    return new and (old or beside.stored_beside(_store(place, mounts), order["old"]) is not None)


def _store(place: Place, mounts: Path) -> Path:
    return beside.store_beside(mounts / place["key"], place["path"])


def _defaults(order: Order, kept: Path | None) -> Packed:
    given = order["defaults"]
    if given is not None and kept is not None:
        _write_whole(kept / DEFAULTS, json.dumps(given))
    if given is None and kept is not None:
        found: Packed = json.loads((kept / DEFAULTS).read_text())
        return found
    return given or {}


def _write_whole(path: Path, text: str) -> None:
    path.parent.mkdir(mode=0o700, exist_ok=True)
    draft = path.with_name(f"{path.name}.part")
    with draft.open("w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    draft.rename(path)


@contextmanager
def _opened(order: Order, place: Place, mounts: Path, scratch: Path, packed: Packed) -> Iterator[_Site]:
    top, store = mounts / place["key"], _store(place, mounts)
    tokens = tuple((name.encode(), value.encode()) for name, value in order["tokens"].items())
    with ExitStack() as stack:
        user = stack.enter_context(_user_root(top, place))
        old = stack.enter_context(_old_defaults(order, place, scratch, packed, store, tokens))
        modes = _unpacked(packed["new"], place, scratch / "new")
        new = Defaults(stack.enter_context(Root(scratch / "new")), tokens, modes)
        rules = Rules(frozenset((*place["skip"], beside.STORES)), frozenset(place["modes_to_set"]))
        yield _Site(place, store, Opened(old, new, user, read_defaults(old), read_defaults(new)), rules)


def _user_root(top: Path, place: Place) -> Root:
    try:
        with Root(top) as root:
            return root.inner(place["inside"])
    except OSError as error:
        what = f"{printable(place['path'])} is no directory of the data that can be read: {error.strerror}."
        raise Refused("refresh-no-tree", what, then="Look at it, or leave the refresh out: --no-refresh") from error


@contextmanager
def _old_defaults(order: Order, place: Place, scratch: Path, packed: Packed, store: Path,
                  tokens: Tokens) -> Iterator[Defaults]:  # fmt: skip
    """Those kept beside the data where they are of the version that runs, else the old image's."""
    if kept := beside.stored_beside(store, order["old"]):
        with Root(kept.directory) as root:
            yield Defaults(root, (), kept.modes)  # as they were installed: tokens are replaced in them already
        return
    modes = _unpacked(packed["old"], place, scratch / "old")
    with Root(scratch / "old") as root:
        yield Defaults(root, tokens, modes)


def _unpacked(trees: dict[str, str], place: Place, folder: Path) -> dict[str, int]:
    """Unpack the defaults of a place, and yield their modes: those of a list of the image's before the files' own."""
    listed = only_file(b64decode(trees.get(place["permissions"], "")))
    modes = unpack(b64decode(trees[place["path"]]), folder)
    return modes if listed is None else modes | permissions_from(listed, place["permissions"])


def _settled(order: Order, site: _Site) -> Settlement:
    def shown(question: Question) -> Answer:
        path = f"{site.place['path']}/{printable(question.path)}"
        return asks(replace(question, path=path))

    policy = partial(answer_by_policy, Conflict(order["conflict"]))
    asks = PreparedAnswers({_key(each): _answer(each) for each in order["answers"]}, policy)
    world = site.world
    return settle(world.old_tree, world.look_again(), world.new_tree, shown, world, site.rules)


def _key(prepared: Prepared) -> tuple[str, str]:
    return prepared["path"], prepared["question"]


def _answer(prepared: Prepared) -> tuple[str, Answer]:
    text = b64decode(prepared["text"]) if prepared["text"] else None
    return prepared["fingerprint"], Answer(prepared["choice"], text)


def _previewed(order: Order, sites: list[_Site]) -> list[Told]:
    for site in sites:
        refuse_unfinished(site.world.user, site.place["path"])
    return [told_of(site.place["path"], report_of(_settled(order, site), site.world)) for site in sites]


def _done(order: Order, sites: list[_Site], kept: Path) -> list[Told]:
    """Settle every place, write down what will be done, then do it; what was done before is only told again."""
    with ExitStack() as stack:
        left = [site for site in sites if not stack.enter_context(_taken_up(order, site))]
        settled = [(site, _settled(order, site)) for site in left]
        for _, settlement in settled:
            if settlement.still_open:
                raise unanswered(settlement)
        told = _recorded(kept) | {site.place["path"]: _told(site, settlement) for site, settlement in settled}
        _write_whole(kept / REPORTS, json.dumps(told))
        for site, settlement in settled:
            _write(order, site, settlement)
    return [told[site.place["path"]] for site in sites]


@contextmanager
def _taken_up(order: Order, site: _Site) -> Iterator[bool]:
    """Hold a tree, and say whether this run has refreshed it already; what it only began is undone."""
    if is_unfinished(site.world.user):
        drop_draft(site.store)
    with tree_of_our_own(site.world.user):
        if beside.drafted_by(site.store) == order["run"]:
            adopt_draft(site.store)
        stored = beside.stored_beside(site.store, order["new"])
        yield stored is not None and stored.run == order["run"]


def _recorded(kept: Path) -> dict[str, Told]:
    path = kept / REPORTS
    found: dict[str, Told] = json.loads(path.read_text()) if path.exists() else {}
    return found


def _told(site: _Site, settlement: Settlement) -> Told:
    report = report_of(settlement, site.world)
    return told_of(site.place["path"], Report(settlement, report.diffs, report.lost, applied=True))


def _write(order: Order, site: _Site, settlement: Settlement) -> None:
    def keep() -> None:
        beside.ensure_place(site.store)
        draft_store(site.store, site.world.new, site.world.new_tree, order["new"], order["run"])

    apply(site.world.user, site.world.new, settlement, before_accepting=keep)
    adopt_draft(site.store)
