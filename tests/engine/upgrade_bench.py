"""A target with data, a home and a vault of its own, and `refloat` as a process that may die; it judges old or new."""

from __future__ import annotations

import hashlib
import re
import signal
import subprocess
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.engine import command_line
from tests.engine.command_line import Ran, finished, surroundings
from tests.lab.engines import Lab, until

PRODUCT = "refloat-lab/misbehave"
PATIENCE_S = 300.0
# The first two files of /data are what the image `migrates` changes and deletes.
SEED = """cd /data && echo first >a-first && echo second >b-second && mkdir -p sub/deep && echo deep >sub/deep/file &&
head -c 300000 /dev/urandom >sub/random && ln -s ../b-second sub/link && chmod 640 a-first && chown 33:33 sub/random"""
TREE = """cd /data && find . -exec stat -c '%n %F %a %u %g' {} + &&
find . -type f ! -name journal -exec sha256sum {} +"""


@dataclass(frozen=True)
class Data:
    """Everything under /data: owners, modes, hashes; and the journal of who started on it."""

    tree: frozenset[str]
    journal: tuple[str, ...]

    @property
    def starts(self) -> set[str]:
        """Which versions were started on it."""
        return {line.removeprefix("started ") for line in self.journal}


@dataclass(frozen=True)
class UpgradeBench:
    """One target on one engine."""

    lab: Lab
    home: Path
    name: str

    @property
    def vault(self) -> str:
        return f"{self.name}-vault"

    @property
    def volume(self) -> str:
        return f"{self.name}-data"

    def run_target(self, policy: str, *options: str, tag: str = "1.0") -> None:
        """Start a target with data and see it healthy."""
        self.lab.docker("run", "--detach", "--name", self.name, "--label", f"refloat.test={self.name}", "--restart",
                        policy, "--volume", f"{self.volume}:/data", *options, f"{PRODUCT}:{tag}")  # fmt: skip
        self.lab.docker("exec", self.name, "sh", "-c", SEED)
        until(lambda: self.lab.state(self.name, "Health.Status") == "healthy", f"{self.name} is healthy")

    def read_data(self) -> Data:
        """Read through the target itself."""
        tree = self.lab.docker("exec", self.name, "sh", "-c", TREE)
        journal = self.lab.docker("exec", self.name, "cat", "/data/journal")
        return Data(frozenset(tree.splitlines()), tuple(journal.splitlines()))

    def sh(self, script: str) -> str:
        return self.lab.docker("exec", self.name, "sh", "-c", script)

    def field(self, template: str, name: str = "") -> str:
        return self.lab.docker("inspect", "--type", "container", "--format", template, name or self.name)

    @property
    def image(self) -> str:
        return self.field("{{.Config.Image}}")

    # the product

    def environment(self, **more: str) -> dict[str, str]:
        return surroundings(self.lab.host, self.home, **more)

    def apply_line(self, tag: str, *options: str) -> tuple[str, ...]:
        return ("apply", self.name, "--to", tag, "--vault", self.vault, "--dwell", "0.5", *options)

    def start(self, *line: str, **more: str) -> subprocess.Popen[str]:
        return command_line.start(self.environment(**more), *line)

    def refloat(self, *line: str, **more: str) -> Ran:
        return finished(self.start(*line, **more))

    def kill_at(self, boundary: str, *line: str) -> None:
        """Run a command line and have it killed at a boundary; it must get there."""
        ran = self.refloat(*line, REFLOAT_DEBUG_KILL_AT=boundary)
        assert ran.status == -signal.SIGKILL, f"it did not come to “{boundary}”: {ran.told}"

    @contextmanager
    def halted_at(self, boundary: str, *line: str) -> Iterator[subprocess.Popen[str]]:
        """Run a command line up to a boundary and halt it there; it goes on with ``go_on``."""
        running = self.start(*line, REFLOAT_DEBUG_HALT_AT=boundary)
        try:
            _wait_until_halted(running, boundary)
            yield running
        finally:
            if running.poll() is None:
                running.kill()
            running.communicate()

    def recover(self, *options: str) -> Ran:
        return self.refloat("recover", self.name, "--vault", self.vault, *options)

    def lose_home(self) -> None:
        """The machine that ran it is gone with its journals."""
        self.home.rename(self.home.with_name(f"lost-{uuid.uuid4().hex}"))

    # the verdict

    def assert_old(self, before: Data, tag: str = "1.0") -> None:
        """The old version runs, on the data exactly as it was, and nothing of ours is left."""
        assert self.image == f"{PRODUCT}:{tag}"
        now = self.read_data()
        assert now.tree == before.tree
        assert now.journal[: len(before.journal)] == before.journal
        assert now.starts == before.starts
        self._assert_tidy(0)

    def assert_new(self, expected: frozenset[str], tag: str) -> None:
        """The new version runs, on the data as it made it, and nothing of ours is left beside it."""
        assert self.image == f"{PRODUCT}:{tag}"
        assert self.read_data().tree == expected
        assert self.field('{{index .Config.Labels "refloat.role"}}') == "successor"
        self._assert_tidy(1)

    def _assert_tidy(self, held: int) -> None:
        assert self.field("{{.State.Running}}") == "true"
        assert self.containers() == {self.name}
        everything = self.lab.docker("ps", "--all", "--format", '{{.Names}} {{.Label "refloat.run"}}').splitlines()
        ours = [line for line in everything if line.split()[-1] in self.runs()]
        assert {line.split()[0] for line in ours} <= {self.name}, "tools containers or probers are left"
        assert len(self.held_tags()) == held
        volumes = self.lab.docker("volume", "ls", "--quiet", "--filter", f"name={self.name}").split()
        assert set(volumes) <= {self.volume, self.vault}

    def containers(self) -> set[str]:
        return set(self.lab.docker("ps", "--all", "--filter", f"name={self.name}", "--format", "{{.Names}}").split())

    def runs(self) -> set[str]:
        """All runs of this bench, those of lost homes too."""
        return {path.parent.name for path in self.home.parent.glob("*/runs/*/plan.json")}

    def held_tags(self) -> set[str]:
        tags = self.lab.docker("image", "ls", "refloat/held", "--format", "{{.Tag}}").split()
        return set(tags) & self.runs()

    def clear(self) -> None:
        listed = self.lab.docker("ps", "--all", "--format", '{{.ID}} {{.Names}} {{.Label "refloat.run"}}')
        mine = [line.split()[0] for line in listed.splitlines()
                if line.split()[1].startswith(self.name) or line.split()[-1] in self.runs()]  # fmt: skip
        # A look into the vault that an engine died under may have left its container; it belongs to no run.
        mine += self.lab.docker("ps", "--all", "--quiet", "--filter", f"volume={self.vault}").split()
        if mine:
            self.lab.docker("rm", "--force", "--volumes", *mine)
        volumes = self.lab.docker("volume", "ls", "--quiet", "--filter", f"name={self.name}").split()
        if volumes:
            self.lab.docker("volume", "rm", *volumes)
        for run in self.held_tags():
            self.lab.docker("image", "rm", f"refloat/held:{run}", check=False)


@contextmanager
def laid_out(lab: Lab, folder: Path) -> Iterator[UpgradeBench]:
    """A bench that is cleared away whatever happens."""
    bench = UpgradeBench(lab, folder / "home", f"kt-{uuid.uuid4().hex[:8]}")
    try:
        yield bench
    finally:
        bench.clear()


def go_on(running: subprocess.Popen[str]) -> Ran:
    """Let a halted process go on to its end."""
    running.send_signal(signal.SIGCONT)
    return finished(running)


def _wait_until_halted(running: subprocess.Popen[str], boundary: str) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not _is_halted(running.pid):
        assert running.poll() is None, f"it did not come to “{boundary}”: {finished(running).told}"
        assert time.monotonic() < deadline, f"it neither ended nor came to “{boundary}”"
        time.sleep(0.05)


def _is_halted(pid: int) -> bool:
    stat = Path(f"/proc/{pid}/stat").read_text()
    return re.sub(r".*\) ", "", stat).startswith("T")


def migrated(before: Data) -> frozenset[str]:
    """What the image `migrates` makes of the data when it is started on it once."""
    kept = {line for line in before.tree if not line.endswith("./a-first") and "./b-second" not in line}
    made = {"./new-in-migrates directory 755 0 0", "./schema regular file 644 0 0",
            _sha256_line("./a-first", "migrated by migrates\n"), _sha256_line("./schema", "2\n")}  # fmt: skip
    return frozenset(kept | made)


def _sha256_line(path: str, content: str) -> str:
    return f"{hashlib.sha256(content.encode()).hexdigest()}  {path}"
