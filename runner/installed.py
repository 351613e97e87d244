"""Asks a container itself for its version and its data's, where its recipe says so; it only reads and never judges.

An image says what it was made as. The data may be of another version: left behind by an upgrade that was cut off, or
written by a newer version before somebody went back to this one.
"""

from __future__ import annotations

import io
import posixpath
import re
import secrets
from collections.abc import Iterator
from typing import assert_never

from runner.engine.port import EnginePort
from runner.errors import EngineError, EngineUnreachable, NotFound, OutcomeUnknown
from runner.evidence import value_from
from runner.facts import Container, Image
from runner.plan import Side
from runner.probes.http import read_page, welcome
from runner.probes.prober import close_probers
from runner.probes.since import read_log
from runner.quoting import quoted
from runner.recipes.loader import recipe_for_image
from runner.recipes.model import FromCommand, FromFile, FromHttp, FromLog, Recipe
from runner.recipes.tags import stated_version
from runner.steps.nouns import CommandProbe, HttpProbe, Reading
from runner.versions import scheme_named
from runner.way import repository, side
from runner.world import Installed

ANSWER_S = 15.0
LOG_LINES = 5000
FILE_BYTES = 64 * 1024
"""A version stands in a small file."""
LINKS = 8
"""How many links are followed to a file."""

FromInside = FromCommand | FromFile | FromLog | FromHttp


class _Silent(Exception):
    """A source says no version; the words say why."""


def read_installed(engine: EnginePort, target: Container, image: Image, recipe: Recipe | None) -> Installed:
    """What the first source that answers says: of its data always, of its program where the image says nothing.

    Raises only where the engine does not answer.
    """
    inside = [one for one in recipe.version_from if isinstance(one, FromInside)] if recipe else []
    if recipe is None or not inside:
        return Installed()
    of_data = [one for one in inside if one.of == "data"]
    of_program = [] if _stated(recipe, target, image) else [one for one in inside if one.of == "program"]
    data, its, no_data = _first(engine, target, recipe, of_data)
    program, _, no_program = _first(engine, target, recipe, of_program)
    return Installed(
        program=program,
        data=data,
        data_parts=(its.parts or 4) if its else 4,
        where=_spoken(its, target) if its else "",
        unread="; ".join(dict.fromkeys((*no_data, *no_program))),
    )


def side_now(engine: EnginePort, target: Container, image: Image) -> Side:
    """What runs, as its image and the container itself say."""
    recipe = recipe_for_image(repository(target.image_ref))
    return side(image, target.image_ref, read_installed(engine, target, image, recipe))


def _stated(recipe: Recipe, target: Container, image: Image) -> str:
    home = repository(target.image_ref)
    return stated_version(recipe, home, target.image_ref.partition("@")[0][len(home) + 1 :], image)


def _first(engine: EnginePort, target: Container, recipe: Recipe,
           sources: list[FromInside]) -> tuple[str, FromInside | None, tuple[str, ...]]:  # fmt: skip
    """The version of the first source that has one, with that source; else why none of them has."""
    silent = []
    for source in sources:
        try:
            return _version(_said(engine, target, recipe, source), source, recipe), source, ()
        except _Silent as why:
            silent.append(quoted(str(why), target))
        except (EngineUnreachable, OutcomeUnknown):
            raise
        except EngineError as no:
            silent.append("it does not run" if no.code == "not-running" else quoted(no.what.rstrip("."), target))
    return "", None, tuple(silent)


def _version(text: str, source: FromInside, recipe: Recipe) -> str:
    """The version in an answer, as the recipe's scheme can read it; one of few numbers is the first of its series."""
    found = list(re.finditer(source.regex, text, re.MULTILINE)) if source.regex else []
    if source.regex and not found:
        raise _Silent(f"{_kind(source)} says no version")
    match = (found[-1] if isinstance(source, FromLog) else found[0]) if found else None
    version = _joined(match) if match else text.strip()
    parse = scheme_named(recipe.scheme).parse
    spelled = (f"{version}{'.0' * more}" for more in range(4 if source.parts else 1))
    readable = next((one for one in spelled if parse(one)), "")
    if not readable:
        raise _Silent(f"{_kind(source)} says “{version[:40]}”, which is no version of {recipe.title}")
    return readable


def _joined(match: re.Match[str]) -> str:
    """Its first group, or all of it; several groups with dots between, their numbers without leading zeros."""
    groups = [str(int(one)) if one.isdigit() else one for one in match.groups() if one]
    return ".".join(groups) if match.re.groups > 1 else match[match.re.groups]


def _said(engine: EnginePort, target: Container, recipe: Recipe, source: FromInside) -> str:
    if isinstance(source, FromFile):
        return _file(engine, target, recipe, source)
    if isinstance(source, FromLog):
        return read_log(engine, target, LOG_LINES)
    if not target.state.running:
        raise _Silent("it does not run")
    return _printed(engine, target, source) if isinstance(source, FromCommand) else _served(engine, target, source)


def _printed(engine: EnginePort, target: Container, source: FromCommand) -> str:
    answer = engine.execute(target.id, source.argv, timeout_s=ANSWER_S)
    if answer.exit_code is None:
        raise _Silent(f"{_kind(source)} did not answer within {ANSWER_S:g} s")
    if answer.exit_code:
        raise _Silent(f"{_kind(source)} ended with {answer.exit_code}")
    return answer.text


def _served(engine: EnginePort, target: Container, source: FromHttp) -> str:
    probe = HttpProbe(port=source.port, path=source.path, timeout_s=ANSWER_S)
    look = f"look-{secrets.token_hex(4)}"
    try:
        page = read_page(engine, probe, target, look)
    finally:
        close_probers(engine, look)
    if not welcome(probe, page.status):
        raise _Silent(f"{_kind(source)} answers with status {page.status}" if page.status else
                      f"{_kind(source)} does not answer")  # fmt: skip
    how = Reading(name="version", how=CommandProbe(argv=("-",)), pointer=source.pointer or "", rule="shown")
    found = value_from(how, page.body)
    if found is None:
        raise _Silent(f"{_kind(source)} says nothing at {source.pointer}")
    return found


def _file(engine: EnginePort, target: Container, recipe: Recipe, source: FromFile) -> str:
    for path in _places(target, recipe, source):
        try:
            return _content(engine, target, path, as_link=source.kind == "link")
        except NotFound:
            continue
    raise _Silent(f"there is no {source.path}")


def _places(target: Container, recipe: Recipe, source: FromFile) -> Iterator[str]:
    """Where the file may be; nowhere where it is named after a variable that is not set."""
    variables = _variables(target)
    if any(name not in variables for name in re.findall(r"\$(\w+)", source.path)):
        return
    path = re.sub(r"\$(\w+)", lambda name: variables[name[1]], source.path)
    yield from (posixpath.join(top, path) for top in (recipe.data_paths if not path.startswith("/") else ("/",)))


def _variables(target: Container) -> dict[str, str]:
    env = target.config.get("Env")
    pairs = (str(one).partition("=") for one in env) if isinstance(env, list) else ()
    return {name: value for name, _, value in pairs}


def _content(engine: EnginePort, target: Container, path: str, *, as_link: bool) -> str:
    """A file's text, links to it followed; or where the link itself points to."""
    import tarfile  # few plans need it

    for _ in range(LINKS):
        packed = engine.read_archive(target.id, path, at_most_bytes=FILE_BYTES)
        with tarfile.open(fileobj=io.BytesIO(packed)) as tar:
            first = tar.next()
            opened = tar.extractfile(first) if first and first.isfile() else None
            if opened and not as_link:
                return opened.read().decode("utf-8", "replace")
        if first is None or not first.issym():
            raise _Silent(f"{path} is no {'link' if as_link else 'file'}")
        if as_link:
            return first.linkname
        path = posixpath.normpath(posixpath.join(posixpath.dirname(path), first.linkname))
    raise _Silent(f"{path} is a link to a link, again and again")


def _kind(source: FromInside) -> str:
    """What a source is, for people."""
    match source:
        case FromCommand():
            return f"its command {posixpath.basename(source.argv[0])}"
        case FromFile():
            return f"its {source.kind} {source.path}"
        case FromLog():
            return "its log"
        case FromHttp():
            return f"port {source.port} ({source.path})"
        case _:
            assert_never(source)


def _spoken(source: FromInside, target: Container) -> str:
    return quoted(_kind(source), target)
