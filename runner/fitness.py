"""What will prove a container healthy, from its image, its recipe and the user's wishes; it asks no container."""

from __future__ import annotations

import re
import shlex

from pydantic import JsonValue

from runner.errors import UsageError
from runner.facts import Fact, Json
from runner.recipes import health as stated
from runner.recipes.model import Recipe
from runner.secrecy import secret_word
from runner.spec.healthcheck import check_argv
from runner.steps.nouns import CommandProbe, HealthTerms, HttpProbe, ImageHealth, LogProbe, Probe, Reading, TcpProbe

DEADLINE_S = 120.0
DWELL_S = 5.0
# How much of the deadline the engine's `unhealthy` may last: slow starters are unhealthy first, then fine.
UNHEALTHY_SHARE = 0.75
NANO = 1_000_000_000
# What the engine fills in for a health check that leaves them out (Docker Engine API, HealthConfig).
ENGINE_INTERVAL_S, ENGINE_TIMEOUT_S, ENGINE_RETRIES = 30.0, 30.0, 3


class DeclaredHealth(Fact):
    """A HEALTHCHECK in force: what to ask, and how long its author lets it fail."""

    probe: ImageHealth
    grace_s: float


def health_terms(user: Json, image: Json, recipe: Recipe | None, *, probes: tuple[Probe, ...] = (),
                 deadline_s: float | None = None, dwell_s: float | None = None) -> HealthTerms:  # fmt: skip
    """The terms for a container with what the ``user`` set (a ``Config``) on an image (its ``Config``).

    ``probes``, ``deadline_s`` and ``dwell_s`` are the user's wishes; None leaves it to image and recipe.
    """
    declared = declared_health(user.get("Healthcheck"), image.get("Healthcheck"))
    grace_s = declared.grace_s if declared else 0
    patience_s = deadline_s if deadline_s is not None else max(grace_s, _recipe_deadline_s(recipe))
    asked = (*probes, *((declared.probe,) if declared else ()), *(_recipe_probes(recipe) if recipe else ()))
    return HealthTerms(
        probes=tuple(dict.fromkeys(asked)),
        deadline_s=patience_s,
        dwell_s=dwell_s if dwell_s is not None else _dwell_s(recipe),
        unhealthy_s=patience_s * UNHEALTHY_SHARE,
        standstill_s=recipe.standstill.lasts_s if recipe and recipe.standstill else 0,
        danger=recipe.danger_log if recipe else (),
        migrating=recipe.migrating_log if recipe else (),
        migrated=recipe.ready_log if recipe else (),
    )


def readings_from(recipe: Recipe) -> tuple[Reading, ...]:
    """The evidence a recipe asks for."""
    return tuple(reading_from(one) for one in recipe.evidence)


def probe_from(text: str) -> Probe:
    """The probe a user wrote: http:PORT/PATH, https:PORT/PATH, tcp:PORT, cmd:COMMAND or log:REGEX."""
    kind, colon, rest = text.partition(":")
    if not colon or not rest:
        raise _unclear(text)
    if kind in ("http", "https"):
        return _http_from(text, kind, rest)
    if kind == "tcp":
        return TcpProbe(port=_port(text, rest))
    if kind == "cmd":
        return CommandProbe(argv=_argv(text, rest))
    if kind == "log":
        return LogProbe(pattern=_pattern(text, rest))
    raise _unclear(text)


def declared_health(user: JsonValue, image: JsonValue) -> DeclaredHealth | None:
    """The HEALTHCHECK in force: the user's over the image's, field by field, as the engine merges them."""
    merged = _set_fields(image) | _set_fields(user)
    if not check_argv({"Healthcheck": merged}):
        return None
    timeout_s = _number(merged, "Timeout") / NANO or ENGINE_TIMEOUT_S
    every_s = (_number(merged, "Interval") / NANO or ENGINE_INTERVAL_S) + timeout_s
    retries = _number(merged, "Retries") or ENGINE_RETRIES
    grace_s = _number(merged, "StartPeriod") / NANO + every_s * retries
    return DeclaredHealth(probe=ImageHealth(timeout_s=timeout_s), grace_s=grace_s)


def _set_fields(health: JsonValue) -> Json:
    return {key: value for key, value in health.items() if value} if isinstance(health, dict) else {}


def _number(fields: Json, key: str) -> float:
    value = fields.get(key)
    return float(value) if isinstance(value, int | float) else 0.0


def _recipe_deadline_s(recipe: Recipe | None) -> float:
    if recipe is None:
        return DEADLINE_S
    return recipe.start_deadline_s or max([DEADLINE_S, *(probe.deadline_s for probe in recipe.probes)])


def _dwell_s(recipe: Recipe | None) -> float:
    return DWELL_S if recipe is None or recipe.healthy_dwell_s is None else recipe.healthy_dwell_s


def _recipe_probes(recipe: Recipe) -> tuple[Probe, ...]:
    """All conditional: a recipe cannot know another port or TLS; where it has none, its ready line is one."""
    if recipe.probes:
        return tuple(_conditional(probe) for probe in recipe.probes)
    if recipe.ready_log:
        return (LogProbe(pattern="|".join(f"(?:{line})" for line in recipe.ready_log), if_before=True),)
    return ()


def _conditional(probe: stated.RecipeProbe) -> Probe:
    match probe:
        case stated.HttpProbe():
            return HttpProbe(port=probe.port, path=probe.path, status=probe.status, danger=probe.danger or "",
                             if_before=True)  # fmt: skip
        case stated.TcpProbe():
            return TcpProbe(port=probe.port, if_before=True)
        case stated.CommandProbe():
            return CommandProbe(argv=probe.argv, if_before=True)
        case stated.LogProbe():
            return LogProbe(pattern=probe.regex, if_before=True)


def reading_from(one: stated.RecipeEvidence) -> Reading:
    """One piece of evidence as a plan has it."""
    asked = HttpProbe(port=one.port, path=one.path) if one.kind == "http" else CommandProbe(argv=one.argv)
    return Reading(
        name=one.name,
        how=asked,
        pick=one.regex or "",
        pointer=one.pointer or "",
        count=one.count,
        rule="goal_version" if one.compare == "changed_to_goal" else one.compare,
        percent=one.percent or 0,
        settle_s=one.settle_s,
    )


def _http_from(text: str, scheme: str, rest: str) -> HttpProbe:
    port, slash, path = rest.partition("/")
    return HttpProbe(scheme=scheme, port=_port(text, port), path=slash + path if slash else "/")


def _port(text: str, digits: str) -> int:
    if not digits.isdecimal() or not 1 <= int(digits) <= 65535:
        raise UsageError("bad-probe", f"--probe {text}: “{digits}” is not a port (1 to 65535).", then=_SHAPES)
    return int(digits)


def _argv(text: str, command: str) -> tuple[str, ...]:
    try:
        argv = tuple(shlex.split(command))
    except ValueError as wrong:
        raise UsageError("bad-probe", f"--probe {text}: {wrong}.", then=_SHAPES) from None
    if not argv:
        raise _unclear(text)
    if word := secret_word(argv):
        what = f"--probe cmd:{argv[0]} … shows a secret ({word}), and plans would hold it."
        raise UsageError("secret-in-probe", what, then=f"Let the container look it up: {_POINTED}")
    return argv


def _pattern(text: str, pattern: str) -> str:
    try:
        re.compile(pattern)
    except re.error as wrong:
        raise UsageError("bad-probe", f"--probe {text}: not a regular expression: {wrong}.", then=_SHAPES) from None
    return pattern


_POINTED = """--probe 'cmd:sh -c "mysqladmin -p$MYSQL_ROOT_PASSWORD ping"'"""
_SHAPES = "Write http:PORT/PATH, https:PORT/PATH, tcp:PORT, cmd:COMMAND or log:REGEX, for example http:9090/-/ready."


def _unclear(text: str) -> UsageError:
    return UsageError("bad-probe", f"--probe {text} is not a probe.", then=_SHAPES)
