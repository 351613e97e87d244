"""Whether this machine and this engine are fit for upgrades, and what earlier runs left behind; it repairs nothing."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from typing import Literal

from runner.errors import EngineError, EngineUnreachable, NotFound, OutcomeUnknown
from runner.facts import Engine, Fact
from runner.report.words import count_words, size_words
from runner.session import Session
from runner.standing import standings
from runner.targets import is_parked
from runner.vault.port import VaultError, VaultPlace
from runner.vault.tools_image import build_command, own_programs_of

OLDEST_API = (1, 41)
LITTLE_BYTES = 1_000_000_000
UNSURE_DRIVERS = ("vfs", "devicemapper", "aufs")


class Check(Fact):
    """One thing looked at."""

    name: str
    state: Literal["ok", "note", "bad"]
    words: str
    then: str = ""


def check_up(session: Session, place: VaultPlace, tools_image: str) -> tuple[Check, ...]:
    """Everything an upgrade needs, in the order in which it needs it."""
    engine = session.engine.engine()
    return (
        *_engine(engine),
        _home(session),
        _tools(session, tools_image),
        *_vault(session, place),
        *_leftovers(session),
    )


def _engine(engine: Engine) -> Iterator[Check]:
    words = f"{engine.name}: {engine.version}, API {engine.api_version}, {engine.os}/{engine.architecture}"
    yield Check(name="engine", state="ok", words=words)
    if tuple(int(part) for part in engine.api_version.split(".") if part.isdigit()) < OLDEST_API:
        yield Check(name="api", state="bad", words="this engine is older than 20.10", then="Upgrade the engine first.")
    if engine.os != "linux":
        yield Check(name="os", state="bad", words=f"containers of {engine.os} cannot be upgraded: Linux only")
    unsure = engine.storage_driver in UNSURE_DRIVERS
    words = f"{engine.storage_driver} in {engine.root_dir}, cgroup v{engine.cgroup_version}"
    yield Check(name="storage", state="note" if unsure else "ok", words=words)
    if any("rootless" in each for each in engine.security):
        words = "rootless: files of other users in bind mounts may not be readable"
        yield Check(name="rights", state="note", words=words)


def _home(session: Session) -> Check:
    home = session.home
    there = next(each for each in (home, *home.parents) if each.exists())
    if not there.is_dir() or not os.access(there, os.W_OK):
        then = "Choose another folder: export REFLOAT_HOME=FOLDER"
        return Check(name="home", state="bad", words=f"{home} cannot be written", then=then)
    free = size_words(shutil.disk_usage(there).free)
    return Check(name="home", state="ok", words=f"{home}, {free} free, {count_words(len(session.runs.all()), 'run')}")


def _tools(session: Session, image: str) -> Check:
    try:
        found = session.engine.image(image)
    except NotFound:
        words = f"the image {image}, which copies data, is not here: the first plan makes it"
        return Check(name="tools", state="note", words=words, then=build_command(image))
    words, lacking = f"{image}, {size_words(found.size_bytes)}", own_programs_of(found)
    if lacking is None:
        return Check(name="tools", state="ok", words=words)
    words = f"{words}, made of a machine's own programs, for it could not be built{lacking}"
    return Check(name="tools", state="note" if lacking else "ok", words=words, then=build_command(image))


def _vault(session: Session, place: VaultPlace) -> Iterator[Check]:
    where = place.path or place.volume
    try:
        if not place.path:
            session.engine.volume(place.volume)
        rooms = session.vault.rooms(place)
        _, space = session.vault.measure(place, ())
    except NotFound:
        yield Check(name="vault", state="ok", words=f"{where} is made by the first upgrade")
        return
    except (EngineUnreachable, OutcomeUnknown):
        raise
    except (EngineError, VaultError) as no:
        yield Check(name="vault", state="bad", words=f"{where}: {no.what}", then=no.then)
        return
    used = size_words(sum(room.unique_bytes for room in rooms))
    sealed = count_words(sum(room.sealed for room in rooms), "snapshot")
    words = f"{where}: {sealed} of {used} in all, {size_words(space.free_bytes)} free"
    little = space.free_bytes < LITTLE_BYTES
    yield Check(name="vault", state="note" if little else "ok", words=words, then="refloat prune" if little else "")


def _leftovers(session: Session) -> Iterator[Check]:
    opened = [row for row in standings(session.runs) if row.is_open]
    for row in opened:
        yield Check(name="run", state="note", words=f"{row.run} of {row.target}: {row.state}", then=row.then)
    everyone = session.engine.containers()
    known = {row.target for row in opened}
    for each in everyone:
        target = each.name.rpartition("-refloat-")[0]
        if is_parked(each, everyone) and target not in known:
            words = f"{each.name} is of a run that is not in {session.home}"
            yield Check(name="left", state="note", words=words, then=f"refloat recover {target}")
    if not opened:
        yield Check(name="runs", state="ok", words="nothing is open")
