"""What a verb stands on: the folder of the runs, the engine, the vault and the clock; it runs nothing itself."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from runner.cli.asked import default_vault, written_config
from runner.cli.deaths import deadly_boundaries
from runner.cli.interrupts import Interrupts
from runner.cli.terminal import tell
from runner.config.place import config_folder
from runner.errors import RefloatError

if TYPE_CHECKING:  # reading help and usage errors must not wait for the engine's client to load
    from runner.clock import Clock
    from runner.engine.port import EnginePort
    from runner.records import Record
    from runner.registry.listing import Listing
    from runner.report.live import Live
    from runner.session import Session
    from runner.vault.port import VaultPlace

TOOLS_IMAGE = "refloat/tools:1"
RECIPES = "REFLOAT_RECIPES"
"""The variable that ``--recipe`` sets: files and folders, as in PATH."""
RESTART_S = 60.0
"""How long ``recover`` waits for an engine that may be restarting."""


def home_folder() -> Path:
    """Where runs, locks and crash reports are kept: REFLOAT_HOME, else the XDG state folder."""
    if chosen := os.environ.get("REFLOAT_HOME", ""):
        return Path(chosen).expanduser()
    from platformdirs import user_state_path

    return user_state_path("refloat")


def brought_recipes() -> Path:
    """Where recipes of the user's own are that came in a bundle; those somebody names stand before them."""
    return home_folder() / "recipes"


def open_session(hear: Callable[[Record], None] | None = None, *, interrupts: Interrupts | None = None,
                 patient: bool = False, marks: Mapping[str, str] | None = None) -> Session:  # fmt: skip
    """Connect to the engine as the docker command does; EngineUnreachable. ``marks`` are labels for all it makes.

    What a rehearsal or backup that was cut off left behind is cleared away first: its target may stand still.
    """
    from runner.clock import RealClock
    from runner.engine.docker import connect_engine, wait_for_engine
    from runner.session import Session
    from runner.vault.vault import DockerVault

    _put_own_recipes_first()
    _tell_unreadable(home_folder())
    engine: EnginePort = wait_for_engine(deadline_s=RESTART_S) if patient else connect_engine(marks=marks)
    clock = RealClock()
    session = Session(
        home=home_folder(),
        engine=engine,
        vault=DockerVault(engine, TOOLS_IMAGE, tell),
        clock=clock,
        ask_registry=cache(lambda repository: _tags_of(repository, clock)),
        hear=hear or (lambda _: None),
        interrupted=(interrupts or Interrupts()).asked,
        announce=deadly_boundaries(),
    )
    if any(session.home.glob("rehearsals/*/scene.json")) or any(session.home.glob("backups/*.json")):
        _clear_left(session)
    return session


def own_recipes() -> tuple[Path, ...]:
    """The user's recipes, files and folders: of the command line, of refloat.yaml, out of bundles."""
    named = tuple(Path(each) for each in os.environ.get(RECIPES, "").split(os.pathsep) if each)
    brought = [brought_recipes()] if brought_recipes().is_dir() else []
    config = written_config()
    written = (config_folder() / Path(each).expanduser() for each in (config.recipes if config else ()))
    return (*named, *written, *brought)


def _put_own_recipes_first() -> None:
    if own := own_recipes():
        from runner.recipes.loader import put_first  # the models of recipes are slow to load

        put_first(own)


def _clear_left(session: Session) -> None:
    """Whoever fails at it is not to be kept from what was asked for; the next call tries again."""
    from runner.backups import clear_left_backups
    from runner.staging import strike_left

    try:
        for begun in clear_left_backups(session):
            tell(f"Cleared away what a backup of {begun.target} left when it was cut off ({begun.room.run}).")
        for scene in strike_left(session):
            tell(f"Cleared away what a rehearsal of {scene.target} left when it was cut off ({scene.run}).")
    except RefloatError as error:
        tell(f"What was left by something that was cut off could not be cleared away: {error.what}")


def _tags_of(repository: str, clock: Clock) -> Listing:
    from runner.registry.tags import seen_tags  # seldom needed

    return seen_tags(repository, clock)


@cache
def _tell_unreadable(home: Path) -> None:
    """Say, once, which runs are left aside: what is theirs is neither finished nor removed by this version."""
    from runner.journal import Runs

    for run in Runs(home).unreadable():
        tell(f"! Run {run} cannot be read by this version of refloat and is left aside: refloat status")


def new_live(name: str = "") -> Live:
    """The display of a run at work; with a name, of one of several."""
    from runner.report.live import Live

    return Live(name=name)


def place_from(vault: str) -> VaultPlace:
    """Where the snapshots are kept: a volume's name or a path on the engine's host; empty: where refloat.yaml says."""
    from runner.errors import UsageError
    from runner.vault.port import VaultPlace

    vault = vault or default_vault()
    if not vault:
        return VaultPlace()
    if vault.startswith("/"):
        return VaultPlace(volume="", path=vault)
    if "/" in vault:
        what = f"--vault {vault} is neither a volume's name nor an absolute path."
        raise UsageError("bad-vault", what, then="Name a volume, or a path on the engine's host that begins with /.")
    return VaultPlace(volume=vault)
