"""A whole refresh of plain directories: look, settle, apply, report; it prints nothing and asks only through `asks`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from runner.errors import Refused, UsageError
from runner.refresh.apply import Fails, abort_on_failure, apply, tree_of_our_own
from runner.refresh.choices import Asks
from runner.refresh.entries import Entry, Rules, Tree, printable
from runner.refresh.look import (
    Defaults,
    Tokens,
    names_below,
    read_defaults,
    read_user,
    refusing_what_cannot_be_read,
    text_of,
)
from runner.refresh.report import Report, report_of
from runner.refresh.root import Root
from runner.refresh.settle import settle
from runner.refresh.settlement import Settlement
from runner.refresh.store import ensure_it_may_be_a_store, write_store
from runner.refresh.undo import is_unfinished


@dataclass(frozen=True)
class Trees:
    """The three directories of a refresh, and what the product says about them."""

    old: Path
    new: Path
    user: Path
    rules: Rules = field(default_factory=Rules)
    old_tokens: Tokens = ()
    new_tokens: Tokens = ()
    old_modes: Mapping[str, int] = field(default_factory=dict)
    new_modes: Mapping[str, int] = field(default_factory=dict)
    store: Path | None = None  # where the new defaults are kept after success


@dataclass(frozen=True)
class Opened:
    """The three directories, open and read: what settling looks at."""

    old: Defaults
    new: Defaults
    user: Root
    old_tree: Tree
    new_tree: Tree

    def user_text(self, path: str) -> bytes:
        """Read the user's file."""
        with refusing_what_cannot_be_read(self.user, path):
            return text_of(self.user, path)

    def old_text(self, path: str) -> bytes:
        """Read the old default."""
        with refusing_what_cannot_be_read(self.old.root, path):
            return self.old.text(path)

    def new_text(self, path: str) -> bytes:
        """Read the new default."""
        with refusing_what_cannot_be_read(self.new.root, path):
            return self.new.text(path)

    def look_again(self) -> dict[str, Entry]:
        """Read the user's tree again."""
        return read_user(self.user, self.old_tree, self.new_tree)

    def below(self, path: str) -> tuple[str, ...]:
        """List everything the user has under a directory."""
        return names_below(self.user, path)


def preview(trees: Trees, asks: Asks) -> Report:
    """Settle a refresh and say what it would do; nothing is written."""
    with opened(trees) as world:
        refuse_unfinished(world.user, str(trees.user))
        return report_of(_settled(trees, world, asks), world)


def refresh(
    trees: Trees,
    asks: Asks,
    fails: Fails = abort_on_failure,
    settled: Callable[[Settlement], None] = lambda _settlement: None,
) -> Report:
    """Settle a refresh, tell ``settled``, and make its changes: all of them, or none."""
    if trees.store:
        ensure_it_may_be_a_store(trees.store)
    with opened(trees) as world, tree_of_our_own(world.user):
        settlement = _settled(trees, world, asks)
        if settlement.still_open:
            raise unanswered(settlement)
        settled(settlement)
        report = report_of(settlement, world)
        left_out = apply(world.user, world.new, settlement, fails)
        if trees.store:
            _keep_defaults(trees.store, world)
        return Report(settlement, report.diffs, report.lost, applied=True, left_out=left_out)


def _keep_defaults(store: Path, world: Opened) -> None:
    try:
        write_store(store, world.new, world.new_tree)
    except UsageError as error:
        stands = "The refresh itself is done; only its defaults are not kept for the next one."
        raise UsageError(error.code, error.what, stands, "Run the same command again once there is room.") from error


def refuse_unfinished(tree: Root, called: str) -> None:
    """Refused where an interrupted refresh has not been undone yet, so that what is there is half of something."""
    if is_unfinished(tree):
        what = f"A refresh of {printable(called)} was interrupted and is not undone yet."
        raise Refused("refresh-unfinished", what, then="Run that one again: it is undone first.")


def unanswered(settlement: Settlement) -> Refused:
    """Say which conflicts nobody has answered."""
    paths = ", ".join(printable(question.path) for question in settlement.still_open[:5])
    count = len(settlement.still_open)
    what = f"{count} conflict(s) need an answer, and there is no terminal to ask at: {paths}{'…' if count > 5 else ''}."
    then = "Run it at a terminal, prepare --answers, or choose --conflict install, keepold or abort."
    return Refused("refresh-unanswered", what, then=then)


@contextmanager
def opened(trees: Trees) -> Iterator[Opened]:
    """Open the three directories and read the defaults."""
    with _root(trees.old, "--old") as old, _root(trees.new, "--new") as new, _root(trees.user, "--tree") as user:
        before, after = (
            Defaults(old, trees.old_tokens, trees.old_modes),
            Defaults(new, trees.new_tokens, trees.new_modes),
        )
        yield Opened(before, after, user, read_defaults(before), read_defaults(after))


def _settled(trees: Trees, world: Opened, asks: Asks) -> Settlement:
    return settle(world.old_tree, world.look_again(), world.new_tree, asks, world, trees.rules)


def _root(path: Path, option: str) -> Root:
    try:
        return Root(path)
    except OSError as error:
        what = f"{option} {printable(str(path))} is no directory that can be read: {error.strerror}."
        raise UsageError("refresh-no-directory", what, then="Check the path.") from error
