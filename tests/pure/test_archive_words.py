"""How archives and their places are named, and that what is secret about them is said nowhere."""

from __future__ import annotations

import pytest
from pydantic import SecretStr
from vaultwork.repositories import Repo

from runner.errors import UsageError
from runner.vault.archive_port import Archive, Depot
from runner.vault.depot_names import archive_from, archive_name, depot_from

SECRET = "correct-horse"


@pytest.mark.parametrize(("text", "depot"), [
    ("", Depot(volume="refloat-archives")),
    ("volume:nas", Depot(volume="nas")),
    ("/srv/backups/", Depot(path="/srv/backups")),
    ("restic:/srv/repo", Depot(restic="/srv/repo")),
    ("restic:s3:https://host/bucket", Depot(restic="s3:https://host/bucket")),
])  # fmt: skip
def test_a_place_is_a_volume_a_folder_or_a_repository(text: str, depot: Depot) -> None:
    assert depot_from(text) == depot
    assert depot.is_remote == ("https" in text)


@pytest.mark.parametrize("text", ["backups", "./here", "volume:", "volume:a/b", "restic:"])
def test_anything_else_is_no_place(text: str) -> None:
    with pytest.raises(UsageError) as no:
        depot_from(text)
    assert no.value.code == "bad-place"


@pytest.mark.parametrize(("text", "archive"), [
    ("/srv/a.tar.zst", Archive(depot=Depot(path="/srv"), name="a.tar.zst")),
    ("/a.tar.zst", Archive(depot=Depot(path="/"), name="a.tar.zst")),
    ("volume:nas/a.tar.zst", Archive(depot=Depot(volume="nas"), name="a.tar.zst")),
    ("a.tar.zst", Archive(depot=Depot(volume="refloat-archives"), name="a.tar.zst")),
    ("restic:/srv/repo", Archive(depot=Depot(restic="/srv/repo"), name="")),
    ("restic:/srv/repo#12ab", Archive(depot=Depot(restic="/srv/repo"), name="12ab")),
    ("20261122-063625-ab12cd", None),
])  # fmt: skip
def test_an_archive_is_named_as_it_is_told(text: str, archive: Archive | None) -> None:
    assert archive_from(text) == archive


@pytest.mark.parametrize("text", ["./a.tar.zst", "backups/a.tar.zst", "shop/db"])
def test_an_archive_is_not_looked_for_in_the_folder_one_is_in(text: str) -> None:
    with pytest.raises(UsageError, match="where the engine is") as no:
        archive_from(text)
    assert no.value.code == "bad-place"


def test_an_archive_in_the_root_is_called_by_its_path() -> None:
    assert Archive(depot=Depot(path="/"), name="a.tar.zst").spoken == "/a.tar.zst"


def test_the_name_of_an_archive_holds_target_and_run() -> None:
    assert archive_name("app", "20261122-063625-ab12cd") == "app-20261122-063625-ab12cd.tar.zst"


def test_a_password_is_in_no_text_of_a_place() -> None:
    depot = Depot(restic=f"rest:https://me:{SECRET}@host/", secrets={"RESTIC_PASSWORD": SecretStr(SECRET)})
    said = f"{depot.spoken} {Archive(depot=depot, name='1').spoken}"
    assert SECRET not in said
    assert "horse" not in Depot(restic="rest:https://me:correct@horse@host/").spoken
    plain = Depot(restic="/srv/repo", secrets={"RESTIC_PASSWORD": SecretStr(SECRET)})
    assert SECRET not in f"{plain!r} {plain.model_dump_json()}"


@pytest.mark.parametrize(("said", "code"), [
    ("Fatal: wrong password or no key found", "wrong-password"),
    ("unable to open config file: dial tcp 127.0.0.1:1: connect: connection refused\nIs there a repository at …?",
     "repository-silent"),
    ("Fatal: unable to open config file: stat /archives/config: no such file or directory\nIs there a repository at …?",
     "no-repository"),
    ("Save(<data/1>) returned error: write: no space left on device", "no-space"),
    (f"something else about {SECRET} at s3:https://host", "repository-failed"),
])  # fmt: skip
def test_what_restic_complains_about_has_a_code_and_no_secret(said: str, code: str) -> None:
    trouble = Repo("s3:https://host", {"RESTIC_PASSWORD": SECRET}).trouble(said.encode())
    assert trouble.code == code
    assert SECRET not in trouble.what
    assert "s3:https" not in trouble.what
