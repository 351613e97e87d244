"""One container while it is watched: what it lacks, since when, and whether it is too late; it changes nothing.

A crash is a verdict at once. The deadline is only for silence, and a line of migration progress extends it.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Protocol

from runner.clock import Clock
from runner.engine.port import EnginePort
from runner.errors import EngineError, EngineUnreachable, Interrupted, NotFound, OutcomeUnknown
from runner.facts import Container
from runner.probes import Answer, ask
from runner.probes.log import answer_from_log
from runner.probes.since import read_last_lines, read_log
from runner.quoting import quoted, quoted_lines
from runner.signs import Signs, signs_from
from runner.steps.nouns import HealthTerms, ImageHealth, LogProbe, Probe
from runner.verdict import NotProven, verdict_from, verdict_on_gone

FIRST_INTERVAL_S = 0.2
GROWTH = 1.5
WATCHED_LINES = 2_000
LAST_LINES = 20
STAYING = "it must stay up"
"""What is waited for once every probe is content."""
TELL_EVERY_S = 5.0


class Tell(Protocol):
    """Hears what is waited for, and how many seconds that may still take."""

    def __call__(self, waiting_for: str, left_s: float | None, /) -> None:
        """Hear it."""
        ...


class Watch:
    """What is known of one container by now; every look adds to it and may raise a verdict."""

    def __init__(self, engine: EnginePort, clock: Clock, find: Callable[[], Container], terms: HealthTerms,
                 asked: tuple[Probe, ...], run: str, tell: Tell, interrupted: Callable[[], bool]) -> None:  # fmt: skip
        self._engine, self._clock, self._find, self._terms, self._run = engine, clock, find, terms, run
        self._asked, self._tell, self._interrupted = asked, tell, interrupted
        self._began = clock.monotonic()
        self._deadline = self._began + terms.deadline_s
        self._pause_s = min(FIRST_INTERVAL_S, terms.interval_s)
        self._first: Container | None = None
        self._signs = Signs()
        self._log = ""
        self._trouble: EngineError | None = None
        self._logged: set[str] = set()
        self._unhealthy_since: float | None = None
        self._told = ("", self._began - TELL_EVERY_S)

    @property
    def lasted_s(self) -> float:
        """How long it has been watched."""
        return self._clock.monotonic() - self._began

    def wait_until_ready(self) -> Container:
        """Look until nothing is lacking."""
        while True:
            container = self._look()
            lacking = self._lacking(container)
            if container and not lacking:
                return container
            self._give_up_when_late(container, lacking)
            self._say(lacking, self._deadline - self._clock.monotonic())
            self._wait(self._pause_s)
            self._pause_s = min(self._pause_s * GROWTH, self._terms.interval_s)

    def stays_so(self) -> bool:
        """See the same process for the dwell time and ask once more; False where something is lacking again."""
        until = self._clock.monotonic() + self._terms.dwell_s
        while (left_s := until - self._clock.monotonic()) > 0:
            self._say(STAYING, left_s)
            self._wait(min(self._terms.interval_s, left_s))
            self._look()
        container = self._look()
        lacking = self._lacking(container)
        if lacking:
            self._give_up_when_late(container, lacking)
        return not lacking

    def _look(self) -> Container | None:
        """Read state and log; a bad verdict is raised here; None where the engine does not answer just now."""
        try:
            container = self._find()
            self._see(container)
        except (EngineUnreachable, OutcomeUnknown) as trouble:
            self._trouble = trouble
            return None
        except NotFound:
            name = self._first.name if self._first else "The container"
            raise self._with_log(verdict_on_gone(name), None) from None
        self._trouble = None
        return container

    def _see(self, container: Container) -> None:
        verdict = verdict_from(container, self._first)
        if verdict:
            raise self._with_log(verdict, container)
        if not self._first or not self._first.state.ever_started:
            self._first = container
        self._log = read_log(self._engine, container, WATCHED_LINES)
        before, self._signs = self._signs, signs_from(self._log, self._terms)
        if self._signs.danger:
            raise self._with_log(NotProven("danger-log", f"{container.name} says: {self._signs.danger}"), container)
        if self._signs.migrating and self._signs.progress != before.progress:
            self._extend()

    def _extend(self) -> None:
        good_for_s = max(self._terms.deadline_s, self._terms.standstill_s)
        self._deadline = max(self._deadline, self._clock.monotonic() + good_for_s)

    def _lacking(self, container: Container | None) -> str:
        """What it still lacks, in words; empty where it lacks nothing."""
        if container is None:
            return f"the engine does not answer ({self._trouble.code})" if self._trouble else "the engine"
        if not container.state.running:
            return f"it is {container.state.status}"
        for probe in self._asked:
            answer = self._answer(probe, container)
            if not answer.ok:
                return f"{probe.spoken}: {answer.said}"
        self._unhealthy_since = None
        if self._signs.migrating and not self._asked and self._terms.migrated:
            return "it is migrating"
        return ""

    def _answer(self, probe: Probe, container: Container) -> Answer:
        if isinstance(probe, LogProbe):
            return self._answer_from_log(probe)
        try:
            answer = ask(self._engine, probe, container, self._run)
        except (EngineUnreachable, OutcomeUnknown) as trouble:
            return Answer(ok=False, said=trouble.what)
        if isinstance(probe, ImageHealth):
            self._weigh_unhealthy(container, answer)
        return answer

    def _answer_from_log(self, probe: LogProbe) -> Answer:
        """A line once seen counts for this process, however much it logs afterwards."""
        answer = answer_from_log(probe, self._log)
        if answer.ok:
            self._logged.add(probe.pattern)
        return Answer(ok=True, said="seen") if probe.pattern in self._logged else answer

    def _weigh_unhealthy(self, container: Container, answer: Answer) -> None:
        """The engine's word counts only together with ours, for a while, and not while it migrates."""
        health = container.state.health
        if answer.ok or self._signs.migrating or health is None or health.status != "unhealthy":
            self._unhealthy_since = None
            return
        now = self._clock.monotonic()
        self._unhealthy_since = now if self._unhealthy_since is None else self._unhealthy_since
        if now - self._unhealthy_since >= self._terms.unhealthy_s:
            what = (
                f"{container.name} is unhealthy, by the engine's word and by ours: {answer.said or health.last_output}"
            )
            raise self._with_log(NotProven("unhealthy", what), container)

    def _give_up_when_late(self, container: Container | None, lacking: str) -> None:
        if self._clock.monotonic() < self._deadline:
            return
        if container is None and self._trouble:
            raise self._trouble
        name = container.name if container else "The container"
        code = "not-started" if container and not container.state.ever_started else "silent"
        waited = f"{self.lasted_s:.0f} s"
        raise self._with_log(NotProven(code, f"{name} is not healthy after {waited}; {lacking}."), container)

    def _with_log(self, verdict: NotProven, container: Container | None) -> NotProven:
        """The verdict with its last words, before anybody removes it, and without its secrets."""
        said = self._log
        if container:
            with suppress(EngineError):  # the verdict stands without its very last words
                said = read_last_lines(self._engine, container, LAST_LINES) or said
        known = container or self._first
        return NotProven(verdict.code, quoted(verdict.what, known), quoted_lines(said, known, LAST_LINES))

    def _say(self, waiting_for: str, left_s: float) -> None:
        line = self._signs.last_line
        words = f"{waiting_for} — it says: {line}" if line else waiting_for
        said, at = self._told
        if words != said or self._clock.monotonic() - at >= TELL_EVERY_S:
            self._told = (words, self._clock.monotonic())
            self._tell(quoted(words, self._first), left_s)

    def _wait(self, seconds: float) -> None:
        if self._interrupted():
            raise Interrupted("interrupted", "Interrupted while waiting for the container to be healthy.",
                              "The container runs, unproven.")  # fmt: skip
        self._clock.sleep(seconds)
