"""Configuration on a target's data, as plain facts: which trees, from which defaults to which, and what came of it.

It reads nothing: the refresh itself is runner/refresh, at work where the data is.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from runner.facts import Fact
from runner.refresh.choices import Conflict


class ConfigPlace(Fact):
    """One tree of configuration on a source."""

    key: str
    """The source's."""
    inside: str = ""
    """Where in the source it is; empty where it is all of it."""
    path: str
    """Where the container sees it: what people call it."""
    defaults: str = ""
    """Where the images keep its defaults; empty where that is ``path``."""
    permissions: str = ""
    """A file in the images that says the defaults' modes; empty where the files themselves do."""
    skip: tuple[str, ...] = ()
    """Paths in it to leave alone: something else is mounted there, or the product does not manage them."""
    modes_to_set: tuple[str, ...] = ()
    """Paths in it where a changed default mode is set without a question."""


class PreparedAnswer(Fact):
    """An answer to one conflict and to no other; a merged text that goes with it is elsewhere, known by its hash."""

    path: str
    question: str
    fingerprint: str
    choice: str
    text_sha256: str = ""


class RefreshOrder(Fact):
    """What is to be refreshed, and who answers; a plan holds it, so there is no secret in it."""

    places: tuple[ConfigPlace, ...]
    old_image: str
    new_image: str
    tokens: dict[str, str] = {}
    """Token in the defaults → what stands for it; in a plan with ``$NAME`` for a variable of the container's."""
    conflict: Conflict = Conflict.ASK
    answers: tuple[PreparedAnswer, ...] = ()
    texts: dict[str, str] = {}
    """SHA-256 → text as base64, of the answers that bring one; empty in a plan."""

    @property
    def spoken(self) -> str:
        """The places as people call them."""
        return ", ".join(place.path for place in self.places)

    def ready(self, variables: Mapping[str, str], texts: dict[str, str]) -> RefreshOrder:
        """As the vault takes it: with the container's variables in the tokens, and the texts of the answers."""
        tokens = {token: _filled(value, variables) for token, value in self.tokens.items()}
        return self.model_copy(update={"tokens": tokens, "texts": texts})


def _filled(value: str, variables: Mapping[str, str]) -> str:
    for name in sorted(variables, key=len, reverse=True):
        value = value.replace(f"${name}", variables[name])
    return value


class PathTold(Fact):
    """One path of which there is something to say: its status lines, and a unified diff of bounded size."""

    path: str
    lines: tuple[str, ...]
    diff: str = ""


class OpenQuestion(Fact):
    """A conflict that waits for its answer; ``texts`` (user, old, new, merged) are base64, of a merge alone."""

    path: str
    question: str
    sentence: str
    choices: tuple[str, ...]
    fingerprint: str
    texts: dict[str, str] = {}


class Refreshed(Fact):
    """What a refresh came to, or would."""

    places: tuple[str, ...] = ()
    """Those with defaults in both images and something on the data."""
    paths: tuple[PathTold, ...] = ()
    counts: dict[str, int] = {}
    """Status → how many paths."""
    changed: int = 0
    open: tuple[OpenQuestion, ...] = ()
    outcomes: dict[str, str] = {}
    """Place → a digest of all it holds afterwards; of a refresh that was done, and empty for what is too big."""

    @property
    def spoken(self) -> str:
        """The counts in words."""
        return ", ".join(f"{word} {count}" for word, count in sorted(self.counts.items())) or "nothing to do"


def joined(parts: tuple[Refreshed, ...]) -> Refreshed:
    """Several places as one."""
    counts: Counter[str] = Counter()
    for part in parts:
        counts.update(part.counts)
    return Refreshed(
        places=tuple(place for part in parts for place in part.places),
        paths=tuple(path for part in parts for path in part.paths),
        counts=dict(counts),
        changed=sum(part.changed for part in parts),
        open=tuple(question for part in parts for question in part.open),
    )
