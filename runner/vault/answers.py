"""What the program in the tools container is asked and answers, as JSON; it runs nothing and reads no file."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import TypeVar

from pydantic import JsonValue, ValidationError

from runner.errors import NOTHING_TOUCHED
from runner.facts import Fact, Finished, Json
from runner.vault.port import Changed, Copied, Duplicated, Measured, Room, Sealed, Source, VaultError
from runner.vault.tools import SOURCES, VAULT
from runner.vault.tools_image import no_tools
from runner.verdict import CANNOT_RUN

Answer = TypeVar("Answer", bound=Fact)
COMMAND = "refloat-vault"
"""Reads requests from its standard input, one a line, and answers each with a line."""

_THEN = {
    "no-space": "Free space where the vault is (refloat prune), or keep it elsewhere with --vault.",
    "unsealed": "Use another snapshot (refloat ls --snapshots), or take a new one.",
    "damaged": "Use another snapshot (refloat ls --snapshots); check the disk the vault is on.",
    "foreign": "Name the run that this data was copied in (refloat ls --snapshots).",
    "copy-failed": "See who else uses the data (docker ps --filter volume=NAME), then try again.",
    "restore-failed": "See who else uses the data (docker ps --filter volume=NAME), then restore again.",
    "no-program": "See what the image was made of, and how to build it whole: refloat doctor",
    "too-slow": "Try again: what was copied already is kept.",
}
_THEN_RESTORE = {"no-space": "Free space where the data is, then restore again: refloat recover"}
_STANDS = {
    "restore-failed": "The data is restored in part; the snapshot is untouched.",
    "too-slow": "The command may still be at work; a second one waits for it.",
}
_COPY_ONLY = "The data was only read; the snapshot is not sealed, and not used."


class MeasuredAnswer(Fact):
    """The answer to ``measure``."""

    measured: tuple[Measured, ...]
    free_bytes: int
    free_inodes: int
    free_memory_bytes: int = 0


class SealAnswer(Fact):
    """What a seal says, as it is written."""

    format: int
    target: str
    run: str
    sealed_at: str
    sources: tuple[Source, ...]
    digest: str
    size_bytes: int
    entries: int

    def sealed(self, room: Room) -> Sealed:
        """The seal in our words."""
        return Sealed(
            room=room,
            sealed_at=self.sealed_at,
            digest=self.digest,
            sources=self.sources,
            size_bytes=self.size_bytes,
            entries=self.entries,
        )


class RoomAnswer(Fact):
    """One entry of the answer to ``rooms``."""

    target: str
    run: str
    sealed: bool
    made_at: str
    unique_bytes: int
    shared_bytes: int


class RoomsAnswer(Fact):
    """The answer to ``rooms``."""

    rooms: tuple[RoomAnswer, ...]


class PapersAnswer(Fact):
    """The answer to ``read-papers``."""

    papers: dict[str, str]


class ChangesAnswer(Fact):
    """The answer to ``changes``."""

    sources: tuple[Changed, ...]


class HowAnswer(Fact):
    """How a clone was made, and with which options it is to be mounted."""

    how: str
    features: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    """The keys of sources that are one file each."""


class DuplicatedAnswer(Fact):
    """The answer to ``duplicate``."""

    sources: tuple[Duplicated, ...]


class LeftAnswer(Fact):
    """The answer to ``discard``: clones that must go first."""

    clones: tuple[str, ...]


class _Trouble(Fact):
    code: str
    what: str
    stands: str = ""
    then: str = ""


def request_json(op: str, room: Room | None = None, sources: Iterable[Source] = (), **more: JsonValue) -> bytes:
    """One request as the program reads it."""
    request: Json = {"op": op, "vault": VAULT, "mounts": SOURCES}
    request.update(more)
    request["sources"] = [each.model_dump(mode="json") for each in sources]
    if room:
        request |= {"target": room.target, "run": room.run}
    return json.dumps(request).encode()


def answer_from(finished: Finished, op: str, image: str) -> bytes:
    """The answer's JSON; VaultError where it is a refusal or no answer at all."""
    if finished.exit_code is None:
        raise error_from("too-slow", f"The vault's '{op}' did not end in time.", op)
    text = finished.stdout.strip()
    if finished.exit_code in CANNOT_RUN and not text.startswith(b"{"):
        raise no_tools(image, f"What has that name has no {COMMAND}.")
    try:
        answer = json.loads(text)
    except ValueError:
        complaint = finished.complaint[-400:] or f"exit {finished.exit_code}, no answer"
        raise error_from("copy-failed", f"The vault's '{op}' broke off: {complaint}.", op) from None
    if isinstance(answer, dict) and "trouble" in answer:
        trouble = _Trouble.model_validate(answer["trouble"])
        if trouble.stands:  # the words of a refresh, which knows better than we do
            raise VaultError(trouble.code, trouble.what, trouble.stands, trouble.then)
        raise error_from(trouble.code, trouble.what, op)
    return text


def error_from(code: str, what: str, op: str) -> VaultError:
    """The program's complaint with where things stand and what to do next."""
    if op == "restore":
        stands = "The data is restored in part at most; the snapshot is untouched, and restoring can be repeated."
    else:
        stands = _COPY_ONLY if op in ("warm-copy", "cold-copy", "seal") else NOTHING_TOUCHED
    then = _THEN_RESTORE.get(code, "") if op == "restore" else ""
    return VaultError(code, what, _STANDS.get(code, stands), then or _THEN.get(code, ""))


def no_place(complaint: str) -> VaultError:
    """A path that was to be mounted is not on the engine's host."""
    path = complaint.rpartition("does not exist: ")[2].strip() or complaint
    return VaultError(
        "no-path", f"There is no {path} on the engine's host.", then="Create it there, or name another path."
    )


def answer_as(model: type[Answer], answer: bytes) -> Answer:
    """An answer as what it must be; VaultError where the program is of another version."""
    try:
        return model.model_validate_json(answer)
    except ValidationError:
        said = "The answer of what copies makes no sense: the tools image is of another version of refloat."
        raise VaultError("old-tools", said, then="Build it anew: docker rmi refloat/tools:1, then try again.") from None


def copied_from(answer: bytes) -> Copied:
    """What a pass did."""
    return answer_as(Copied, answer)


def sealed_from(answer: bytes, room: Room) -> Sealed:
    """What a seal says."""
    return SealAnswer.model_validate(json.loads(answer)["seal"]).sealed(room)
