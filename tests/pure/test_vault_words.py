"""What the vault asks of the engine and of its program, as data, and how a no is told."""

from __future__ import annotations

import json
import subprocess

import pytest
from vaultwork.trouble import trouble_from

from runner.facts import Container, Finished, Json, Mount, MountKind, State
from runner.vault.answers import answer_from, copied_from, request_json, sealed_from
from runner.vault.port import Copied, Room, Source, VaultError, VaultPlace
from runner.vault.tools import container_body, held_sources, held_vault, holds
from runner.vault.vault import can_be_an_option, overlay_options

VOLUME = Source(key="d0", volume="data", destination="/data")
PATH = Source(key="d1", path="/srv/etc", destination="/etc/app")
ROOM = Room(target="t", run="r1")
IMAGE = "refloat/tools:1"


def said(answer: object, exit_code: int | None = 0) -> Finished:
    return Finished(exit_code=exit_code, stdout=json.dumps(answer).encode())


def host_config(body: Json) -> Json:
    found = body["HostConfig"]
    assert isinstance(found, dict)
    return found


def test_sources_are_mounted_read_only_and_only_the_vault_is_writable() -> None:
    body = container_body(IMAGE, "r1", "tools", (held_vault(VaultPlace()), *held_sources((VOLUME, PATH))))
    assert host_config(body)["Mounts"] == [
        {"Type": "volume", "Source": "refloat-vault", "Target": "/vault", "ReadOnly": False,
         "VolumeOptions": {"NoCopy": True}},
        {"Type": "volume", "Source": "data", "Target": "/sources/d0", "ReadOnly": True,
         "VolumeOptions": {"NoCopy": True}},
        {"Type": "bind", "Source": "/srv/etc", "Target": "/sources/d1", "ReadOnly": True},
    ]  # fmt: skip


def test_a_tools_container_has_no_network_a_read_only_root_and_few_rights() -> None:
    host = host_config(container_body(IMAGE, "r1", "tools", ()))
    assert (host["NetworkMode"], host["ReadonlyRootfs"], host["CapDrop"]) == ("none", True, ["ALL"])
    assert host["CapAdd"] == ["CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "MKNOD", "SETFCAP"]
    assert "no-new-privileges:true" in str(host["SecurityOpt"])


def test_its_labels_name_the_run_and_the_role() -> None:
    assert container_body(IMAGE, "r1", "restore", ())["Labels"] == {"refloat.run": "r1", "refloat.role": "restore"}


def test_a_vault_can_be_a_path() -> None:
    assert held_vault(VaultPlace(path="/srv/vault")).as_mount["Source"] == "/srv/vault"


def test_a_container_that_lacks_a_mount_or_may_write_where_it_should_not_is_another() -> None:
    def seen(*mounts: Mount) -> Container:
        fields = {"id": "1", "name": "x", "image_id": "i", "image_ref": IMAGE, "config": {}, "host_config": {}}
        return Container.model_validate({**fields, "state": State(status="running"), "mounts": mounts})

    vault = Mount(kind=MountKind.VOLUME, destination="/vault", name="refloat-vault")
    data = Mount(kind=MountKind.VOLUME, destination="/sources/d0", name="data", rw=False)
    wanted = (held_vault(VaultPlace()), *held_sources((VOLUME,)))
    assert holds(seen(vault, data), wanted)
    assert not holds(seen(vault), wanted)
    assert not holds(seen(vault, data.model_copy(update={"rw": True})), wanted)
    assert not holds(seen(vault, data.model_copy(update={"name": "other"})), wanted)


def test_a_request_is_one_line_whatever_is_in_it() -> None:
    request = request_json("seal", ROOM, (VOLUME,), taken_from={"Env": ["PASSWORD=two\nlines"]})
    assert b"\n" not in request
    assert json.loads(request)["sources"] == [
        {"key": "d0", "volume": "data", "path": "", "destination": "/data"},
    ]  # fmt: skip


def test_an_answer_becomes_our_words() -> None:
    answer = answer_from(said({"copied_entries": 2, "copied_bytes": 3, "seconds": 0.5, "how": "links"}), "x", IMAGE)
    assert copied_from(answer) == Copied(copied_entries=2, copied_bytes=3, seconds=0.5, how="links")


def test_a_seal_becomes_our_words() -> None:
    seal = {"format": 1, "target": "t", "run": "r1", "sealed_at": "2026-01-01T00:00:00Z", "digest": "sha256:1",
            "sources": [VOLUME.model_dump()], "size_bytes": 5, "entries": 2}  # fmt: skip
    assert sealed_from(json.dumps({"seal": seal}).encode(), ROOM).sources == (VOLUME,)


@pytest.mark.parametrize(
    "code", ["no-space", "unsealed", "damaged", "foreign", "copy-failed", "restore-failed"],
)  # fmt: skip
def test_every_no_says_where_things_stand_and_what_to_do(code: str) -> None:
    with pytest.raises(VaultError, match="it says so") as no:
        answer_from(said({"trouble": {"code": code, "what": "it says so"}}, 1), "warm-copy", IMAGE)
    assert no.value.code == code
    assert no.value.stands
    assert no.value.then


def test_a_failed_restore_says_that_it_can_be_repeated() -> None:
    with pytest.raises(VaultError) as no:
        answer_from(said({"trouble": {"code": "no-space", "what": "full"}}, 1), "restore", IMAGE)
    assert "repeated" in no.value.stands


@pytest.mark.parametrize(
    ("finished", "code"),
    [
        (Finished(exit_code=None), "too-slow"),
        (Finished(exit_code=127, stdout=b"exec failed: refloat-vault not found"), "no-tools"),
        (Finished(exit_code=126), "no-tools"),
        (Finished(exit_code=1, stderr=b"Traceback: MemoryError"), "copy-failed"),
    ],
)
def test_no_answer_is_told_too(finished: Finished, code: str) -> None:
    with pytest.raises(VaultError) as no:
        answer_from(finished, "cold-copy", IMAGE)
    assert no.value.code == code
    assert no.value.then


def test_a_clone_is_an_overlay_over_the_sealed_tree() -> None:
    assert overlay_options("/var/v/t/r1", "d0", "c", ("index=on",)) == {
        "type": "overlay",
        "device": "overlay",
        "o": "lowerdir=/var/v/t/r1/data/d0,upperdir=/var/v/t/r1/clones/c/upper,workdir=/var/v/t/r1/clones/c/work,"
        "index=on",
    }


def test_a_program_that_is_not_in_the_image_is_named_and_how_to_get_it() -> None:
    with pytest.raises(FileNotFoundError) as missing:
        subprocess.run(["restic"], check=False, env={"PATH": "/nowhere"})
    trouble = trouble_from(missing.value)
    with pytest.raises(VaultError) as no:
        answer_from(said({"trouble": {"code": trouble.code, "what": trouble.what}}), "export", IMAGE)
    assert no.value.code == "no-program"
    assert no.value.what == "There is no restic in the image that copies."
    assert "refloat doctor" in no.value.then


@pytest.mark.parametrize(("path", "can_be"), [("/srv/a b", True), ("/srv/a,b", False), ("/srv/a:b", False),
                                              ("/srv/a\\b", False)])  # fmt: skip
def test_a_path_that_an_overlay_would_read_otherwise_is_no_option_of_it(path: str, can_be: bool) -> None:
    assert can_be_an_option(path) is can_be
