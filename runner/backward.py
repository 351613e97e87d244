"""May a release be left for an older one in place? By the vendor's classes of downgrade; it restores nothing."""

from __future__ import annotations

from runner.catalogue import Catalogue
from runner.hop_verdicts import Hop
from runner.hops import Backward, Barrier, Downgrade


def why_not_back(downgrade: Downgrade, backward: Backward, hop: Hop, among: Catalogue) -> str:
    """Why the way back in place is closed; empty when it is open."""
    if _stays_inside(backward, hop, among) or not hop.placed:
        return ""
    if downgrade == "works":
        return ""
    if downgrade == "barriers":
        crossed = (one for one in backward.barriers if _crosses(one, hop, among))
        barrier = next(crossed, None)
        return f"{hop.leaving} cannot go back below {barrier.below}: {barrier.why}." if barrier else ""
    return f"{hop.leaving} cannot go back to {hop.into} in place. {backward.why}"


def _stays_inside(backward: Backward, hop: Hop, among: Catalogue) -> bool:
    parts = backward.same_parts
    if parts == 0 or hop.leaving.major(parts) != hop.into.major(parts):
        return False
    return backward.not_below is None or hop.into.rank >= among.read(backward.not_below).rank


def _crosses(barrier: Barrier, hop: Hop, among: Catalogue) -> bool:
    from_above = hop.leaving.rank >= among.read(barrier.leaving).rank
    return from_above and hop.into.rank < among.read(barrier.below).rank
