"""Steps that prove the new version and open the door again; what proof is needed, the plan says."""

from __future__ import annotations

from typing import Literal

from runner.steps.back import BackStep, EditBack, WithdrawVerdict
from runner.steps.nouns import FileEdit, HealthTerms, Phase, Reading, Who
from runner.steps.step import ForwardStep
from runner.vault.port import Room


class ProveHealth(ForwardStep):
    """See the new version up, healthy, and the same process after the dwell time."""

    kind: Literal["prove-health"] = "prove-health"
    phase: Phase = Phase.PROVE
    who: Who
    terms: HealthTerms

    @property
    def sentence(self) -> str:
        """What it does, in words."""
        probes = ", ".join(
            probe.spoken + (" (if the old version answers it)" if probe.kind != "image" and probe.if_before else "")
            for probe in self.terms.probes
        )
        return f"prove {self.who.spoken}: {probes or 'stays up'}, stable for {self.terms.dwell_s:g} s"


class CompareEvidence(ForwardStep):
    """Read the same from the new version, and compare."""

    kind: Literal["compare-evidence"] = "compare-evidence"
    phase: Phase = Phase.PROVE
    who: Who
    readings: tuple[Reading, ...]
    goal_version: str

    @property
    def sentence(self) -> str:
        """What it does, in words."""
        return f"compare evidence: {', '.join(reading.name for reading in self.readings)}"


class EditFile(ForwardStep):
    """Name the new image in the file the old one was named in, so that what runs and what is written stay one."""

    kind: Literal["edit-file"] = "edit-file"
    phase: Phase = Phase.OPEN
    edit: FileEdit

    @property
    def sentence(self) -> str:
        """What it does, in words."""
        return f"edit {self.edit.path}, line {self.edit.line}"

    def undo(self) -> tuple[BackStep, ...]:
        """Put the earlier words back."""
        return (EditBack(edit=self.edit),)


class AcceptVerdict(ForwardStep):
    """Say so: the new version is proven."""

    kind: Literal["accept-verdict"] = "accept-verdict"
    phase: Phase = Phase.OPEN
    name: str
    room: Room

    @property
    def sentence(self) -> str:
        """What it does, in words."""
        return f"accept the new version of {self.name}"

    def undo(self) -> tuple[BackStep, ...]:
        """Withdraw it."""
        return (WithdrawVerdict(room=self.room),)
