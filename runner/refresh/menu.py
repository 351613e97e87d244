"""The conflict menu: which key does what, until a choice ends it; it sees and hears only through a `Terminal`."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from runner.errors import Interrupted, Refused
from runner.refresh.choices import (
    ABORT,
    INSTALL,
    KEEP,
    LOOK_AGAIN,
    RESTORE,
    SHELL,
    Answer,
    Question,
    Texts,
    keys_of,
    stop_on_abort,
)
from runner.refresh.entries import printable, printable_line
from runner.refresh.merge import Merge, merge
from runner.refresh.report import unified_diff

_MERGE_OPTIONS: Mapping[str, str] = {
    "diff": "show the difference between your file and the new default",
    "you": "show what you have changed",
    "new": "show what the new version has changed",
    "edit": "edit the half-merged file; then choose keep to accept it",
    "try again": "edit your own file, then merge again",
    KEEP: "accept the half-merged file as it is",
    RESTORE: "keep your own file, without the changes of the new version",
    INSTALL: "install the new default; your changes are lost",
    SHELL: "open a shell in the directory of the file; Ctrl-D returns",
    ABORT: "abort the whole refresh",
}
_TWO_WAY_OPTIONS: Mapping[str, str] = {
    KEEP: "keep yours",
    "replace": "replace yours by the new default",
    "remove": "remove yours",
    "default": "set the new default",
    SHELL: _MERGE_OPTIONS[SHELL],
    ABORT: _MERGE_OPTIONS[ABORT],
}


class Terminal(Protocol):
    """Where a person sits."""

    def show(self, text: str) -> None:
        """Show text that is safe to show."""

    def key(self) -> str:
        """Wait for one key."""

    def edit(self, path: Path) -> bool:
        """Open the person's editor; whether it ended well."""

    def shell(self, directory: Path, more_environment: Mapping[str, str]) -> None:
        """Open a shell until the person leaves it."""


class Menu:
    """Asks a person at a terminal about the conflicts of one tree; its paths are shown with ``called`` before them."""

    def __init__(self, terminal: Terminal, tree: Path, called: str = "") -> None:
        self._terminal = terminal
        self._tree = tree
        self._called = called

    def __call__(self, question: Question) -> Answer:
        """Ask until an answer is given; to abort is an error that ends the refresh."""
        self._terminal.show(f"\n ! {printable(self._called + question.path)}\n   {printable(question.sentence)}\n")
        try:
            return stop_on_abort(self._merge(question, question.texts) if question.texts else self._two_way(question))
        except KeyboardInterrupt as pressed:  # every question comes before the first byte is written
            raise Interrupted(
                "refresh-interrupted", "The refresh was interrupted.", then="Start it again any time."
            ) from pressed

    def failed(self, path: str, error: OSError) -> str:
        """Ask what to do about a path that cannot be changed."""
        self._terminal.show(f"\n ! {printable(path)} cannot be changed: {error.strerror or error}\n")
        return self._choose({"retry": "try it again", "continue": "leave it as it is and go on", ABORT: "undo all"})

    def _two_way(self, question: Question) -> Answer:
        options = {word: text for word, text in _TWO_WAY_OPTIONS.items() if word in (*question.choices, SHELL)}
        choice = self._choose(options)
        if choice != SHELL:
            return Answer(choice)
        self._shell(question.path, {})
        return Answer(LOOK_AGAIN)

    def _merge(self, question: Question, texts: Texts) -> Answer:
        try:
            with tempfile.TemporaryDirectory(prefix="refloat-conflict-") as folder:
                return self._merge_menu(question, texts, Path(folder))
        except OSError as error:
            what = f"The conflict in {printable(question.path)} cannot be shown: {error}"
            raise Refused("refresh-no-scratch", what, then="Make room for temporary files, then try again.") from error

    def _merge_menu(self, question: Question, texts: Texts, folder: Path) -> Answer:
        half_merged = folder / "half-merged"
        half_merged.write_bytes(texts.merged.text)
        while True:
            match self._choose(_MERGE_OPTIONS):
                case "edit":
                    self._edit(half_merged)
                case "try again":
                    merged = self._try_again(texts, folder)
                    half_merged.write_bytes(merged.text)
                    if merged.conflicts == 0:
                        self._terminal.show("   Merged.\n")
                        return Answer(KEEP, merged.text)
                    self._terminal.show(f"   Still {merged.conflicts} conflict(s).\n")
                case "shell":
                    self._shell(question.path, _files_for_a_shell(texts, folder, half_merged))
                    if self._is_another_file_now(question, texts):
                        return Answer(LOOK_AGAIN)
                case "diff" | "you" | "new" as which:
                    self._show_diff(texts, which)
                case choice:
                    return Answer(choice, half_merged.read_bytes() if choice == KEEP else None)

    def _is_another_file_now(self, question: Question, texts: Texts) -> bool:
        # Whoever changed the file itself in the shell has another one now: it is looked at and merged afresh.
        path = self._tree / question.path
        try:
            return path.is_symlink() or not path.is_file() or path.read_bytes() != texts.user
        except OSError:
            return True

    def _try_again(self, texts: Texts, folder: Path) -> Merge:
        yours = folder / "yours"
        yours.write_bytes(texts.user)
        self._edit(yours)
        return merge(yours.read_bytes(), texts.old, texts.new)

    def _edit(self, path: Path) -> None:
        if not self._terminal.edit(path):
            self._terminal.show("   The editor did not end well; set $VISUAL or $EDITOR to one that does.\n")

    def _shell(self, path: str, more_environment: Mapping[str, str]) -> None:
        for name, value in more_environment.items():
            self._terminal.show(f"   ${name} is {value}\n")
        self._terminal.shell((self._tree / path).parent, more_environment)

    def _show_diff(self, texts: Texts, which: str) -> None:
        pairs = {
            "diff": (texts.user, texts.new, "yours", "new default"),
            "you": (texts.old, texts.user, "old default", "yours"),
            "new": (texts.old, texts.new, "old default", "new default"),
        }
        diff = unified_diff(*pairs[which]).splitlines()
        self._terminal.show("".join(f"   {printable_line(line)}\n" for line in diff))

    def _choose(self, options: Mapping[str, str]) -> str:
        keys = keys_of(options)
        for key, option in keys.items():
            self._terminal.show(f"   {key}  {option:<10} {options[option]}\n")
        self._terminal.show("   ==> ")
        while (key := self._terminal.key().lower()) not in keys:
            pass
        self._terminal.show(f"{key}\n")
        return keys[key]


def _files_for_a_shell(texts: Texts, folder: Path, half_merged: Path) -> dict[str, str]:
    named = {"REFLOAT_OLD": (folder / "old-default", texts.old), "REFLOAT_NEW": (folder / "new-default", texts.new)}
    for path, text in named.values():
        path.write_bytes(text)
    return {"REFLOAT_MERGED": os.fspath(half_merged)} | {name: str(path) for name, (path, _) in named.items()}
