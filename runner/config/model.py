"""What may stand in refloat.yaml, as frozen data; a secret in it is only where to find one, and it touches nothing."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from runner.constraint import constraint_from, is_constraint
from runner.errors import UsageError
from runner.fitness import probe_from
from runner.hops import Stated
from runner.recipes.health import RecipeEvidence
from runner.recipes.model import ConfigTree
from runner.recipes.work import OwnHook
from runner.secrecy import FromFile, secret_word
from runner.silence.model import Monitor
from runner.window import window_from

UNITS_S = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_SPAN = re.compile(r"(\d+)([smhd])")


def span(text: str) -> timedelta:
    """How long ``90s``, ``30m``, ``12h`` or ``7d`` is; ValueError."""
    match = _SPAN.fullmatch(text)
    if match is None:
        raise ValueError(f"“{text}” is no span of time: write 90s, 30m, 12h or 7d")
    return timedelta(seconds=int(match[1]) * UNITS_S[match[2]])


def _checked(read: Callable[[str], object]) -> AfterValidator:
    """A text that ``read`` understands; what it says against it is the mistake."""

    def check(text: str) -> str:
        try:
            read(text)
        except UsageError as wrong:
            raise ValueError(f"{wrong.what.removeprefix('--probe ')} {wrong.then}".strip()) from None
        return text

    return AfterValidator(check)


def _without_secret(evidence: RecipeEvidence) -> RecipeEvidence:
    if evidence.kind == "command" and (word := secret_word(evidence.argv)):
        raise ValueError(f"`{word}` shows a secret, which plans would hold; let the container look it up: $NAME")
    return evidence


Span = Annotated[str, _checked(span)]
ProbeText = Annotated[str, _checked(probe_from)]
GoalText = Annotated[str, _checked(lambda text: constraint_from(text) if is_constraint(text) else text)]
WindowText = Annotated[str, _checked(window_from)]
Seconds = Annotated[float, Field(gt=0)]


Event = Literal["announce", "start", "verdict", "rollback", "stuck"]
EVENTS: tuple[Event, ...] = ("announce", "start", "verdict", "rollback", "stuck")


class Notification(Stated):
    """A service that is told of runs."""

    url: str | FromFile = Field(description="An Apprise URL; ${NAME} in it is a variable of the environment.")
    events: tuple[Event, ...] = Field(default=EVENTS, min_length=1, description="What it is told of; default: all.")


class Settings(Stated):
    """How a target is to be upgraded. The command line wins over the target, the target over the defaults."""

    pull: Literal["missing", "always", "never"] | None = Field(default=None, description="When to pull, as --pull.")
    hold: bool | None = Field(default=None, description="Leave the verdict open until commit or rollback.")
    keep: int | None = Field(default=None, ge=1, description="How many snapshots a commit leaves.")
    keep_for: Span | None = Field(default=None, description="Those taken within this time stay, too, for example 14d.")
    vault: str | None = Field(default=None, description="Where snapshots are kept: a volume, or a path on the host.")
    stop_timeout_s: int | None = Field(default=None, ge=0, description="How long the old version may take to stop.")
    deadline_s: Seconds | None = Field(default=None, description="How long the new version may stay silent.")
    dwell_s: float | None = Field(default=None, ge=0, description="How long it must stay healthy to be proven.")
    probes: tuple[ProbeText, ...] = Field(default=(), description="Proofs of health, each as --probe takes it.")
    evidence: tuple[Annotated[RecipeEvidence, AfterValidator(_without_secret)], ...] = Field(
        default=(), description="What must be the same after as before, as in recipes; besides what the recipe reads."
    )
    silence: tuple[Monitor, ...] = Field(default=(), description="Monitors kept quiet about it meanwhile.")
    hooks: tuple[OwnHook, ...] = Field(default=(), description="Commands at certain moments of an upgrade.")
    keep_env: tuple[str, ...] = Field(default=(), description="Variables kept though they equal the old image's.")
    refresh: bool | None = Field(default=None, description="Whether new default configuration is brought in.")
    config_paths: tuple[ConfigTree, ...] = Field(
        default=(), description="Configuration the recipe does not name, as the container sees it; as in recipes."
    )
    conflict: Literal["ask", "install", "keepold", "abort"] | None = Field(
        default=None, description="What to do with an unanswered configuration conflict, as --conflict."
    )
    require_rehearsal: Span | None = Field(
        default=None, description="Only where this very change passed a rehearsal within this time, for example 7d."
    )
    edit: bool | None = Field(default=None, description="Put the new tag into the compose file. Default: yes.")
    window: WindowText | None = Field(
        default=None, description="When apply may run: Sun 02:00-05:00 Europe/Berlin, Mon-Fri 22:00-04:00, …"
    )
    notify: tuple[Notification, ...] = Field(default=(), description="Who is told of runs.")
    answers: dict[str, str] = Field(default={}, description="Answers to the recipe's gates, where they are asked.")


class TargetSettings(Settings):
    """One target: which container it is, where it shall go, and how."""

    container: str = Field(default="", description="Its name. Default: the name of the target in this file.")
    service: str = Field(default="", pattern=r"^$|^[^/]+/[^/]+$", description="Instead: a compose PROJECT/SERVICE.")
    image: str = Field(default="", description="Another repository to go to. Default: the one it runs.")
    goal: GoalText = Field(
        default="", description="Where to go without --to: a version, newest, 2.x, or bounds such as >=2.45,<3."
    )

    @model_validator(mode="after")
    def _one_way_to_name_it(self) -> TargetSettings:
        if self.container and self.service:
            raise ValueError("`container` or `service`, one of them")
        if self.image and is_constraint(self.goal):
            raise ValueError("with `image`, `goal` is one version: the tags of another repository are not known")
        return self

    def called(self, name: str) -> str:
        """What the engine knows the target of this name by."""
        return self.service or self.container or name


class StackSettings(Stated):
    """Several targets that are upgraded as one: together stopped, proven, and taken back."""

    members: dict[str, GoalText | None] = Field(
        min_length=1,
        description="By the name of a target here, a container or PROJECT/SERVICE: where it shall go, or `same`; "
        "without a word the goal of that target, or --to.",
    )
    hold: bool | None = Field(default=None, description="Leave the verdict open until commit or rollback.")
    keep: int | None = Field(default=None, ge=1, description="How many snapshots of each a commit leaves.")
    keep_for: Span | None = Field(default=None, description="Those taken within this time stay, too, for example 14d.")
    vault: str | None = Field(default=None, description="Where snapshots are kept: a volume, or a path on the host.")
    window: WindowText | None = Field(default=None, description="When apply may run.")
    require_rehearsal: Span | None = Field(
        default=None, description="`apply` only what passed a rehearsal of all within this time, for example 7d."
    )
    notify: tuple[Notification, ...] = Field(default=(), description="Who is told of runs.")


class Config(Stated):
    """All of refloat.yaml."""

    defaults: Settings = Field(default=Settings(), description="For every target, also those not named here.")
    targets: dict[str, TargetSettings] = Field(default={}, description="By a name of your choice.")
    stacks: dict[str, StackSettings] = Field(default={}, description="Targets that go together, by a name.")
    recipes: tuple[str, ...] = Field(
        default=(), description="Recipes of your own, before the shipped ones: files, or folders of them."
    )

    @model_validator(mode="after")
    def _stacks_are_no_targets(self) -> Config:
        if both := sorted(self.stacks.keys() & self.targets.keys()):
            raise ValueError(f"a stack and a target have one name: {', '.join(both)}")
        return self

    @model_validator(mode="after")
    def _one_window_a_stack(self) -> Config:
        for name, stack in self.stacks.items():
            if stack.window is None and len(windows := self._windows_of(stack)) > 1:
                raise ValueError(f"the members of the stack {name} have several windows ({', '.join(windows)}): "
                                 "give the stack its own `window`")  # fmt: skip
        return self

    def _of_members(self, stack: StackSettings) -> dict[str, str]:
        """What the members of a stack say that holds for all of it, where it says nothing: their window, and the
        shortest time within which it must have been rehearsed."""
        members = tuple(self.targets.get(self.name_of(member)) for member in stack.members)
        within = sorted((each.require_rehearsal for each in members if each and each.require_rehearsal), key=span)
        said = (("window", self._windows_of(stack)), ("require_rehearsal", tuple(within)))
        return {key: values[0] for key, values in said if values}

    def _windows_of(self, stack: StackSettings) -> tuple[str, ...]:
        """The windows that its members have of their own."""
        members = (self.targets.get(self.name_of(member)) for member in stack.members)
        return tuple(dict.fromkeys(each.window for each in members if each and each.window))

    @model_validator(mode="after")
    def _each_target_once(self) -> Config:
        called = [target.called(name) for name, target in self.targets.items()]
        twice = sorted({one for one in called if called.count(one) > 1})
        if twice:
            raise ValueError(f"two targets are the same container: {', '.join(twice)}")
        return self

    def name_of(self, text: str) -> str:
        """The name in this file of what is called so here or on the engine; empty where it is not in it."""
        if text in self.targets:
            return text
        return next((name for name, one in self.targets.items() if one.called(name) == text), "")

    def target(self, text: str) -> tuple[str, TargetSettings]:
        """What the engine calls what a command line names, and its settings with the defaults filled in.

        A stack has no other name, and settings of its own.
        """
        found: TargetSettings | StackSettings = self.targets.get(self.name_of(text), TargetSettings())
        found = self.stacks.get(text, found)
        own = {key: getattr(found, key) for key in found.model_fields_set - {"members"}}
        own = {**self._of_members(found), **own} if isinstance(found, StackSettings) else own
        shared = {key: getattr(self.defaults, key) for key in self.defaults.model_fields_set}
        merged = TargetSettings.model_validate({**shared, **own})
        return (merged.called(text) if text in self.targets else text), merged
