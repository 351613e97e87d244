"""What a probe was answered; it asks nothing."""

from __future__ import annotations

from runner.facts import Fact, Finished

SAID_CHARS = 300


class Answer(Fact):
    """Whether a probe is content, in whose words."""

    ok: bool
    said: str = ""


def answer_from_exit(finished: Finished, timeout_s: float) -> Answer:
    """Exit code 0 is yes; past its deadline or anything else is no, with the last words of its output."""
    if finished.exit_code is None:
        return Answer(ok=False, said=f"no answer within {timeout_s:g} s")
    words = last_words(finished) or f"exit code {finished.exit_code}"
    return Answer(ok=finished.exit_code == 0, said=words)


def last_words(finished: Finished) -> str:
    """The last line it printed, its complaint first."""
    lines = (finished.complaint or finished.text.strip()).splitlines()
    return lines[-1].strip()[:SAID_CHARS] if lines else ""
