"""What refloat.yaml wants to be told of a run: who, when, and that no message changes how the run ends."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from runner.cli.terminal import tell
from runner.errors import Stuck, UsageError

if TYPE_CHECKING:
    from runner.config.model import Event, TargetSettings
    from runner.outcome import Outcome
    from runner.plan import Plan
    from runner.records import Record


class Messages:
    """Sends nothing where nobody wants anything; then it loads nothing, either."""

    def __init__(self, settings: TargetSettings, *, strict: bool = True) -> None:
        """Find the services' URLs now: UsageError where a secret is missing, or a word about it if not ``strict``."""
        self._urls: list[tuple[tuple[Event, ...], str]] = []
        self._plan: Plan | None = None
        if not settings.notify:
            return
        from runner.notify import Post

        self._post = Post()
        try:
            self._find(settings)
        except UsageError as missing:
            if strict:
                raise
            tell(f"! Nobody is told: {missing.what}")

    def _find(self, settings: TargetSettings) -> None:
        from runner.config.place import config_folder
        from runner.config.secrets import secret_text

        self._urls = [(each.events, secret_text(each.url, config_folder())) for each in settings.notify]

    def beside(self, hear: Callable[[Record], None]) -> Callable[[Record], None]:
        """Hear every record after another listener did; the first one is the start of the run."""

        def both(record: Record) -> None:
            hear(record)
            if self._plan is not None and record.record == "opened":
                with contextlib.suppress(Exception):  # nothing about a message may break an upgrade half-way
                    self._start(self._plan)

        return both

    def _start(self, plan: Plan) -> None:
        from runner.notify import start_words

        self._plan = None
        self._send("start", *start_words(plan))

    @contextmanager
    def about(self, plan: Plan) -> Iterator[None]:
        """Know which run it is; tell where it raises that it is stuck."""
        self._plan = plan if self._urls else None
        try:
            yield
        except Stuck as error:
            self._send("stuck", f"{plan.target} is stuck between {plan.old.spoken} and {plan.new.spoken}", str(error))
            self._rest()
            raise

    def announce(self, target: str, what: str, when: str) -> None:
        """Tell what will happen, such as ``upgrade to 2.0``."""
        if self._urls:
            from runner.notify import announce_words

            self._send("announce", *announce_words(target, what, when))

    @contextmanager
    def ended(self, end: Outcome) -> Iterator[None]:
        """Tell how a run ended while the caller says so himself; then wait a moment, and say what failed."""
        if not self._urls:
            yield
            return
        from runner.notify import end_words
        from runner.report.ending import ending

        self._send(_event(end), *end_words(end, ending(end)))
        try:
            yield
        finally:
            self._rest()

    def _rest(self) -> None:
        for words in self._post.wait() if self._urls else ():
            tell(f"! {words}")

    def _send(self, event: Event, title: str, body: str) -> None:
        if not self._urls:
            return
        from runner.notify import Letter

        urls = tuple(url for wanted, url in self._urls if event in wanted)
        self._post.send(Letter(urls=urls, title=title, body=body))


def _event(end: Outcome) -> Event:
    from runner.records import End

    if end.end is End.NEW:
        return "verdict"
    return "rollback" if end.end is End.OLD else "stuck"
