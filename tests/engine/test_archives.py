"""Backups and restores on the real engine: the target is as before, archives are whole, restores replace or go back."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from runner.vault.port import VaultPlace
from tests.engine.command_line import Ran
from tests.engine.rehearse_lab import Bench, bench_on

BUSYBOX = "refloat-lab/busybox:1"
MAIN = "test ! -e /data/poison || exit 3; trap 'exit 0' TERM; while :; do sleep 1 & wait $!; done"
"""A service that does not stay up on data with poison in it."""
PASSWORD = "correct-horse-battery"
FILL = "cd /data; echo one >a; mkdir d; ln a d/same; ln -s nowhere link; mkfifo fifo; chmod 600 a"


@dataclass(frozen=True)
class Stage:
    """A target with data, and a volume for its archives."""

    bench: Bench

    @property
    def name(self) -> str:
        return self.bench.name

    @property
    def depot(self) -> str:
        return f"{self.name}-depot"

    @property
    def place(self) -> str:
        return f"volume:{self.depot}"

    def make_depot(self, *options: str) -> None:
        """The volume for the archives, anew."""
        self.bench.docker("volume", "rm", "--force", self.depot)
        self.bench.docker("volume", "create", *options, self.depot)

    def shell(self, script: str, volume: str = "") -> str:
        """Run a script beside the target, on its data or on the archives."""
        mount = f"{volume or f'{self.name}-data'}:/data"
        return self.bench.docker("run", "--rm", "--volume", mount, BUSYBOX, "sh", "-euc", script)

    def told(self, *line: str) -> dict[str, object]:
        """What a command line that goes well says as JSON."""
        ran = self.bench.refloat(*line, "--json")
        assert ran.status == 0, ran.out + ran.err
        answer: dict[str, object] = json.loads(ran.out)
        return answer

    def back_up(self, *more: str) -> dict[str, object]:
        return self.told("backup", self.name, *(more or ("--to", self.place)))

    def refusal(self, *line: str) -> tuple[int, str]:
        """Status and code of a command line that is refused."""
        ran = self.bench.refloat(*line, "--json")
        return ran.status, json.loads(ran.out)["error"]["code"]

    def restore(self, source: str, *more: str) -> Ran:
        return self.bench.refloat("restore", self.name, source, "--yes", "--json", "--dwell", "0", *more)

    def snapshots(self) -> list[str]:
        rooms = self.bench.session.vault.rooms(VaultPlace(volume=self.bench.vault))
        return [seen.room.run for seen in rooms]

    def ours(self) -> set[str]:
        """Containers of ours that work for this target still."""
        runs, engine = self.runs(), self.bench.engine
        found = engine.containers({"refloat.role": ""})
        working = (each for each in found if each.labels["refloat.run"].removesuffix("-backup") in runs)
        return {each.name for each in working if each.name != self.name}

    def runs(self) -> set[str]:
        return {run.removesuffix("-backup").removesuffix("-archive") for run in self.snapshots()}


@pytest.fixture
def stage(lab_images: str, tmp_path: Path) -> Iterator[Stage]:
    with bench_on(lab_images, tmp_path / "home") as bench:
        made = Stage(bench)
        try:
            made.make_depot()
            options = ("--volume", f"{bench.name}-data:/data", "--restart", "unless-stopped", "--entrypoint", "sh")
            bench.docker("run", "--detach", "--name", bench.name, "--label", f"refloat.test={bench.name}", *options,
                         BUSYBOX, "-c", MAIN)  # fmt: skip
            made.shell(FILL)
            yield made
        finally:
            bench.clear()
            bench.docker("volume", "rm", "--force", made.depot)


LOOK = "cd /data; find . | sort; cat a; stat -c '%a %u %g %y' a d fifo; test a -ef d/same"


def test_a_backup_is_not_noticed_and_a_restore_replaces_and_can_be_taken_back(stage: Stage) -> None:
    process, before = stage.bench.process, stage.shell(LOOK)
    made = stage.back_up()
    assert isinstance(made["paused_s"], float)
    assert stage.bench.process == process
    file = str(made["archive"])
    assert file == f"volume:{stage.depot}/{stage.name}-{made['run']}.tar.zst"
    listed = stage.bench.refloat("backup", stage.name, "--list", "--to", stage.place, "--json")
    assert [(each["run"], each["wrong"]) for each in json.loads(listed.out)] == [(made["run"], "")]
    assert stage.told("backup", "--verify", file)["run"] == made["run"]
    stage.shell("cd /data; echo two >a; rm fifo; mkdir later; echo x >later/x; ln -s a other")
    changed = stage.shell("cd /data; find . | sort; cat a")
    restored = stage.restore(file)
    assert restored.status == 0, restored.err
    told = json.loads(restored.out)
    assert (told["verb"], told["removed_entries"], told["removed"]) == ("restore", 3, ["later", "later/x", "other"])
    assert stage.shell(LOOK) == before
    assert f"{made['run']}-backup" in stage.snapshots()
    assert not [run for run in stage.snapshots() if run.endswith("-archive")]
    assert stage.restore(told["run"]).status == 0
    assert stage.shell("cd /data; find . | sort; cat a") == changed
    assert stage.ours() == set()


def test_what_is_damaged_or_foreign_is_refused_and_the_target_never_notices(stage: Stage) -> None:
    file = str(stage.back_up()["archive"])
    name, process = file.rpartition("/")[2], stage.bench.process
    stage.shell(f"cd /data; cp {name} cut.tar.zst; truncate -s 300 cut.tar.zst; cp {name} bit.tar.zst; "
                f"printf x | dd of=bit.tar.zst bs=1 seek=60 conv=notrunc", stage.depot)  # fmt: skip
    for broken in ("cut", "bit"):
        assert stage.refusal("backup", "--verify", f"{stage.place}/{broken}.tar.zst") == (3, "damaged")
    ran = stage.restore(f"{stage.place}/cut.tar.zst")
    assert (ran.status, json.loads(ran.out)["error"]["code"]) == (3, "damaged")
    stage.bench.docker("rm", "--force", stage.name)
    stage.bench.run(BUSYBOX, "--volume", f"{stage.name}-data:/elsewhere", "--entrypoint", "sleep", "--init")
    ran = stage.restore(file)
    assert (ran.status, json.loads(ran.out)["error"]["code"]) == (3, "foreign")
    assert stage.bench.process != process, "it is another container by now, and no restore touched it"
    assert stage.ours() == set()


def test_a_backup_that_cannot_be_written_leaves_nothing_and_the_target_as_it_was(stage: Stage) -> None:
    process = stage.bench.process
    stage.shell("dd if=/dev/urandom of=/data/big bs=1M count=3 2>/dev/null")
    stage.make_depot("--opt", "type=tmpfs", "--opt", "device=tmpfs", "--opt", "o=size=1m")
    assert stage.refusal("backup", stage.name, "--to", stage.place) == (3, "no-space")
    assert stage.refusal("backup", stage.name, "--to", "/nowhere/at/all") == (3, "no-path")
    assert stage.refusal("backup", stage.name, "--to", "volume:no-such-volume-at-all") == (3, "no-volume")
    stage.make_depot("--opt", "type=tmpfs", "--opt", "device=tmpfs", "--opt", "o=size=1m,ro")
    assert stage.refusal("backup", stage.name, "--to", stage.place) == (3, "not-writable")
    assert stage.bench.process == process
    assert stage.snapshots() == []


def test_a_backup_killed_in_its_pause_is_woken_up_by_the_next_call(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    process = stage.bench.process
    monkeypatch.setenv("REFLOAT_DEBUG_KILL_AT", "performed pause")
    assert stage.bench.refloat("backup", stage.name, "--to", stage.place).status == -9
    assert stage.bench.process[3] == "paused"
    monkeypatch.delenv("REFLOAT_DEBUG_KILL_AT")
    assert stage.bench.refloat("ls", "--snapshots").status == 0
    assert stage.bench.process == process
    assert (stage.snapshots(), stage.shell("ls -A /data", stage.depot)) == ([], "")


def test_a_target_at_rest_stays_at_rest_and_data_it_cannot_live_on_is_taken_back(stage: Stage) -> None:
    stage.bench.docker("stop", "--time", "5", stage.name)
    stage.shell("touch /data/poison")
    poisoned = stage.back_up()
    assert (poisoned["paused_s"], stage.bench.process[3]) == (None, "exited")
    stage.shell("rm /data/poison; echo good >/data/a")
    stage.bench.docker("start", stage.name)
    ran = stage.restore(str(poisoned["archive"]), "--dwell", "3")  # what it cannot live on it must come to read
    assert ran.status == 5, ran.out + ran.err
    assert stage.shell("cat /data/a; ls /data") == "good\na\nd\nfifo\nlink"
    assert stage.bench.process[3] == "running"
    stage.bench.docker("stop", "--time", "5", stage.name)
    assert stage.restore(f"{poisoned['run']}-backup", "--dwell", "3").status == 5
    assert stage.bench.process[3] == "exited", "it did not run before either"
    assert stage.shell("cat /data/a") == "good"


def test_a_restic_repository_keeps_archives_and_its_password_is_seen_nowhere(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    process = stage.bench.process
    repository = f"restic:{stage.bench.engine.volume(stage.depot).mountpoint}"
    assert stage.refusal("backup", stage.name, "--to", repository) == (2, "no-password")
    monkeypatch.setenv("RESTIC_PASSWORD", PASSWORD)
    assert stage.refusal("backup", stage.name, "--to", repository) == (3, "no-repository")
    assert stage.refusal("backup", stage.name, "--to", "restic:rest:http://127.0.0.1:1/") == (3, "repository-silent")
    made = stage.bench.refloat("backup", stage.name, "--to", repository, "--init")
    assert made.status == 0, made.err
    (tmp_path / "wrong").write_text("not this\n")
    wrong = ("--password-file", str(tmp_path / "wrong"))
    assert stage.refusal("backup", stage.name, "--to", repository, *wrong) == (3, "wrong-password")
    assert stage.told("backup", "--verify", repository)["target"] == stage.name, "the newest, where none is named"
    stage.shell("echo two >/data/a; touch /data/extra")
    restored = stage.restore(repository)
    assert restored.status == 0, restored.err
    assert stage.shell("cat /data/a; ls /data") == "one\na\nd\nfifo\nlink"
    assert stage.bench.process != process
    everything = "".join((made.out, made.err, restored.out, restored.err, *_texts(stage.bench.home)))
    assert PASSWORD not in everything + stage.shell("cat /data/*/*/papers/* /data/*/*/*.json", stage.bench.vault)


def _texts(home: Path) -> list[str]:
    return [path.read_text(encoding="utf-8") for path in home.rglob("*") if path.is_file()]
