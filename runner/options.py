"""What people may choose for one upgrade, as one frozen fact; what becomes of it is the planner's business."""

from __future__ import annotations

from typing import Literal

from runner.facts import Fact
from runner.recipes.model import ConfigTree
from runner.recipes.work import OwnHook
from runner.refresh.choices import Conflict
from runner.silence.model import Monitor
from runner.steps.nouns import Probe, Reading
from runner.vault.configuration import PreparedAnswer

DEFAULT_KEEP = 3
"""How many snapshots a commit leaves where nobody says otherwise."""

Force = Literal["no", "vendor", "copies"]
"""Which of the vendor's rules are set aside: none; those it lets people force; all of them, for copies alone."""


class Options(Fact):
    """What the user may choose for one plan; None or empty takes the recipe's or our own default."""

    hold: bool = False
    keep: int = DEFAULT_KEEP
    keep_for_s: int = 0
    stop_timeout_s: int | None = None
    deadline_s: float | None = None
    dwell_s: float | None = None
    probes: tuple[Probe, ...] = ()
    keep_env: tuple[str, ...] = ()
    readings: tuple[Reading, ...] = ()
    """Evidence besides the recipe's."""
    hooks: tuple[OwnHook, ...] = ()
    """Hooks besides the recipe's."""
    silence: tuple[Monitor, ...] = ()
    """Monitors that are kept quiet meanwhile."""
    window: str = ""
    """When it may be done; no monitor is kept quiet beyond it."""
    folder: str = ""
    """From where names of files count, and where hooks on the host are run."""
    answers: tuple[str, ...] = ()
    """To the recipe's gates, each ``ID=TEXT``."""
    edit: bool = True
    """Whether the file that names the image may be edited."""
    standing_answers: tuple[str, ...] = ()
    """The same, given once for all upgrades: they count where their gate is asked."""
    force: Force = "no"
    unchecked: bool = False
    """Whether the checks of a recipe are left out."""
    at_rest: bool = False
    """Whether the target may be at rest, for it is a copy that will run."""
    refresh: bool = True
    """Whether new default configuration is brought in."""
    config_paths: tuple[ConfigTree, ...] = ()
    """Configuration the recipe does not name, as the container sees it."""
    conflict: Conflict = Conflict.ASK
    prepared: tuple[PreparedAnswer, ...] = ()
    texts: dict[str, str] = {}
    """SHA-256 → text as base64, of the prepared answers that bring one."""
