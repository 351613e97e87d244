"""Steps of the way back: each ends in the state it names, whatever is there already; none of them destroys the user's.

The one step that writes to the user's data, RestoreData, takes a sealed snapshot of this very run.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from runner.facts import Fact, Json
from runner.silence.model import Monitor
from runner.steps.calls import HookCall
from runner.steps.nouns import Blueprint, Existing, FileEdit, HealthTerms, Ours, Who
from runner.vault.port import Room, Source


def policy_words(policy: Json) -> str:
    """A restart policy as people write it on the command line."""
    name = str(policy.get("Name") or "no")
    count = policy.get("MaximumRetryCount")
    return f"{name}:{count}" if name == "on-failure" and count else name


class ReleaseImage(Fact):
    """Take our tag off the old image."""

    kind: Literal["release-image"] = "release-image"
    tag: str

    @property
    def sentence(self) -> str:
        """What it does, in words."""
        return f"take the tag {self.tag} away"


class RemoveOurs(Fact):
    """Remove a container this run made."""

    kind: Literal["remove-ours"] = "remove-ours"
    who: Ours

    @property
    def sentence(self) -> str:
        """What it does, in words."""
        return f"remove {self.who.spoken}"


class DiscardRoom(Fact):
    """Remove this run's room from the vault, and the tools container."""

    kind: Literal["discard-room"] = "discard-room"
    room: Room

    @property
    def sentence(self) -> str:
        """What it does, in words."""
        return f"discard the copy {self.room.run} in the vault"


class StartContainer(Fact):
    """Start the old container again; ``blueprint`` makes it anew where the engine deleted it (``--rm``).

    An order to stop outlives the runner that gave it; ``stop_timeout_s`` is how long it may still be under way.
    """

    kind: Literal["start-container"] = "start-container"
    who: Existing
    run: str
    stop_timeout_s: int = 10
    blueprint: Blueprint | None = None

    @property
    def sentence(self) -> str:
        """What it does, in words."""
        return f"start {self.who.spoken}" if self.blueprint is None else f"create {self.who.spoken} again and start it"


class ProveBack(Fact):
    """See the old version up and healthy again."""

    kind: Literal["prove-back"] = "prove-back"
    who: Existing
    run: str
    terms: HealthTerms

    @property
    def sentence(self) -> str:
        """What it does, in words."""
        return f"see {self.who.spoken} up again"


class SetPolicyBack(Fact):
    """Give the old container its restart policy back."""

    kind: Literal["set-policy-back"] = "set-policy-back"
    who: Who
    policy: Json

    @property
    def sentence(self) -> str:
        """What it does, in words."""
        return f"restart policy of {self.who.spoken} back to {policy_words(self.policy)}"


class NameBack(Fact):
    """Give a container its earlier name back."""

    kind: Literal["name-back"] = "name-back"
    who: Who
    name: str

    @property
    def sentence(self) -> str:
        """What it does, in words."""
        return f"give {self.who.spoken} the name {self.name} again"


class CaptureFailure(Fact):
    """Keep what explains the failure: inspect, exit code, health log, last log lines."""

    kind: Literal["capture-failure"] = "capture-failure"
    who: Ours

    @property
    def sentence(self) -> str:
        """What it does, in words."""
        return f"keep the last words of {self.who.spoken}"


class StopOurs(Fact):
    """Stop a container this run made, and see that it stays down."""

    kind: Literal["stop-ours"] = "stop-ours"
    who: Ours
    timeout_s: int

    @property
    def sentence(self) -> str:
        """What it does, in words."""
        return f"stop {self.who.spoken}"


class StopAgain(Fact):
    """Stop a container of the user's that was started again, before its data is restored."""

    kind: Literal["stop-again"] = "stop-again"
    who: Existing
    timeout_s: int

    @property
    def sentence(self) -> str:
        """What it does, in words."""
        return f"stop {self.who.spoken} again"


class PauseBack(Fact):
    """Pause a container of the user's again, as it was."""

    kind: Literal["pause-back"] = "pause-back"
    who: Existing

    @property
    def sentence(self) -> str:
        """What it does, in words."""
        return f"pause {self.who.spoken} again"


class ThawBack(Fact):
    """Wake up a container that was paused at the end, so that it can be stopped."""

    kind: Literal["thaw-back"] = "thaw-back"
    who: Who

    @property
    def sentence(self) -> str:
        """What it does, in words."""
        return f"wake {self.who.spoken} up"


class RestoreData(Fact):
    """Make the data equal to this run's sealed snapshot."""

    kind: Literal["restore-data"] = "restore-data"
    room: Room
    sources: tuple[Source, ...]

    @property
    def sentence(self) -> str:
        """What it does, in words."""
        return f"restore {', '.join(source.spoken for source in self.sources)} from snapshot {self.room.run}"


class WithdrawVerdict(Fact):
    """Take the accepted verdict back, in the vault too."""

    kind: Literal["withdraw-verdict"] = "withdraw-verdict"
    room: Room

    @property
    def sentence(self) -> str:
        """What it does, in words."""
        return f"withdraw the verdict of run {self.room.run}"


class EditBack(Fact):
    """Take the change of a file back, unless somebody else changed it since."""

    kind: Literal["edit-back"] = "edit-back"
    edit: FileEdit

    @property
    def sentence(self) -> str:
        """What it does, in words."""
        return f"put {self.edit.shown_before} back into {self.edit.path}"


class CallBack(Fact):
    """Call a hook on the way back: what takes one back, or one of the way back's own. Its failure only warns."""

    kind: Literal["call-back"] = "call-back"
    who: Who
    call: HookCall

    @property
    def sentence(self) -> str:
        """What it does, in words."""
        return f"call {self.call.spoken}"


class SpeakAgain(Fact):
    """Let a monitor speak again on the way back. That it cannot only warns: it speaks again by itself."""

    kind: Literal["speak-again"] = "speak-again"
    who: Who
    monitor: Monitor
    folder: str = ""

    @property
    def sentence(self) -> str:
        """What it does, in words."""
        return f"let {self.monitor.spoken} speak again"


BackStep = Annotated[
    ReleaseImage | RemoveOurs | DiscardRoom | StartContainer | ProveBack | SetPolicyBack | NameBack | CaptureFailure
    | StopOurs | StopAgain | RestoreData | WithdrawVerdict | EditBack | CallBack | SpeakAgain
    | PauseBack | ThawBack,
    Field(discriminator="kind"),
]  # fmt: skip
