"""`refloat versions` and `verify`: where a target could go, whether a snapshot is whole; they change nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from runner.cli.asked import meant
from runner.cli.ground import open_session, place_from
from runner.cli.plan import Target
from runner.cli.rollback import TargetOrRun
from runner.cli.terminal import say, say_json
from runner.cli.wishes import AsJson, Vault

if TYPE_CHECKING:
    from runner.prospects import Prospect


def versions_command(target: Target, as_json: AsJson = False) -> None:
    """Where a target could go. The releases known, the way there, what bars it, and which are on the engine."""
    from runner.prospects import read_prospect

    prospect = read_prospect(open_session().engine, meant(target))
    if as_json:
        say_json(prospect.model_dump(mode="json"))
        return
    say("\n".join(_lines(prospect)))


def _lines(one: Prospect) -> tuple[str, ...]:
    head = f"{one.target}: {one.product or 'no recipe knows this product'}, {one.version or 'version unknown'}"
    nothing = "nothing newer is known" if one.product else "not known"
    way = " → ".join((one.version, *one.path)) if one.path else ""
    details = (
        ("newest", one.newest or nothing),
        ("within reach", one.reachable if one.reachable != one.newest else ""),
        ("way", way),
        ("barred", f"{one.why_not} ({one.source})" if one.why_not else ""),
        ("on this engine", ", ".join(one.here)),
        ("next", f"refloat plan {one.target} --to {one.next_tag}" if one.next_tag else ""),
    )
    known = "Known from the recipe and the images on this engine; no registry was asked."
    return (head, *(f"  {name:<15} {text}" for name, text in details if text), known)


def verify_command(target: TargetOrRun, vault: Vault = "", as_json: AsJson = False) -> None:
    """See that a snapshot is whole. Every file of it is hashed again and compared with its manifest."""
    from runner.report.words import count_words, size_words
    from runner.snapshots import find_snapshot, verify

    session = open_session()
    sealed = verify(session.vault, find_snapshot(session.vault, place_from(vault), meant(target)))
    if as_json:
        say_json(sealed.model_dump(mode="json"))
        return
    holds = f"{count_words(sealed.entries, 'entry')}, {size_words(sealed.size_bytes)}, sealed {sealed.sealed_at}"
    say(f"Snapshot {sealed.room.run} of {sealed.room.target} is whole: {holds}.")
