"""Which container the user means: by name, id or compose service; it reads, and changes nothing."""

from __future__ import annotations

from difflib import get_close_matches

from runner.compose.project import PROJECT, SERVICE
from runner.engine.port import EnginePort
from runner.errors import EngineError, NotFound, Refused
from runner.facts import Container
from runner.labels import READERS, ROLE


def find_target(engine: EnginePort, text: str) -> Container:
    """The container that is meant; Refused ``no-such-target`` names the nearest, ``ambiguous-target`` lists them."""
    if "/" in text.strip("/"):
        return _of_service(engine, text)
    try:
        return engine.container(text)
    except NotFound:
        raise _unknown(engine, text) from None
    except EngineError as error:
        raise _ambiguous(engine, text) or error from None


def _of_service(engine: EnginePort, text: str) -> Container:
    project, _, service = text.strip("/").partition("/")
    found = engine.containers({PROJECT: project, SERVICE: service})
    mine = tuple(each for each in found if not is_parked(each, found))
    if not mine:
        raise _unknown(engine, text)
    if len(mine) > 1:
        raise _several(text, mine)
    return mine[0]


def is_parked(container: Container, among: tuple[Container, ...]) -> bool:
    """Whether it is the old or the coming version of another one that is there."""
    names = {each.name for each in among}
    return any(container.name == f"{name}-refloat-{end}" for name in names for end in ("kept", "next"))


def service_of(container: Container) -> str:
    """``project/service`` of a compose container; empty for others."""
    project, service = container.labels.get(PROJECT, ""), container.labels.get(SERVICE, "")
    return f"{project}/{service}" if project and service else ""


def _unknown(engine: EnginePort, text: str) -> Refused:
    every = tuple(each for each in engine.containers() if each.labels.get(ROLE) not in READERS)
    names = {each.name for each in every} | {service_of(each) for each in every} - {""}
    nearest = get_close_matches(text, sorted(names), n=3)
    meant = f"Did you mean {' or '.join(nearest)}? " if nearest else ""
    return Refused("no-such-target", f"There is no container {text}.", then=f"{meant}List them: refloat ls")


def _ambiguous(engine: EnginePort, text: str) -> Refused | None:
    """The engine's refusal of an id that begins several containers; None where it refused for another reason."""
    meant = tuple(each for each in engine.containers() if each.id.startswith(text))
    return _several(text, meant) if len(meant) > 1 else None


def _several(text: str, meant: tuple[Container, ...]) -> Refused:
    names = ", ".join(sorted(each.name for each in meant))
    return Refused("ambiguous-target", f"{text} means several containers: {names}.", then="Name one of them.")
