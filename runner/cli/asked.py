"""What a command line means once refloat.yaml is read: which container, where to, how; it plans nothing."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeVar

from runner.cli.wishes import RefreshWishes, Wishes
from runner.config.place import config_path
from runner.errors import Refused

if TYPE_CHECKING:
    from datetime import timedelta

    from runner.config.model import Config, TargetSettings
    from runner.plan import Plan


NO_WISHES = Wishes()
Value = TypeVar("Value")


@dataclass(frozen=True)
class Asked:
    """One target as the engine calls it, and what is wished for it: the command line over refloat.yaml."""

    target: str
    wishes: Wishes
    written: TargetSettings | None = None
    """What refloat.yaml says of it; None where there is no such file."""

    @property
    def settings(self) -> TargetSettings:
        """The same, with nothing in it where nothing is written."""
        from runner.config.model import TargetSettings

        return self.written or TargetSettings()

    @property
    def rehearsed_within(self) -> timedelta | None:
        """How lately it must have been rehearsed; None asks for none."""
        from runner.config.model import span

        within = self.written.require_rehearsal if self.written else None
        return span(within) if within else None


def written_config() -> Config | None:
    """What refloat.yaml says; where there is none, what could read it is not even loaded. UsageError."""
    if config_path() is None:
        return None
    from runner.config.reading import find_config

    return find_config().config


def asked(text: str, wishes: Wishes = NO_WISHES) -> Asked:
    """Read refloat.yaml, where there is one; UsageError."""
    config = written_config()
    if config is None:
        return Asked(text, wishes)
    target, settings = config.target(text)
    if config.targets and not config.name_of(text):
        settings = next((config.target(name)[1] for name in _other_names(text) if config.name_of(name)), settings)
    return Asked(target, _over(wishes, settings), settings)


def refuse_older(plan: Plan, *, typed: bool) -> None:
    """Refused ``goal-older`` where only refloat.yaml says to go backwards: its goal was left behind by an upgrade.

    ``typed``: the command line says where to go, and what is typed is meant.
    """
    older = [warning.text for warning in plan.warnings if warning.code == "downgrade"]
    if older and not typed:
        there = "--member NAME=VERSION" if plan.is_stack else f"--image {plan.new.image_ref}"
        then = f"Raise the goal in refloat.yaml, or go there all the same: refloat apply {plan.target} {there}"
        raise Refused("goal-older", ". ".join((*older, "Only the goal in refloat.yaml asks for it.")), then=then)


def _other_names(text: str) -> tuple[str, ...]:
    """What else the engine calls it: what refloat.yaml says of a service holds for its container as well."""
    from runner.engine.docker import connect_engine
    from runner.errors import RefloatError
    from runner.targets import find_target, service_of

    try:
        container = find_target(connect_engine(), text)
    except RefloatError:  # whoever needs the container says so in his own words
        return ()
    return (container.name, service_of(container))


def meant(text: str) -> str:
    """What the engine and the runs call a target that may be named as in refloat.yaml."""
    config = written_config() if text else None
    return config.target(text)[0] if config else text


def default_vault() -> str:
    """Where refloat.yaml keeps the snapshots of everybody; empty where it does not say."""
    config = written_config()
    return (config.defaults.vault or "") if config else ""


def _over(wishes: Wishes, settings: TargetSettings) -> Wishes:
    """The wishes of a command line, and those of the file where it says nothing."""
    to, image = wishes.to, wishes.image
    if not to and not image:
        to, image = ("", _whole(settings)) if settings.image else (settings.goal, "")
    return replace(
        wishes,
        to=to,
        image=image,
        pull=wishes.pull or settings.pull,
        hold=_first(wishes.hold, settings.hold),
        keep=_first(wishes.keep, settings.keep),
        keep_for=wishes.keep_for or settings.keep_for or "",
        stop_timeout_s=_first(wishes.stop_timeout_s, settings.stop_timeout_s),
        deadline_s=_first(wishes.deadline_s, settings.deadline_s),
        dwell_s=_first(wishes.dwell_s, settings.dwell_s),
        probes=wishes.probes or settings.probes,
        keep_env=wishes.keep_env or settings.keep_env,
        vault=wishes.vault or settings.vault or "",
        edit=_first(wishes.edit, settings.edit),
        standing_answers=tuple(f"{gate}={words}" for gate, words in settings.answers.items()),
        evidence=settings.evidence,
        hooks=settings.hooks,
        silence=settings.silence,
        window=settings.window or "",
        refresh=_refresh_over(wishes.refresh, settings),
    )


def _refresh_over(wishes: RefreshWishes, settings: TargetSettings) -> RefreshWishes:
    return replace(
        wishes,
        left_out=_first(wishes.left_out, None if settings.refresh is None else not settings.refresh),
        paths=wishes.paths or settings.config_paths,
        conflict=_first(wishes.conflict, settings.conflict),
    )


def _first(said: Value | None, written: Value | None) -> Value | None:
    return written if said is None else said


def _whole(settings: TargetSettings) -> str:
    return f"{settings.image}:{settings.goal}" if settings.goal else settings.image
