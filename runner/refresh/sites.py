"""A place of configuration where the data is, opened beside its defaults, and settled; nothing of it is changed."""

from __future__ import annotations

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
from runner.refresh.choices import Answer, Conflict, Question, answer_by_policy
from runner.refresh.entries import Rules, printable
from runner.refresh.look import Defaults, Tokens, read_defaults
from runner.refresh.permissions import permissions_from
from runner.refresh.root import Root
from runner.refresh.run import Opened
from runner.refresh.settle import settle
from runner.refresh.settlement import Settlement
from runner.refresh.unpack import holds_something, only_file, unpack

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
    drafts: dict[str, str]
    """Path of a place → a folder of our own that shall become what the place would; empty where nobody wants that."""


@dataclass(frozen=True)
class Site:
    """One place, open and read."""

    place: Place
    store: Path
    world: Opened
    rules: Rules


def is_there(order: Order, place: Place, mounts: Path, packed: Packed) -> bool:
    """Whether a place has a tree, and defaults to compare it with; a look passes over all others."""
    try:
        _user_root(mounts / place["key"], place).close()
    except Refused:
        return False
    old, new = (holds_something(b64decode(packed[side].get(place["path"], ""))) for side in ("old", "new"))
    return new and (old or beside.stored_beside(_store(place, mounts), order["old"]) is not None)


def _store(place: Place, mounts: Path) -> Path:
    return beside.store_beside(mounts / place["key"], place["path"])


@contextmanager
def opened(order: Order, place: Place, mounts: Path, scratch: Path, packed: Packed) -> Iterator[Site]:
    """Open a place, and unpack its defaults into ``scratch``; Refused where it is no directory."""
    top, store = mounts / place["key"], _store(place, mounts)
    tokens = tuple((name.encode(), value.encode()) for name, value in order["tokens"].items())
    with ExitStack() as stack:
        user = stack.enter_context(_user_root(top, place))
        old = stack.enter_context(_old_defaults(order, place, scratch, packed, store, tokens))
        modes = _unpacked(packed["new"], place, scratch / "new")
        new = Defaults(stack.enter_context(Root(scratch / "new")), tokens, modes)
        rules = Rules(frozenset((*place["skip"], beside.STORES)), frozenset(place["modes_to_set"]))
        yield Site(place, store, Opened(old, new, user, read_defaults(old), read_defaults(new)), rules)


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


def settled(order: Order, site: Site) -> Settlement:
    """What a refresh of the place comes to, by the order's answers and policy; it may leave questions open."""

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
