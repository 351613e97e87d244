"""`refloat refresh T`: what an upgrade would do to a target's configuration, and answers to its conflicts beforehand.

It writes nothing of the target's; the refresh itself is a step of `apply`.
"""

from __future__ import annotations

import sys
import tempfile
from base64 import b64decode
from pathlib import Path
from typing import TYPE_CHECKING

from runner.cli.asked import asked
from runner.cli.ground import open_session, place_from
from runner.cli.refresh_terminal import KeyTerminal
from runner.cli.terminal import say, say_json, tell
from runner.cli.wishes import Wishes
from runner.refresh.answers import answers_in, save_answers
from runner.refresh.choices import LOOK_AGAIN, Answer, Question, Texts
from runner.refresh.decide import Ask
from runner.refresh.menu import Menu
from runner.refresh.merge import Merge

if TYPE_CHECKING:
    from runner.vault.configuration import OpenQuestion

Answered = list[tuple[Question, Answer]]


def preview_target(target: str, wishes: Wishes, save: Path | None, *, as_json: bool) -> None:
    """Say what would become of the configuration, with diffs; at a terminal, first ask what is to be saved."""
    from runner.prepared import read_prepared
    from runner.report.refreshed import preview_json, preview_text
    from runner.verbs import Refloat

    want = asked(target, wishes)
    options, place = want.wishes.options, place_from(want.wishes.vault)
    runner = Refloat(open_session())
    world, seen = runner.look_at_configuration(want.target, want.wishes.goal, options, place)
    answered = _ask_each(seen.found.open) if seen and save and sys.stdin.isatty() else []
    if save:
        given = wishes.refresh.answers
        kept = [*(_given_before(given) if given else ()), *answered]
        save_answers(save, kept)
        tell(f"{len(kept)} answer(s) written to {save}." + (f" Use them: --answers {save}" if kept else ""))
    if save and answered:
        prepared = read_prepared(save)
        options = options.model_copy(update={"prepared": prepared.answers, "texts": prepared.texts})
        world, seen = runner.look_at_configuration(want.target, want.wishes.goal, options, place)
    say_json(preview_json(world, seen)) if as_json else say(preview_text(world, seen))


def _given_before(path: Path) -> Answered:
    """The answers of an earlier file: what is saved now stands beside them."""
    return [
        (Question(where, Ask(question), "", fingerprint), answer)
        for (where, question), (fingerprint, answer) in answers_in(path).items()
    ]


def _ask_each(questions: tuple[OpenQuestion, ...]) -> Answered:
    with tempfile.TemporaryDirectory(prefix="refloat-conflicts-") as folder:
        return [asked_about(each, Path(folder) / str(number)) for number, each in enumerate(questions)]


def asked_about(question: OpenQuestion, folder: Path) -> tuple[Question, Answer]:
    """Ask about one path; a shell opens on a copy of the file, so what is changed there changes nothing."""
    texts = {name: b64decode(text) for name, text in question.texts.items()}
    shown = folder / question.path.lstrip("/")
    shown.parent.mkdir(parents=True)
    if texts:
        shown.write_bytes(texts["user"])
    merged = Texts(texts["user"], texts["old"], texts["new"], Merge(texts["merged"], 1)) if texts else None
    plain = Question(question.path, Ask(question.question), question.sentence, question.fingerprint, merged)
    menu = Menu(KeyTerminal(), folder, called="/")
    inside = Question(question.path.lstrip("/"), plain.ask, plain.sentence, plain.fingerprint, merged)
    answer = menu(inside)
    while answer.choice == LOOK_AGAIN:
        answer = menu(inside)
    return plain, answer
