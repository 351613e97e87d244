"""`refloat ls` and `refloat doctor`: what is there, and whether upgrades can work here; they change nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from runner.cli.ground import TOOLS_IMAGE, open_session, place_from
from runner.cli.terminal import say, say_json
from runner.cli.wishes import AsJson, Vault
from runner.errors import Exit

if TYPE_CHECKING:
    from runner.checkup import Check
    from runner.engine.port import EnginePort
    from runner.inventory import Entry

MARKS = {"ok": "✓", "note": "!", "bad": "✗"}


Snapshots = Annotated[bool, typer.Option("--snapshots", help="List the snapshots in the vault instead.")]


def ls_command(snapshots: Snapshots = False, vault: Vault = "", as_json: AsJson = False) -> None:
    """Every container that could be upgraded. Product, version, data, and why not where it cannot."""
    if snapshots:
        _list_snapshots(vault, as_json=as_json)
    else:
        _list_targets(as_json=as_json)


def _list_snapshots(vault: str, *, as_json: bool) -> None:
    from runner.report.words import columns, day_words, size_words

    rooms = open_session().vault.rooms(place_from(vault))
    if as_json:
        say_json([room.model_dump(mode="json") for room in rooms])
        return
    rows = tuple(
        (seen.room.target, seen.room.run, day_words(seen.made_at) if seen.made_at else "unknown",
         size_words(seen.unique_bytes), size_words(seen.shared_bytes),
         "sealed" if seen.sealed else "unfinished")
        for seen in rooms
    )  # fmt: skip
    heads = ("target", "run", "made (UTC)", "its own", "shared", "state")
    say(columns(rows, heads) if rows else "There is no snapshot.")


def _list_targets(*, as_json: bool) -> None:
    from runner.answers import read_answers
    from runner.inventory import read_inventory
    from runner.report.words import columns

    session = open_session()
    entries = read_inventory(session.engine, read_answers(session.home))
    if as_json:
        say_json([entry.model_dump(mode="json") for entry in entries])
    elif entries:
        heads = ("target", "product", "version", "image", "data", "notes", "upgradeable")
        say(columns(tuple(_cells(entry) for entry in entries), heads))
    else:
        say("There is no container on this engine.")


def _cells(entry: Entry) -> tuple[str, ...]:
    data = str(len(entry.data)) if entry.data else "none"
    able = f"no: {entry.why_not}" if entry.why_not else "yes"
    notes = f"{entry.notes_unread} unread" if entry.notes_unread else ""
    return (entry.name, entry.product or "unknown", entry.version or "unknown", entry.image, data, notes, able)


def doctor_command(vault: Vault = "", as_json: AsJson = False) -> None:
    """Whether upgrades can work here. Engine, storage, space, the tools image, what earlier runs left."""
    from runner.checkup import check_up

    session = open_session()
    checks = (*_configuration(session.engine), *check_up(session, place_from(vault), TOOLS_IMAGE))
    if as_json:
        say_json([check.model_dump(mode="json") for check in checks])
    else:
        say("\n".join(_line(check) for check in checks))
    if any(check.state == "bad" for check in checks):
        raise typer.Exit(int(Exit.REFUSED))


def _configuration(engine: EnginePort) -> tuple[Check, ...]:
    """The file in force, and the targets in it that are not on this engine; what is wrong in it is an error here."""
    from runner.checkup import Check
    from runner.config.reading import find_config
    from runner.report.words import count_words
    from runner.targets import service_of

    found = find_config()
    if found.path is None:
        return ()
    words = f"{found.path}, {count_words(len(found.config.targets), 'target')}"
    there = {name for each in engine.containers() for name in (each.name, service_of(each))}
    called = {name: target.called(name) for name, target in found.config.targets.items()}
    missing = [
        Check(name="config", state="note", words=f"{name} ({text}) is not on this engine", then=f"See {found.path}")
        for name, text in called.items()
        if text not in there
    ]
    return (Check(name="config", state="ok", words=words), *missing)


def _line(check: Check) -> str:
    return f"{MARKS[check.state]} {check.name:<8} {check.words}{f' → {check.then}' if check.then else ''}"
