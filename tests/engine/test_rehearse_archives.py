"""Rehearsals on backups on the real engine: the target is neither paused nor asked, and nothing stays."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.engine.rehearse_lab import SERVICE, Bench, bench_on, with_service


@pytest.fixture
def service(lab_images: str, tmp_path: Path) -> Iterator[Bench]:
    with bench_on(lab_images, tmp_path / "home") as bench:
        made = with_service(bench)
        bench.docker("volume", "create", "--label", f"refloat.test={bench.name}", f"{bench.name}-depot")
        try:
            yield made
        finally:
            bench.clear()
            bench.docker("volume", "rm", "--force", f"{bench.name}-depot")


def test_last_nights_backup_is_rehearsed_on_and_the_target_never_notices(service: Bench) -> None:
    made = json.loads(service.refloat("backup", service.name, "--to", f"volume:{service.name}-depot", "--json").out)
    service.docker("exec", service.name, "sh", "-c", "rm /data/token; echo today >/data/a; mkdir /data/later")
    before, kept = service.process, service.left()
    ran = service.rehearse("migrates", "--from", made["archive"], "--json")
    told = json.loads(ran.out)
    assert (ran.status, told["passed"], told["rolled_back"], told["paused_s"]) == (0, True, True, None), ran.err
    touched = {each["path"] for each in told["changes"][0]["biggest"]}
    assert "token" in touched, "it played on the data of the backup"
    assert not touched & {"a", "later"}
    assert service.process == before
    assert service.left() == kept


def test_a_target_that_was_only_created_is_rehearsed_on_a_repository_whose_password_is_nowhere(
    service: Bench, tmp_path: Path
) -> None:
    password = tmp_path / "password"
    folder = service.docker("volume", "inspect", "--format", "{{.Mountpoint}}", f"{service.name}-depot")
    password.write_text("correct-horse-battery\n", encoding="utf-8")
    opened = ("--password-file", str(password))
    backed = service.refloat("backup", service.name, "--to", f"restic:{folder}", "--init", *opened)
    assert backed.status == 0, backed.err
    service.docker("rm", "--force", service.name)
    service.docker("volume", "rm", f"{service.name}-data")
    service.docker("create", "--name", service.name, "--label", f"refloat.test={service.name}",
                   "--volume", f"{service.name}-data:/data", f"{SERVICE}:1.0")  # fmt: skip
    before, kept = service.process, service.left()
    ran = service.rehearse("2.0", "--from", f"restic:{folder}", "--quick", *opened)
    assert ran.status == 0, ran.out + ran.err
    assert "1 file changed" in ran.out, "the journal that is in the repository"
    assert "correct-horse" not in ran.out + ran.err
    assert service.process == before
    assert service.left() == kept
