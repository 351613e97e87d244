"""`refloat refresh`: bring new default configuration into a tree, keeping local changes; it decides nothing itself."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from runner.cli.refresh_target import preview_target
from runner.cli.refresh_terminal import KeyTerminal
from runner.cli.terminal import say
from runner.cli.wishes import ConfigPaths, Image, PullWish, RefreshWishes, To, Wishes
from runner.errors import Interrupted, UsageError
from runner.refresh.answers import read_answers, save_answers
from runner.refresh.apply import Fails, abort_on_failure
from runner.refresh.choices import Asks, Conflict, answer_by_policy
from runner.refresh.entries import Rules
from runner.refresh.look import Tokens
from runner.refresh.menu import Menu
from runner.refresh.permissions import read_permissions
from runner.refresh.report import Report
from runner.refresh.run import Trees, preview, refresh
from runner.refresh.settlement import Settlement
from runner.refresh.store import stored_defaults

_TREE_HELP = "The configuration in use, with your changes; the only directory written to."
_OLD_HELP = "The defaults of the version in use; if left out, those kept in --store."
_STORE_HELP = "Keep the new defaults here after success, for the next refresh."
_OldDirectory = Annotated[Path | None, typer.Option("--old", metavar="DIR", help=_OLD_HELP)]
_Store = Annotated[Path | None, typer.Option("--store", metavar="DIR", help=_STORE_HELP)]
_NewDirectory = Annotated[Path | None, typer.Option("--new", metavar="DIR", help="The defaults of the new version.")]
_TreeDirectory = Annotated[Path | None, typer.Option("--tree", metavar="DIR", help=_TREE_HELP)]
_OnConflict = Annotated[Conflict, typer.Option("--conflict", help="What to do with a conflict nobody has answered.")]
_Target = Annotated[
    str, typer.Argument(metavar="[T]", help="A target: say what `apply` would do to its configuration; always a look.")
]
_OnlyPreview = Annotated[bool, typer.Option("--preview", help="Say what would be done, with diffs; write nothing.")]
_AsJson = Annotated[bool, typer.Option("--json", help="Report for a program.")]
_Answers = Annotated[Path | None, typer.Option("--answers", metavar="FILE", help="Answers prepared before, as JSON.")]
_SaveAnswers = Annotated[
    Path | None, typer.Option("--save-answers", metavar="FILE", help="Write the answers given to this file.")
]
_Skip = Annotated[
    list[str] | None, typer.Option("--skip", metavar="PATH", help="A path to leave alone, with all below it.")
]
_OldPermissions = Annotated[
    Path | None,
    typer.Option("--old-permissions", metavar="FILE", help="The old defaults' modes, PATH MODE a line."),
]
_NewPermissions = Annotated[
    Path | None,
    typer.Option("--new-permissions", metavar="FILE", help="The new defaults' modes, PATH MODE a line."),
]
_Token = Annotated[
    list[str] | None, typer.Option("--token", metavar="TOKEN=VALUE", help="A token to replace in the defaults.")
]


def refresh_command(
    target: _Target = "",
    to: To = "",
    image: Image = "",
    pull: PullWish = None,
    config_path: ConfigPaths = None,
    new: _NewDirectory = None,
    tree: _TreeDirectory = None,
    old: _OldDirectory = None,
    store: _Store = None,
    conflict: _OnConflict = Conflict.ASK,
    only_preview: _OnlyPreview = False,
    as_json: _AsJson = False,
    answers: _Answers = None,
    save: _SaveAnswers = None,
    skip: _Skip = None,
    token: _Token = None,
    old_permissions: _OldPermissions = None,
    new_permissions: _NewPermissions = None,
) -> None:
    """Refresh configuration: new defaults in, your changes kept, conflicts asked about. All of it, or nothing.

    With --old, --new and --tree it works on plain directories. With a target it only says what an upgrade would do to
    the configuration on its data, and saves answers for it; `refloat apply` does it, between snapshot and start.
    """
    if target:
        _refuse_directories(old, new, tree, store, skip, token, old_permissions, new_permissions)
        how = RefreshWishes.of(False, config_path, _said(conflict), answers)
        preview_target(target, Wishes(to, image, pull, refresh=how), save, as_json=as_json)
        return
    if to or image or pull or config_path:
        raise _not_named("--to, --image, --pull and --config-path go with a target, and none is named.")
    if new is None or tree is None:
        missing = [name for name, given in (("--new", new), ("--tree", tree)) if given is None]
        raise _not_named(f"{' and '.join(missing)}: not named, so there is nothing to refresh.")
    rules = Rules(unmanaged=frozenset(path.strip("/") for path in skip or ()))
    found = _trees(old, store, new, tree, rules, _tokens_from(token or []))
    trees = _with_modes(found, old_permissions, new_permissions)
    report = _refreshed(trees, conflict, answers, save, only_preview=only_preview)
    _print(report, as_json=as_json, diffs=only_preview)


def _refreshed(trees: Trees, conflict: Conflict, answers: Path | None, save: Path | None, *,
               only_preview: bool) -> Report:  # fmt: skip
    asks, fails = _who_answers(trees.user, conflict, silent=only_preview and save is None)
    if answers:
        asks = read_answers(answers, asks)
    try:
        return _preview(trees, asks, save) if only_preview else refresh(trees, asks, fails, _saving(save))
    except KeyboardInterrupt as pressed:
        stands = "All of it is done, or none of it; if it was just being undone, the next run finishes that first."
        then = "Start it again any time."
        raise Interrupted("refresh-interrupted", "The refresh was interrupted.", stands, then) from pressed


def _said(conflict: Conflict) -> str | None:
    """What the command line says of conflicts, so that it can give way to refloat.yaml."""
    return None if conflict is Conflict.ASK else conflict.value


def _refuse_directories(*named: object) -> None:
    if any(named):
        what = "A target brings its own defaults and its own tree: no directory goes with it."
        raise UsageError("refresh-what", what, then="refloat refresh T --to VERSION")


def _not_named(what: str) -> UsageError:
    then = "Name a target with --to VERSION, or directories: --old DIR --new DIR --tree DIR"
    return UsageError("refresh-what", what, then=then)


def _trees(old: Path | None, store: Path | None, new: Path, tree: Path, rules: Rules, tokens: Tokens) -> Trees:
    if old:
        return Trees(old, new, tree, rules, tokens, tokens, store=store)
    if store is None:
        then = "Name them with --old, or a --store an earlier refresh has kept them in."
        raise UsageError("refresh-no-old", "The defaults of the version in use are not known.", then=then)
    kept = stored_defaults(store)  # as they were installed: tokens are replaced in them already
    return Trees(kept.directory, new, tree, rules, (), tokens, kept.modes, store=store)


def _with_modes(trees: Trees, old: Path | None, new: Path | None) -> Trees:
    if old:
        trees = replace(trees, old_modes=read_permissions(old))
    return replace(trees, new_modes=read_permissions(new)) if new else trees


def _preview(trees: Trees, asks: Asks, save: Path | None) -> Report:
    report = preview(trees, asks)
    _saving(save)(report.settlement)
    return report


def _who_answers(tree: Path, conflict: Conflict, *, silent: bool) -> tuple[Asks, Fails]:
    """Choose who answers: a policy, or the person at the terminal; a preview asks only if answers are to be saved."""
    if conflict is not Conflict.ASK or silent or not sys.stdin.isatty():
        return partial(answer_by_policy, conflict), abort_on_failure
    menu = Menu(KeyTerminal(), tree)
    return menu, menu.failed


def _saving(save: Path | None) -> Callable[[Settlement], None]:
    def saving(settlement: Settlement) -> None:
        if save:
            save_answers(save, settlement.answered)

    return saving


def _tokens_from(pairs: list[str]) -> Tokens:
    wrong = [pair for pair in pairs if not pair.partition("=")[0] or "=" not in pair]
    if wrong:
        raise UsageError("refresh-bad-token", f"{wrong[0]!r} is no token.", then="Write --token '###SITE###=mysite'.")
    return tuple((name.encode(), value.encode()) for name, _, value in (pair.partition("=") for pair in pairs))


def _print(report: Report, *, as_json: bool, diffs: bool) -> None:
    # Names may hold what is no UTF-8: escaped, it passes through any terminal and any parser.
    say(json.dumps(report.plain(), indent=2) if as_json else report.text(diffs=diffs))
