"""What a hop rule wants said about a hop it allows; it forbids nothing."""

from __future__ import annotations

from runner import hops
from runner.catalogue import Catalogue
from runner.hop_verdicts import Hop
from runner.versions import series_from


def warnings_on(rule: hops.HopRule, hop: Hop, among: Catalogue) -> tuple[str, ...]:
    """The sentences to show beside this hop."""
    match rule:
        case hops.OneMajorAtATime() if not hop.placed:
            return (_not_to_be_told(hop),)
        case hops.NextFeatureVersion():
            return (*_taken_for_the_next(hop, among), *_contradicted(rule, hop, among))
        case hops.ManualSteps():
            return _steps_by_hand(rule, hop, among)
        case hops.DocumentedBounds():
            return tuple(said for bound in rule.bounds if (said := _outside_the_table(bound, hop, among)))
        case _:
            return ()


def _not_to_be_told(hop: Hop) -> str:
    build = hop.leaving if hop.leaving.unplaced else hop.into
    return f"{build} is a build of the development branch: nothing tells which major it is, and no rule is held to it."


def _taken_for_the_next(hop: Hop, among: Catalogue) -> tuple[str, ...]:
    if among.complete or hop.leaving.series(3) == hop.into.series(3):
        return ()
    return (f"No list of releases was given: {hop.into} is taken to be the next feature version after {hop.leaving}.",)


def _contradicted(rule: hops.NextFeatureVersion, hop: Hop, among: Catalogue) -> tuple[str, ...]:
    stays = hop.leaving.series(3) == hop.into.series(3)
    early = rule.stepwise_to is not None and hop.leaving.rank < among.read(rule.stepwise_to).rank
    return (rule.contradicted,) if rule.contradicted and not stays and not early else ()


def _steps_by_hand(rule: hops.ManualSteps, hop: Hop, among: Catalogue) -> tuple[str, ...]:
    due = (one for one in rule.releases if hop.leaving.rank < among.read(one).rank <= hop.into.rank)
    return tuple(rule.step.replace("{release}", one) for one in due)


def _outside_the_table(bound: hops.Bound, hop: Hop, among: Catalogue) -> str:
    series = series_from(bound.series)
    if hop.leaving.series(len(series)) != series or hop.leaving.rank <= among.read(bound.procedure_to).rank:
        return ""
    if bound.plain_from is None:
        return f"The procedure is documented up to {bound.procedure_to}; nothing is said about {hop.leaving}."
    if hop.leaving.rank >= among.read(bound.plain_from).rank:
        return ""
    return f"{hop.leaving} lies between {bound.procedure_to} and {bound.plain_from}: no procedure is documented for it."
