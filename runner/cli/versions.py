"""`refloat versions` and `verify`: where a target could go, whether a snapshot is whole; they change nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from runner.cli.asked import meant
from runner.cli.ground import open_session, place_from
from runner.cli.plan import Target
from runner.cli.rollback import TargetOrRun
from runner.cli.terminal import say, say_json
from runner.cli.wishes import AsJson, Vault

if TYPE_CHECKING:
    from runner.prospects import Prospect


Offline = Annotated[bool, typer.Option("--offline", help="Ask no registry.")]
Releases = Annotated[
    str | None, typer.Option("--releases", metavar="FILE|LIST", help="The releases that exist; no registry is asked.")
]


def versions_command(target: Target, offline: Offline = False, releases: Releases = None,
                     as_json: AsJson = False) -> None:  # fmt: skip
    """Where a target could go. The newest that exists, the newest within reach, the way there and what bars it."""
    from runner.cli.releases import releases_in
    from runner.prospects import read_prospect
    from runner.registry.listing import not_asked

    session = open_session()
    given = tuple(releases_in(releases)) if releases is not None else None
    prospect = read_prospect(session.engine, meant(target), not_asked if offline else session.ask_registry, given)
    if as_json:
        say_json(prospect.model_dump(mode="json"))
        return
    say("\n".join(_lines(prospect)))


def _lines(one: Prospect) -> tuple[str, ...]:
    head = f"{one.target}: {one.product or 'no recipe knows this product'}, {one.version or 'version unknown'}"
    nothing = "nothing newer is known" if one.product else "not known"
    way = " → ".join((one.data or one.version, *one.path)) if one.path else ""
    details = (
        ("data", f"{one.data}: the vendor's rules are asked for it" if one.data else ""),
        ("newest", one.newest or nothing),
        ("within reach", (one.reachable or "nothing") if one.newest and one.reachable != one.newest else ""),
        ("way", way),
        ("barred", f"{one.why_not} ({one.source})" if one.why_not else ""),
        ("on this engine", ", ".join(one.here)),
        ("next", f"refloat plan {one.target} --to {one.next_tag}" if one.next_tag else ""),
    )
    return (head, *(f"  {name:<15} {text}" for name, text in details if text), *_known_from(one))


def _known_from(one: Prospect) -> tuple[str, ...]:
    """What the answer rests on, so that silence is not taken for absence."""
    if one.releases_given:
        return ("Known from the list given, as all there is.",)
    if one.registry and not one.unseen:
        like = one.variant if one.variant.endswith("-") else f"-{one.variant}"
        alike = f" Only those with {like} are compared, as in what runs." if one.variant else ""
        listed = f"Known from the {one.registry_tags} tags that {one.registry} lists, and the images on this engine."
        return (f"{listed}{alike}",)
    known = "Known from the recipe and the images on this engine" if one.product else "Known from this engine"
    return (f"{known}; {f'no tags were seen. {one.unseen}' if one.unseen else 'no registry was asked.'}",)


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
