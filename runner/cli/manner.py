"""How a rehearsal is wished on the command line: what it plays on, how many at once, which reports; it plays none."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from runner.cli.depots import opened_archive
from runner.cli.ground import TOOLS_IMAGE
from runner.cli.reports import Wanted as WantedReports
from runner.cli.terminal import tell
from runner.errors import UsageError

if TYPE_CHECKING:
    from runner.options import Options
    from runner.rehearsing import Packed, Wanted
    from runner.session import Session


@dataclass(frozen=True)
class Manner:
    """How it is rehearsed."""

    quick: bool = False
    source: str = ""
    """The run of a snapshot, or an archive; empty takes a new snapshot."""
    password_file: str = ""
    at_once: int = 1
    reports: WantedReports = ()

    def on(self, options: Options) -> Options:
        """What is chosen for the plan: what plays on data from elsewhere needs no target that runs."""
        return options.model_copy(update={"at_rest": bool(self.source)})

    def wanted(self, session: Session, options: Options) -> Wanted:
        """The same for the rehearsal; UsageError ``bad-place``, ``no-password``."""
        from runner.rehearsing import Wanted

        packed = self._packed(session)
        return Wanted(options=options, quick=self.quick, snapshot="" if packed else self.source, packed=packed)

    def for_stack(self, options: Options) -> Wanted:
        """The same for a stack; UsageError ``archive-of-one``: an archive is of one container."""
        from runner.rehearsing import Wanted

        if opened_archive(self.source, self.password_file):
            raise UsageError("archive-of-one", f"{self.source} is the archive of one container, not of a stack.",
                             then="Name the run whose snapshots are of all of them: --from RUN")  # fmt: skip
        return Wanted(options=options, quick=self.quick, snapshot=self.source)

    def _packed(self, session: Session) -> Packed | None:
        archive = opened_archive(self.source, self.password_file)
        if archive is None:
            return None
        from runner.rehearsing import Packed
        from runner.vault.archives import DockerArchives

        return Packed(DockerArchives(session.engine, TOOLS_IMAGE, tell), archive)
