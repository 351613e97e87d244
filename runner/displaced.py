"""Finds out whether somebody removed both versions of an open run, as `docker compose up` does, and who is there now.

It changes nothing: what is to be done then is a plan of its own.
"""

from __future__ import annotations

import re

from runner.compose.project import PROJECT, SERVICE
from runner.engine.port import EnginePort
from runner.errors import NotFound, Refused
from runner.facts import Container, Json
from runner.labels import ROLE, RUN, SUCCESSOR
from runner.plan import Member, Plan
from runner.targets import find_target, is_parked

UNFINISHED = re.compile(r"[0-9a-f]{12}_")
"""What compose puts before the name of a container that it is making anew."""


def plain_name(container: Container) -> str:
    """Its name without what an unfinished `docker compose up` left before it."""
    found = UNFINISHED.match(container.name)
    return container.name[found.end() :] if found else container.name


def displaced(engine: EnginePort, plan: Plan) -> tuple[Member, ...]:
    """The members that have neither their old container nor the new one any more."""
    return tuple(each for each in plan.members if each.recreated and _is_gone(engine, each))


def _is_gone(engine: EnginePort, member: Member) -> bool:
    try:
        engine.container(member.container_id)
    except NotFound:
        return not engine.containers({RUN: member.run, ROLE: SUCCESSOR})
    return False


def in_place_of(engine: EnginePort, member: Member) -> Container:
    """Who has the name of a member now, or is its service in compose; Refused ``kept-gone`` where nobody is."""
    try:
        return find_target(engine, member.target)
    except Refused:
        found = _service(engine, member.way_back.body)
    if found is not None:
        return found
    what = f"Somebody removed both versions of {member.target} (docker compose down does). Its snapshot is kept."
    then = (f"Bring {member.new.spoken} up again as you did before (docker compose up -d), "
            f"then: refloat rollback {member.target}")  # fmt: skip
    raise Refused("kept-gone", what, then=then)


def _service(engine: EnginePort, body: Json) -> Container | None:
    labels = body.get("Labels")
    noted = labels if isinstance(labels, dict) else {}
    project, service = (str(noted.get(key) or "") for key in (PROJECT, SERVICE))
    everyone = engine.containers({PROJECT: project, SERVICE: service}) if project and service else ()
    return next((each for each in everyone if not is_parked(each, everyone)), None)
