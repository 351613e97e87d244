"""The library's verbs on archives: back up, list, verify, restore; what they do stands in the modules they call."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from runner.backing_up import BackedUp, Wanted, back_up
from runner.backups import MARK
from runner.errors import RefloatError
from runner.looking import refuse_open
from runner.options import Options
from runner.outcome import Outcome
from runner.restoring import From, RestoreOffer, drop_room, offer_restore
from runner.targets import find_target
from runner.vault.archive_port import Archive, ArchivePort, ArchiveSeen, Depot
from runner.verbs import Refloat


@dataclass(frozen=True)
class Archiving:
    """The verbs on one session and its archives."""

    refloat: Refloat
    archives: ArchivePort

    def back_up(self, target: str, wanted: Wanted, tell: Callable[[str], None]) -> BackedUp:
        """Make one backup; Refused ``no-data``, ``restarting``, ``data-in-use``, …, and VaultError."""
        container = find_target(self.refloat.session.engine, target)
        refuse_open(self.refloat.session, container, held_too=False)
        return back_up(self.refloat.session, self.archives, container, wanted, tell)

    def listed(self, target: str, depot: Depot) -> tuple[ArchiveSeen, ...]:
        """The archives of a target, or of all, newest first; what is none comes last."""
        seen = tuple(_plain(one) for one in self.archives.archives(depot))
        return tuple(one for one in seen if not target or one.target == target or one.wrong)

    def verify(self, archive: Archive, target: str = "") -> ArchiveSeen:
        """Read every byte of an archive; VaultError ``damaged``."""
        return _plain(self.archives.verify(archive, target))

    def offer_restore(self, target: str, source: From, options: Options) -> RestoreOffer:
        """What a restore would do; Refused and VaultError where it cannot be."""
        container = find_target(self.refloat.session.engine, target)
        refuse_open(self.refloat.session, container)
        return offer_restore(self.refloat.session, self.archives, container, source, options)

    def restore(self, offer: RestoreOffer) -> Outcome:
        """Carry an offer out; where it is refused at the last moment, what was unpacked for it goes."""
        try:
            return self.refloat.apply(offer.plan)
        except RefloatError:
            if offer.plan.run not in self.refloat.session.runs.all():
                self.withdraw(offer)
            raise

    def withdraw(self, offer: RestoreOffer) -> None:
        """Take away what was unpacked for an offer that is not carried out."""
        drop_room(self.refloat.session, offer.sealed.room)


def _plain(one: ArchiveSeen) -> ArchiveSeen:
    """The backup's own run; its snapshot's has a mark."""
    return one.model_copy(update={"run": one.run.removesuffix(MARK)})
