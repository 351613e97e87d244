"""Messages to people's own services by Apprise, each from a process of its own: no run ever waits for one, or fails.

As a program (``python -m runner.notify``) it reads one letter on standard input, delivers it, and prints what failed.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from runner.facts import Fact
from runner.outcome import Outcome
from runner.plan import Plan
from runner.records import End

if TYPE_CHECKING:
    from apprise import Apprise

PATIENCE_S = 20.0
"""How long the messages still under way may take once the run has ended."""


class Letter(Fact):
    """What is sent, and where: Apprise URLs, which are secrets."""

    urls: tuple[str, ...]
    title: str
    body: str


@dataclass
class Post:
    """The messages under way."""

    _sent: list[tuple[Letter, subprocess.Popen[str]]] = field(default_factory=list)
    _failed: list[str] = field(default_factory=list)

    def send(self, letter: Letter) -> None:
        """Hand a letter over; returns at once."""
        if not letter.urls:
            return
        try:
            # A session of its own: Ctrl-C is meant for the run, not for the message about it.
            process = subprocess.Popen([sys.executable, "-m", __name__], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                       stderr=subprocess.DEVNULL, text=True, start_new_session=True)  # fmt: skip
            if process.stdin is not None:
                process.stdin.write(letter.model_dump_json())
                process.stdin.close()
        except OSError as error:
            self._failed.append(f"“{letter.title}” was not sent: {error.strerror}")
        else:
            self._sent.append((letter, process))

    def wait(self, patience_s: float = PATIENCE_S) -> tuple[str, ...]:
        """Wait for what is under way; what failed, in words without a secret."""
        until = time.monotonic() + patience_s
        for letter, process in self._sent:
            self._failed += _failures(letter, process, max(0.0, until - time.monotonic()))
        self._sent.clear()
        failed, self._failed = tuple(self._failed), []
        return failed


def _failures(letter: Letter, process: subprocess.Popen[str], left_s: float) -> list[str]:
    try:
        process.wait(left_s)
        said = process.stdout.read() if process.stdout else ""
        numbers = [int(number) for number in json.loads(said)]
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        return [f"“{letter.title}” was not sent in time"]
    except ValueError:
        numbers = list(range(len(letter.urls)))
    finally:
        if process.stdout:
            process.stdout.close()
    return [f"“{letter.title}” could not be sent to {masked_url(letter.urls[number])}" for number in numbers]


def masked_url(url: str) -> str:
    """The service alone: in an Apprise URL anything after it may be a password."""
    scheme, sign, _ = url.partition("://")
    return f"{scheme}://…" if sign and scheme.isalnum() else "a service whose URL is not one"


def start_words(plan: Plan) -> tuple[str, str]:
    """Title and body when a run begins."""
    body = f"{plan.old.image_ref} → {plan.new.image_ref}\nrun {plan.run}\nFollow it: refloat status {plan.target}"
    return f"{plan.target} {plan.verb} begins: {plan.old.spoken} → {plan.new.spoken}", body


def announce_words(target: str, what: str, when: str) -> tuple[str, str]:
    """Title and body ahead of a run; ``what`` is for example ``upgrade to 2.0``."""
    return f"{target} {what} begins {when}", "It will be away for a moment; refloat tells how it ended."


def end_words(end: Outcome, told: str) -> tuple[str, str]:
    """Title and body when a run has ended: how, within the first six words."""
    if end.end is End.NEW:
        verdict = f"rolled back to {end.new}" if end.verb == "rollback" else f"runs {end.new}"
        return f"{end.target} {verdict}{', the verdict is open' if end.held else ''}", told
    if end.end is End.OLD:
        return f"{end.target} rolled back to {end.old}{'' if end.asked_back else ', the upgrade failed'}", told
    return f"{end.target} is stuck between {end.old} and {end.new}", told


def main() -> None:
    """Deliver the letter on standard input; print the numbers of the URLs that failed."""
    import apprise  # seconds to load, so only here

    letter = Letter.model_validate_json(sys.stdin.read())
    failed = [number for number, url in enumerate(letter.urls) if not _delivered(apprise.Apprise(), url, letter)]
    print(json.dumps(failed))


def _delivered(service: Apprise, url: str, letter: Letter) -> bool:
    return bool(service.add(url)) and bool(service.notify(title=letter.title, body=letter.body))


if __name__ == "__main__":
    main()
