"""A volume with configuration in it and the defaults of two images, asked as the tools container is asked."""

from __future__ import annotations

import io
import os
import sys
import tarfile
from base64 import b64encode
from dataclasses import dataclass, field
from pathlib import Path

from runner.refresh.remote import answer
from runner.refresh.sites import Order, Prepared
from runner.refresh.telling import Told
from tests.refresh.refresh_crashes import BREAKABLE, DONE, KILLED
from tests.refresh.refresh_trees import Picture, picture

PATH = "/etc/app"


def packed(folder: Path) -> str:
    """A tar as an engine makes one of a folder, as base64."""
    whole = io.BytesIO()
    with tarfile.open(fileobj=whole, mode="w") as tar:
        tar.add(folder, "app")
    return b64encode(whole.getvalue()).decode()


@dataclass(frozen=True)
class Lab:
    """``old`` and ``new`` hold defaults, ``sources/d0`` is the volume, ``kept`` a run's part of the vault."""

    folder: Path
    inside: str = ""
    tokens: dict[str, str] = field(default_factory=dict)
    permissions: str = ""
    modes_to_set: list[str] = field(default_factory=list)

    @property
    def volume(self) -> Path:
        return self.folder / "sources/d0"

    def order(
        self, *, write: bool, conflict: str = "ask", answers: tuple[Prepared, ...] = (), run: str = "r1"
    ) -> Order:
        return {
            "run": run,
            "places": [
                {
                    "key": "d0",
                    "inside": self.inside,
                    "path": PATH,
                    "permissions": self.permissions,
                    "skip": ["mounted"],
                    "modes_to_set": self.modes_to_set,
                }
            ],
            "old": "image-old",
            "new": "image-new",
            "tokens": self.tokens,
            "conflict": conflict,
            "answers": list(answers),
            "defaults": {side: self._packed(side) for side in ("old", "new")},
            "write": write,
            "drafts": {},
        }

    def _packed(self, side: str) -> dict[str, str]:
        listed = {self.permissions: packed(self.folder / f"{side}.modes")} if self.permissions else {}
        return {PATH: packed(self.folder / side), **listed}

    def ask(self, order: Order, kept: str = "kept") -> Told:
        told = answer(order, self.folder / "sources", self.folder / kept)["places"]
        assert isinstance(told, list)
        place: Told = told[0]
        return place

    def tree(self) -> Picture:
        """The volume without the store beside the data."""
        return {path: seen for path, seen in picture(self.volume).items() if not path.startswith(".refloat-")}

    def killed_at(self, order: Order, point: int) -> int:
        """Carry an order out in a process that dies before its operation of this number on the disk."""
        child = os.fork()
        if child == 0:
            _die_at(point, self.folder)
            self.ask(order)
            os._exit(DONE)
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def _die_at(point: int, folder: Path) -> None:
    left = [point]

    def hook(event: str, arguments: tuple[object, ...]) -> None:
        writes = event == "open" and isinstance(arguments[2], int) and bool(arguments[2] & os.O_WRONLY)
        elsewhere = isinstance(arguments[0], str) and arguments[0].startswith("/") and str(folder) not in arguments[0]
        if (event not in BREAKABLE and not writes) or elsewhere:
            return
        left[0] -= 1
        if left[0] == 0:
            os._exit(KILLED)

    sys.addaudithook(hook)
