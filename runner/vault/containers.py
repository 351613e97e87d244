"""The tools containers of the runs: made when first needed, made again when gone; it knows nothing of snapshots."""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import Callable

from runner.clock import RealClock, is_older
from runner.engine.port import Conversation, EnginePort
from runner.errors import Conflict, EngineError, NotFound
from runner.facts import Finished
from runner.labels import ARCHIVE, DEFAULTS, DRAFT, REFRESH, RESTORE, ROLE, RUN, TOOLS, VAULT_ROLE
from runner.vault.answers import COMMAND, answer_from, no_place
from runner.vault.port import VaultError
from runner.vault.tools import VAULT, Held, container_body, holds
from runner.vault.tools_image import ensure_tools_image, no_tools

LEFT_S = 60.0
"""After how long a container in which nobody runs a command is one that somebody left behind."""
_TRIES = 3
_KILLED = 137
"""The exit code of a command that went down with its container."""
_END_S = 2.0


class Containers:
    """Runs the vault's program where the vault and the sources are mounted."""

    def __init__(self, engine: EnginePort, image: str, tell: Callable[[str], None]) -> None:
        self._engine = engine
        self._image = image
        self._tell = tell
        self._image_seen = False
        self._ready: dict[str, frozenset[Held]] = {}
        self._conversations: dict[str, Conversation] = {}
        self._looked = False
        self._stray: set[str] = set()
        """Those that an engine did not remove, which was away: they go when a run's are removed."""

    def ask(self, run: str, held: tuple[Held, ...], op: str, request: bytes, timeout_s: float) -> bytes:
        """Ask in the run's own container, which stays for the next question."""
        return self._ask_in(f"refloat-tools-{run}", run, TOOLS, held, op, request, timeout_s)

    def ask_once(self, run: str, role: str, held: tuple[Held, ...], op: str, request: bytes, timeout_s: float, *,
                 networked: bool = False) -> bytes:  # fmt: skip
        """Ask in a container that is gone afterwards."""
        if not run:
            self._clear_dead_looks()
        name = f"refloat-{role}-{run}" if run else f"refloat-{role}-{secrets.token_hex(6)}"
        try:
            return self._ask_in(name, run, role, held, op, request, timeout_s, networked=networked)
        finally:
            try:
                self.remove(name)
            except EngineError:
                self._stray.add(name)

    def remove(self, name: str) -> None:
        """Remove one container; no error when there is none."""
        self._ready.pop(name, None)
        if name in self._conversations:
            self._conversations.pop(name).hang_up()
        with contextlib.suppress(NotFound):
            self._engine.remove_container(name, force=True)

    def remove_all_of(self, run: str) -> None:
        """Remove every tools container of a run, and what a check was left halfway with."""
        for name in tuple(self._stray):
            self.remove(name)
            self._stray.discard(name)
        for container in self._engine.containers({RUN: run}):
            if container.labels.get(ROLE) in (TOOLS, RESTORE, DEFAULTS, REFRESH, DRAFT, ARCHIVE):
                self.remove(container.name)
        for volume in self._engine.volumes({RUN: run, ROLE: DRAFT}):
            with contextlib.suppress(NotFound, Conflict):  # a checker that still holds it goes with its own undo
                self._engine.remove_volume(volume.name)

    def _clear_dead_looks(self) -> None:
        """Remove, once, what looks left whose process or engine died: nobody runs in them.

        One that was just made is somebody's who has not asked yet.
        """
        looks = () if self._looked else (TOOLS, ARCHIVE)
        self._looked = True
        now = RealClock().now()
        for each in (one for role in looks for one in self._engine.containers({ROLE: role})):
            left = each.state.running and not each.commands and is_older(each.created, now, LEFT_S)
            if (left or each.state.status in ("exited", "dead")) and not each.labels.get(RUN):
                with contextlib.suppress(EngineError):
                    self._engine.remove_container(each.id, force=True)

    def _ask_in(
        self, name: str, run: str, role: str, held: tuple[Held, ...], op: str, request: bytes, timeout_s: float, *,
        networked: bool = False,
    ) -> bytes:  # fmt: skip
        """A container that stopped under the command (the engine was restarted) is started, and the command repeated.

        The program can be repeated at any point: it locks the room, and does only what is left to do.
        """
        for _ in range(_TRIES):
            self._ensure(name, run, role, held, networked=networked)
            finished = self._finished(name, request, timeout_s)
            if finished and (finished.stdout.strip() or finished.exit_code != _KILLED):
                return answer_from(finished, op, self._image)
            self._ready.pop(name, None)
            with contextlib.suppress(NotFound):
                self._engine.wait(name, _END_S)  # it may still be seen as running
        raise VaultError(
            "tools-stopped",
            f"What copies is killed again and again in the container {name}.",
            then=f"See why (memory, a restart of the engine): docker inspect {name}",
        )

    def _finished(self, name: str, request: bytes, timeout_s: float) -> Finished | None:
        """What the program says, which stays for the next request: starting it takes longer than most of them."""
        try:
            return self._answered(name, request, timeout_s)
        except (NotFound, Conflict):
            return None  # gone or stopped since it was seen last
        except EngineError as refused:
            if not self._runs(name):
                return None
            if refused.code == "cannot-start":
                raise no_tools(self._image, f"What has that name has no {COMMAND}.") from refused
            raise

    def _runs(self, name: str) -> bool:
        """Whether it is up: what cannot be started in one that just went says nothing of the image."""
        try:
            return self._engine.container(name).state.running
        except NotFound:
            return False

    def _answered(self, name: str, request: bytes, timeout_s: float) -> Finished:
        if name not in self._conversations or not self._conversations[name].open:
            self._conversations[name] = self._engine.converse(name, (COMMAND,))
        program = self._conversations[name]
        finished = program.ask(request, timeout_s)
        if finished.exit_code == 0 and not finished.stdout.startswith(b"{"):
            return program.ask(b"", timeout_s)  # the engine's words, for there is no program: how did it end?
        return finished

    def _ensure(self, name: str, run: str, role: str, held: tuple[Held, ...], *, networked: bool) -> None:
        if name in self._ready and self._ready[name] >= frozenset(held):
            return
        if not self._there(name, held):
            self._create(name, run, role, held, networked=networked)
        with contextlib.suppress(NotFound):  # taken away already: asking finds that out, and it is made again
            self._engine.start(name)
        self._ready[name] = frozenset(held)

    def _there(self, name: str, held: tuple[Held, ...]) -> bool:
        """Whether the container is there with all this mounted; one that is there with less goes."""
        try:
            if holds(self._engine.container(name), held):
                return True
        except NotFound:
            return False
        self.remove(name)
        return False

    def _create(self, name: str, run: str, role: str, held: tuple[Held, ...], *, networked: bool) -> None:
        for each in held:
            self._insist_on(each)
        if not self._image_seen:
            ensure_tools_image(self._engine, self._image, self._tell)
            self._image_seen = True
        try:
            self._engine.create_container(name, container_body(self._image, run, role, held, networked=networked))
        except NotFound as missing:
            raise no_tools(self._image, "It was there a moment ago.") from missing
        except Conflict as taken:
            if taken.code != "name-taken":
                raise  # otherwise somebody of the same run was faster, and made the same
        except EngineError as refused:
            if "bind source path does not exist" not in refused.what:
                raise
            raise no_place(refused.what) from refused

    def _insist_on(self, held: Held) -> None:
        """The engine would make a missing volume silently, and an empty copy of nothing would be sealed."""
        if held.volume and held.at == VAULT:
            self._engine.create_volume(held.volume, labels={ROLE: VAULT_ROLE})
        elif held.volume:
            try:
                self._engine.volume(held.volume)
            except NotFound as missing:
                raise VaultError(
                    "no-source",
                    f"The volume {held.volume} is not there any more.",
                    then=f"See what there is: docker volume ls --filter name={held.volume}",
                ) from missing
