"""One source and one vault in a folder, and the vault's program at work on them; it asserts no more than it says."""

from __future__ import annotations

import os
import time
from pathlib import Path

from vaultwork import manifest_file, sight
from vaultwork.manifest import Manifest
from vaultwork.places import Place, place_of
from vaultwork.requests import Answer, Request, answer_to
from vaultwork.rooms import room_named

from tests.pure.vault_trees import await_next_stamp

SOURCE = {"key": "d0", "volume": "data", "path": "", "destination": "/data"}


class Bench:
    """One source and one vault."""

    def __init__(self, folder: Path, *, forgets: bool = False) -> None:
        self.folder = folder
        self.forgets = forgets
        """Whether each request goes to another process, which has seen nothing."""
        self.source = bytes(folder / "sources/d0")
        (folder / "sources/d0").mkdir(parents=True)
        (folder / "vault").mkdir()

    def place(self, run: str = "r1") -> Place:
        return place_of(room_named(self.folder / "vault", "t", run), self.source, "d0")

    def ask(self, op: str, run: str = "r1", **more: object) -> Answer:
        if self.forgets:
            sight.forget(self.place(run))
        request = {"op": op, "vault": str(self.folder / "vault"), "mounts": str(self.folder / "sources"), "target": "t"}
        fields = {"run": run, "sources": [SOURCE], "taken_from": {"image": "sha256:1"}}
        return answer_to(Request(**{**request, **fields, **more}))  # type: ignore[typeddict-item]  # made of pieces

    def done(self, op: str, run: str = "r1", **more: object) -> Answer:
        answer = self.ask(op, run, **more)
        assert "trouble" not in answer, answer
        return answer

    def refused(self, op: str, run: str = "r1", **more: object) -> str:
        trouble = self.ask(op, run, **more)["trouble"]
        assert isinstance(trouble, dict)
        return str(trouble["code"])

    def copy(self, run: str = "r1") -> bytes:
        return bytes(self.folder / "vault/t" / run / "data/d0")

    def copy_of(self, name: str, run: str = "r1") -> bytes:
        return (self.folder / "vault/t" / run / "data/d0" / name).read_bytes()

    def snapshot(self, run: str = "r1") -> None:
        for op in ("warm-copy", "cold-copy", "seal"):
            self.done(op, run)

    def snapshot_of_old_files(self, run: str) -> None:
        self.done("warm-copy", run)
        self.let_time_pass(run)
        self.done("cold-copy", run)
        self.done("seal", run)

    def settle(self, settled_s: int, run: str = "r1") -> None:
        """Make the manifest as if the warm pass had begun then."""
        path = bytes(self.folder / "vault/t" / run / "manifests/d0")
        there = manifest_file.load(path)
        assert there
        settled = Manifest(settled_s, there.known)
        place, last = self.place(run), sight.recall(self.place(run))
        manifest_file.save(path, settled)
        if last:
            sight.remember(place, last.look, settled, sight.young(settled, last.look.source), equal=last.equal)

    def let_time_pass(self, run: str = "r1") -> None:
        """Make the ctimes recorded so far old enough to prove that a file is unchanged."""
        self.settle(int(time.time()) + 3600, run)
        await_next_stamp(bytes(self.folder))


def write(bench: Bench, name: str, text: str) -> Path:
    path = Path(os.fsdecode(bench.source)) / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path
