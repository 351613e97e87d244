"""What the program in an image does, as data: what it writes, what it cannot read, how it ends; it runs nothing."""

from __future__ import annotations

from runner.facts import Fact


class Answer(Fact):
    """What a command in the container says: fixed text, or the content of ``path`` where that is set."""

    argv: tuple[str, ...]
    exit_code: int = 0
    stdout: str = ""
    path: str = ""


class Behaviour(Fact):
    """How containers of one image behave; paths are those inside the container, contents are short texts (tokens)."""

    writes: dict[str, str] = {}
    """Written at every start: a migration, a log, a lock file."""
    deletes: tuple[str, ...] = ()
    """Deleted at every start."""
    counts: str = ""
    """A file holding a number that grows with every look while the program runs: data that changes under our feet."""
    refuses: tuple[str, ...] = ()
    """Texts in the data that this version cannot read: it says so and exits 1 at start."""
    cannot_start: bool = False
    """The entrypoint cannot be run: the start is refused and the container stays created, exit code 127."""
    crashes: bool = False
    """Exits at start with ``crash_code``."""
    crash_code: int = 1
    crash_loops: bool = False
    """Exits 1 at the first look after every start."""
    dies_after_looks: int | None = None
    """Runs, and exits 1 at this look."""
    healthcheck: bool = False
    """The image has a HEALTHCHECK."""
    never_healthy: bool = False
    healthy_after_looks: int = 0
    ignores_term: bool = False
    """Has to be killed: exit code 137."""
    stop_code: int = 0
    """Exit code after a stop in time."""
    ships: dict[str, str] = {}
    """Files in the image itself, by absolute path: its default configuration."""
    answers: tuple[Answer, ...] = ()
    """To commands; besides, ``cat PATH`` and the health check's own command always have an answer."""
    obeys: bool = False
    """Any other command succeeds and says nothing, instead of being not found."""

    @property
    def dies_at(self) -> int | None:
        """The look at which it ends by itself."""
        return 1 if self.crash_loops else self.dies_after_looks
