"""A restic repository of archives, each one tar stream with tags; passwords reach restic in its environment only."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import tempfile
import time
from collections.abc import Iterator
from typing import IO, NamedTuple, cast

from vaultwork.packing import Flow
from vaultwork.trouble import Trouble

OURS = "refloat"
UNFINISHED = "refloat-unfinished"
_TRIES = 20
_AGAIN_S = 3.0
_CHUNK_BYTES = 1 << 20
_SILENT = ("repository-silent", "The repository does not answer.")
_DENIED = ("repository-denied", "The repository lets nobody in with these credentials.")
_WORDS = {
    "connection refused": _SILENT,
    "no such host": _SILENT,
    "no route to host": _SILENT,
    "network is unreachable": _SILENT,
    "i/o timeout": _SILENT,
    "401 unauthorized": _DENIED,
    "403 forbidden": _DENIED,
    "access denied": _DENIED,
    "wrong password": ("wrong-password", "The password does not open the repository."),
    "no key found": ("wrong-password", "The password does not open the repository."),
    "Is there a repository": ("no-repository", "There is no restic repository."),
    "unable to open config file": ("no-repository", "There is no restic repository."),
    "no space left on device": ("no-space", "There is no space left where the repository is."),
    "disk quota exceeded": ("no-space", "There is no space left where the repository is."),
    "read-only file system": ("not-writable", "The repository cannot be written: its filesystem is read-only."),
    "permission denied": ("not-writable", "The repository cannot be read or written: permission denied."),
    "config file already exists": ("repository-there", "There is a repository already."),
}


class Repo(NamedTuple):
    """Where it is, and what opens it."""

    location: str
    secrets: dict[str, str]

    def run(self, *line: str, stdin: IO[bytes] | None = None) -> bytes:
        """Run restic to its end; what it answered."""
        done = subprocess.run(self.argv(*line), stdin=stdin or subprocess.DEVNULL, capture_output=True, check=False,
                              env=self.environment)  # fmt: skip
        if done.returncode:
            raise self.trouble(done.stderr + b"\n" + done.stdout)
        return done.stdout

    def argv(self, *line: str) -> list[str]:
        """One command; neither the password nor the location, which may hold one, is in it."""
        return ["restic", "--no-cache", "--quiet", *line]

    @property
    def environment(self) -> dict[str, str]:
        """What restic is told besides."""
        path = os.environ.get("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
        return {"PATH": path, "HOME": "/tmp", "TMPDIR": "/tmp", **self.secrets, "RESTIC_REPOSITORY": self.location}  # noqa: S108  # the container's own

    def trouble(self, said: bytes) -> Trouble:
        """What restic complained about, without a secret in it."""
        text = said.decode("utf-8", "replace")
        for words, (code, what) in _WORDS.items():
            if words.lower() in text.lower():
                return Trouble(code, what)
        for secret in (self.location, *self.secrets.values()):
            text = text.replace(secret, "***") if secret else text
        return Trouble("repository-failed", f"restic says: {text.strip()[-300:] or 'nothing'}")


def insist_on(repo: Repo, *, init: bool) -> None:
    """See that the repository opens; make it first where that is wished."""
    try:
        repo.run("cat", "config", "--no-lock")
    except Trouble as trouble:
        if not init or trouble.code != "no-repository":
            raise
        repo.run("init")


class Facts(NamedTuple):
    """What the tags of an archive say."""

    target: str
    run: str
    data_bytes: int
    entries: int

    @property
    def tags(self) -> list[str]:
        """As restic takes them."""
        return [OURS, f"target={self.target}", f"run={self.run}", f"bytes={self.data_bytes}", f"entries={self.entries}"]


def put(repo: Repo, facts: Facts, stream: IO[bytes]) -> None:
    """Store a stream as unfinished: it becomes an archive when it is accepted."""
    name, own = stream_name(facts.target, facts.run), f"{UNFINISHED}={facts.run}"
    repo.run("backup", "--host", facts.target, "--tag", own, "--stdin", "--stdin-filename", name, stdin=stream)


def accept(repo: Repo, facts: Facts) -> str:
    """Give a stored stream that came whole its tags, all at once; its snapshot id."""
    tags = [word for tag in facts.tags for word in ("--set", tag)]
    _patiently(repo, "tag", "--tag", f"{UNFINISHED}={facts.run}", *tags)
    return found(repo, facts.run).id


def forget_unfinished(repo: Repo, run: str) -> None:
    """Remove what a failed export left; its blocks go with the next prune of the repository."""
    for one in json.loads(repo.run("snapshots", "--json", "--no-lock", "--tag", f"{UNFINISHED}={run}") or b"[]") or []:
        _patiently(repo, "forget", one["id"])


def _patiently(repo: Repo, *line: str) -> None:
    """Somebody else may hold the repository's lock for a while."""
    for left in reversed(range(_TRIES)):
        try:
            repo.run(*line)
        except Trouble as trouble:
            if "already locked" not in trouble.what or not left:
                raise
            time.sleep(_AGAIN_S)
        else:
            return


class Stored(NamedTuple):
    """One archive in a repository."""

    id: str
    at: str
    facts: Facts

    @property
    def name(self) -> str:
        """The one file in it."""
        return stream_name(self.facts.target, self.facts.run)


def stream_name(target: str, run: str) -> str:
    """What the file is called."""
    return f"{target}-{run}.tar"


def stored(repo: Repo) -> list[Stored]:
    """Every archive of a repository, oldest first."""
    said = json.loads(repo.run("snapshots", "--json", "--no-lock", "--tag", OURS) or b"[]") or []
    return sorted((_stored(one) for one in said), key=lambda each: each.at)


def _stored(one: dict[str, object]) -> Stored:
    tags = dict(str(tag).partition("=")[::2] for tag in cast("list[str]", one["tags"]))
    facts = Facts(tags.get("target", ""), tags.get("run", ""), int(tags.get("bytes", 0)), int(tags.get("entries", 0)))
    return Stored(str(one["id"]), str(one["time"]), facts)


def found(repo: Repo, text: str, target: str = "") -> Stored:
    """The archive of this snapshot id or run, or the newest (of a target); Trouble ``no-archive``."""
    for one in reversed(stored(repo)):
        if one.facts.run == text or one.id.startswith(text) if text else target in ("", one.facts.target):
            return one
    named = f" {text}" if text else f" of {target}" if target else ""
    raise Trouble("no-archive", f"There is no archive{named} in the repository.")


@contextlib.contextmanager
def read(repo: Repo, one: Stored) -> Iterator[Flow]:
    """The tar stream of an archive."""
    argv = repo.argv("dump", "--no-lock", one.id, f"/{one.name}")
    with (
        tempfile.TemporaryFile() as said,
        subprocess.Popen(
            argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=said, env=repo.environment
        ) as dump,
    ):
        stream = cast("IO[bytes]", dump.stdout)

        def finish() -> None:
            while stream.read(_CHUNK_BYTES):
                continue
            if dump.wait():
                said.seek(0)
                raise Trouble("damaged", repo.trouble(said.read()).what)

        try:
            yield Flow(stream, finish)
        finally:
            dump.kill()
