"""Opqo's way of upgrading, on its stand-in: the administrator's device first, then the rest; nothing is lost."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import pytest

from tests.engine.command_line import Ran
from tests.engine.upgrade_lab import Bench, bench_on
from tests.lab.engines import until

OPQO = "refloat-lab/opqo"
ANSWERED = ("--answer", "administrator=maxadmin", "--answer", "old-clients=the release notes say so")
EVIDENCE = "{name: retained, kind: command, argv: [opqo, retained], compare: equal}"


@pytest.fixture
def bench(lab_images: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    """A server with settings of its own, and two devices: that of an administrator and that of a user."""
    with bench_on(lab_images, tmp_path / "home") as made:
        made.docker("network", "create", made.name)
        server = f"{made.name}-server"
        made.run(f"{OPQO}-server:7.6.1", "--network", made.name, "--volume", f"{server}:/data", name=server)
        own = "until opqo status; do sleep 0.1; done; echo theme dark >/data/settings; echo user >>/data/members"
        made.docker("exec", server, "sh", "-c", own)
        for name, user in ((made.name, "maxadmin"), (device(made), "user")):
            told = ("--env", f"MAXIMO={server}", "--env", f"OPQO_USER={user}")
            made.run(f"{OPQO}:21.06.0", "--network", made.name, "--volume", f"{name}:/data", *told, name=name)
            until(lambda name=name: usable(made, name), f"{name} usable")  # type: ignore[misc]  # of this very turn
        file = tmp_path / "refloat.yaml"
        file.write_text(f"targets: {{canary: {{container: {made.name}, evidence: [{EVIDENCE}]}}}}\n")
        monkeypatch.setenv("REFLOAT_CONFIG", str(file))
        yield made


def device(bench: Bench) -> str:
    return f"{bench.name}-two"


def says(bench: Bench, name: str) -> str:
    return bench.docker("exec", name, "opqo", "status", check=False)


def usable(bench: Bench, name: str) -> bool:
    return says(bench, name) == "ok"


def upgrade(bench: Bench, target: str, version: str, *line: str) -> Ran:
    return bench.refloat("apply", target, "--to", version, "--vault", bench.vault, "--dwell", "1", *ANSWERED, *line)


def retained(bench: Bench) -> list[str]:
    return bench.exec("opqo", "retained").splitlines()


def test_the_administrators_device_goes_first_and_what_was_configured_is_retained(bench: Bench) -> None:
    waiting = bench.apply("--to", "22.03.0", "--json")
    assert (waiting.status, waiting.error) == (75, "gate-open"), waiting.out
    planned = bench.plan("--to", "22.03.0").out
    assert "Only an administrator can do it. On one device first, then on the rest." in planned
    too_early = upgrade(bench, device(bench), "22.03.0", "--deadline", "8")
    assert too_early.status == 5, too_early.out + too_early.err
    assert "administrator needed" in too_early.out
    assert usable(bench, device(bench))
    first = upgrade(bench, "canary", "22.03.0")
    assert first.status == 0, first.out + first.err
    assert retained(bench) == ["theme dark", "maxadmin", "user"]
    assert usable(bench, device(bench)), "an old client on the new configuration"
    rest = upgrade(bench, device(bench), "22.03.0")
    assert rest.status == 0, rest.out + rest.err


def as_one(bench: Bench, canary: str, *, hooks: Sequence[Mapping[str, object]] = (), **other: object) -> Ran:
    """The server, the administrator's device, then the other one, which keeps its version; `other` is for that one."""
    server = f"{bench.name}-server"
    kept = {
        "name": "retained",
        "kind": "command",
        "argv": ["cat", "/data/settings", "/data/members"],
        "compare": "equal",
    }
    told = {"answers": {"administrator": "maxadmin", "old-clients": "the release notes say so"}}
    targets = {server: {"evidence": [kept]}, bench.name: {**told, "hooks": hooks}, device(bench): other}
    members = {server: "same", bench.name: canary, device(bench): "same"}
    file = bench.home.parent / "stack.json"
    file.write_text(json.dumps({"targets": targets, "stacks": {"opqo": {"members": members, "vault": bench.vault}}}))
    return bench.refloat("apply", "opqo", "--dwell", "1", REFLOAT_CONFIG=str(file))


def test_as_a_stack_the_servers_configuration_goes_back_where_old_clients_cannot_follow(bench: Bench) -> None:
    """An optional change is triggered by hooks: delete the script, log in; between the two nobody can use it."""
    server = f"{bench.name}-server"
    before = bench.tree(server)
    failed = as_one(bench, "23.09.0", deadline_s=8)
    assert failed.status == 5, failed.told
    assert "too old" in failed.out
    assert bench.tree(server) == before
    assert all(usable(bench, name) for name in (bench.name, device(bench)))
    reduced = {"when": "before-verdict", "where": "container"}
    delete = {**reduced, "argv": ["sh", "-c", "opqo status | grep ^reduced && opqo delete | grep deleted"]}
    login = {**reduced, "argv": ["opqo", "login"], "confirm": ["sh", "-c", "opqo status | grep -x ok"]}
    gone = as_one(bench, "22.09.0", hooks=(delete, login))
    assert gone.status == 0, gone.told
    assert says(bench, bench.name) == "ok"
    assert usable(bench, device(bench)), "an old client on the new configuration"
    assert retained(bench) == ["theme dark", "maxadmin", "user"]
