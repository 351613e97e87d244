"""A refresh where the data is: asked and answered with JSON; it asks no person and needs the standard library alone.

It is sent into the tools container with all of this package. What it did not finish there, it undoes when asked again;
what it did finish it does not do twice, for the store beside the data names the run that wrote it.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path

from runner.refresh import beside
from runner.refresh.apply import apply, tree_of_our_own
from runner.refresh.drafts import digest_of, draft_of
from runner.refresh.report import Report, report_of
from runner.refresh.root import Root
from runner.refresh.run import refuse_unfinished, unanswered
from runner.refresh.settlement import Settlement
from runner.refresh.sites import Order, Packed, Site, is_there, opened, settled
from runner.refresh.store import adopt_draft, draft_store, drop_draft
from runner.refresh.telling import Told, told_of
from runner.refresh.undo import is_unfinished

DEFAULTS, REPORTS = "defaults.json", "reports.json"


def answer(order: Order, mounts: Path, kept: Path | None) -> dict[str, object]:
    """Preview or do what is ordered; ``mounts`` holds the sources by key, ``kept`` what a run needs again."""
    packed = _defaults(order, kept)
    with tempfile.TemporaryDirectory(prefix="refloat-refresh-") as scratch, ExitStack() as stack:
        sites = []
        for number, place in enumerate(order["places"]):
            if order["run"] or is_there(order, place, mounts, packed):
                folder = Path(scratch) / str(number)
                folder.mkdir()
                sites.append(stack.enter_context(opened(order, place, mounts, folder, packed)))
        told = _done(order, sites, kept) if order["write"] and kept else _previewed(order, sites)
        outcomes = _outcomes(sites) if order["write"] else _drafted(order, sites)
    return {"places": told, "outcomes": outcomes}


def _defaults(order: Order, kept: Path | None) -> Packed:
    given = order["defaults"]
    if given is not None and kept is not None:
        _write_whole(kept / DEFAULTS, json.dumps(given))
    if given is None and kept is not None:
        found: Packed = json.loads((kept / DEFAULTS).read_text())
        return found
    return given or {}


def _write_whole(path: Path, text: str) -> None:
    path.parent.mkdir(mode=0o700, exist_ok=True)
    draft = path.with_name(f"{path.name}.part")
    with draft.open("w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    draft.rename(path)


def _previewed(order: Order, sites: list[Site]) -> list[Told]:
    for site in sites:
        refuse_unfinished(site.world.user, site.place["path"])
    return [told_of(site.place["path"], report_of(settled(order, site), site.world)) for site in sites]


def _done(order: Order, sites: list[Site], kept: Path) -> list[Told]:
    """Settle every place, write down what will be done, then do it; what was done before is only told again."""
    with ExitStack() as stack:
        left = [site for site in sites if not stack.enter_context(_taken_up(order, site))]
        wanted = [(site, _answered(order, site)) for site in left]
        told = _recorded(kept) | {site.place["path"]: _told(site, settlement) for site, settlement in wanted}
        _write_whole(kept / REPORTS, json.dumps(told))
        for site, settlement in wanted:
            _write(order, site, settlement)
    return [told[site.place["path"]] for site in sites]


@contextmanager
def _taken_up(order: Order, site: Site) -> Iterator[bool]:
    """Hold a tree, and say whether this run has refreshed it already; what it only began is undone."""
    if is_unfinished(site.world.user):
        drop_draft(site.store)
    with tree_of_our_own(site.world.user):
        if beside.drafted_by(site.store) == order["run"]:
            adopt_draft(site.store)
        stored = beside.stored_beside(site.store, order["new"])
        yield stored is not None and stored.run == order["run"]


def _recorded(kept: Path) -> dict[str, Told]:
    path = kept / REPORTS
    found: dict[str, Told] = json.loads(path.read_text()) if path.exists() else {}
    return found


def _told(site: Site, settlement: Settlement) -> Told:
    report = report_of(settlement, site.world)
    return told_of(site.place["path"], Report(settlement, report.diffs, report.lost, applied=True))


def _write(order: Order, site: Site, settlement: Settlement) -> None:
    def keep() -> None:
        beside.ensure_place(site.store)
        draft_store(site.store, site.world.new, site.world.new_tree, order["new"], order["run"])

    apply(site.world.user, site.world.new, settlement, before_accepting=keep)
    adopt_draft(site.store)


def _answered(order: Order, site: Site) -> Settlement:
    settlement = settled(order, site)
    if settlement.still_open:
        raise unanswered(settlement)
    return settlement


def _outcomes(sites: list[Site]) -> dict[str, str]:
    """A digest of what every place holds now; empty for what is too big."""
    return {site.place["path"]: digest_of(site.world.user) for site in sites}


def _drafted(order: Order, sites: list[Site]) -> dict[str, str]:
    """Make copies as a refresh would leave the places, and yield their digests; nothing unless it is all of them."""
    made: dict[str, str] = {}
    for site in sites if order["drafts"] else ():
        folder = Path(order["drafts"][site.place["path"]])
        if not draft_of(site.world.user, folder):
            return {}
        with Root(folder) as draft:
            copy = replace(site, world=replace(site.world, user=draft))
            apply(draft, copy.world.new, _answered(order, copy))
            made[site.place["path"]] = digest_of(draft)
    return made
