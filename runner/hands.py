"""What performing a step needs: engine, vault, clock, papers, what earlier steps found; it performs nothing itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from runner.clock import Clock
from runner.engine.port import EnginePort
from runner.errors import Conflict, NotFound
from runner.facts import Container, Finished, Json
from runner.labels import RETURNED, ROLE, RUN
from runner.secrecy import Secret
from runner.steps.nouns import Blueprint, Existing, FileEdit, Ours, Who
from runner.vault.port import VaultPort


class Editor(Protocol):
    """Who writes the files of the user's."""

    def __call__(self, edit: FileEdit, *, back: bool) -> str:
        """Make a change or take it back, whole or not at all; why it was not done, empty where it is done."""
        ...


class Host(Protocol):
    """Who runs commands on the machine the runner is on."""

    def __call__(self, argv: Sequence[str], *, environment: Mapping[str, str], folder: str, timeout_s: float,
                 interrupted: Callable[[], bool]) -> Finished:  # fmt: skip
        """Run one and give its end; EngineError ``no-such-command``, Interrupted."""
        ...


class Writer(Protocol):
    """Who writes texts for other programs on the machine the runner is on."""

    def __call__(self, path: str, text: str, *, onto: bool) -> str:
        """Put a file in its place, or write ``onto`` a pipe; why that could not be, empty where it is done."""
        ...


@dataclass(frozen=True)
class Hands:
    """Everything a step may use."""

    run: str
    engine: EnginePort
    vault: VaultPort
    clock: Clock
    papers: dict[str, str]
    found: Callable[[str], Json]
    """The facts that the step of this kind found in this run; empty where it found none."""
    note: Callable[[str, str, float | None], None]
    """Tell the journal: kind (waiting, warning, log, seen), text, seconds left."""
    interrupted: Callable[[], bool]
    editor: Editor
    """Where the files of the user's are that a plan names."""
    host: Host
    secret: Callable[[Secret, str], str]
    """Gives a secret that is only pointed to; file names count from the folder. UsageError ``secret-missing``."""
    writer: Writer
    told: dict[str, str]
    """What hooks are told of the run, as variables."""
    way_back: Blueprint
    """How to create the old container again where somebody removed it meanwhile."""

    def edit(self, edit: FileEdit, *, back: bool) -> Json:
        """Change a file, or take that back. What somebody else changed meanwhile is left alone, and it is said."""
        why_not = self.editor(edit, back=back)
        if why_not:
            self.note("warning", f"{edit.path} was left as it is: {why_not}", None)
        return {"edited": not why_not}

    def container(self, who: Who) -> Container:
        """Read a container of the plan; NotFound."""
        if isinstance(who, Ours):
            return self.ours(who.run, who.role)
        try:
            return self.engine.container(who.id)
        except NotFound:
            return self.ours(self.run, RETURNED)

    def ours(self, run: str, role: str) -> Container:
        """Read the one container of this run in this role; NotFound."""
        found = self.engine.containers({RUN: run, ROLE: role})
        if not found:
            raise NotFound("not-found", f"There is no {role} of run {run}.")
        if len(found) > 1:
            names = ", ".join(container.name for container in found)
            raise Conflict("ambiguous", f"More than one {role} carries the label of run {run}: {names}.")
        return found[0]


def configs(hands: Hands, donors: tuple[Existing | Ours, ...]) -> tuple[Json, ...]:
    """The ``Config`` of those donors that are still there, with ``HostConfig`` beside it."""
    found: list[Json] = []
    for donor in donors:
        try:
            container = hands.container(donor)
            found.append({**container.config, "HostConfig": container.host_config})
        except NotFound:
            continue
    return tuple(found)
