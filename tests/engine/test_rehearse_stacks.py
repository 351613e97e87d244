"""A stack rehearsed on a real engine: its members find each other and nobody else, and nothing of them is touched."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from runner.facts import Container, Network, Volume
from runner.labels import REHEARSAL
from tests.engine.command_line import Ran
from tests.engine.upgrade_lab import BUSYBOX, MISBEHAVE, Bench, bench_on
from tests.lab.engines import until

MEMBERS = ("db", "web", "side")


@pytest.fixture
def bench(lab_images: str, tmp_path: Path) -> Iterator[Bench]:
    with bench_on(lab_images, tmp_path / "home") as bench:
        yield bench


@pytest.fixture
def shop(bench: Bench) -> Bench:
    """A database, a web server on its network, one that lives in that one's network and reads its data, a stranger."""
    bench.docker("network", "create", bench.name)
    on = ("--network", bench.name, "--network-alias")
    bench.run(f"{MISBEHAVE}:1.0", *on, "stranger", name=f"{bench.name}-stranger")
    bench.run(f"{MISBEHAVE}:1.0", *on, "db", "--volume", f"{bench.data}-db:/data", name=f"{bench.name}-db")
    bench.run(f"{MISBEHAVE}:1.0", *on, "web", "--volume", f"{bench.data}-web:/data", "--restart", "always",
              "--env", "SECRET=s3cret", name=f"{bench.name}-web")  # fmt: skip
    bench.run(BUSYBOX, "--network", f"container:{bench.name}-web", "--volume", f"{bench.data}-web:/data:ro",
              "--stop-timeout", "1", name=f"{bench.name}-side", command=("sleep", "1d"))  # fmt: skip
    for host in ("db", "stranger", "127.0.0.1"):
        until(lambda host=host: answers(bench, host), f"{host} answers")  # type: ignore[misc]  # each its own
    bench.docker("exec", f"{bench.name}-web", "sh", "-c", "echo mine >/data/token")
    return bench


def answers(bench: Bench, host: str) -> bool:
    page = ("wget", "-q", "-O", "-", f"http://{host}:8000/health")
    return bench.docker("exec", f"{bench.name}-side", *page, check=False) != ""


def stack_file(bench: Bench) -> str:
    """The stack, and what is asked of its members before and after."""

    def page(name: str, host: str) -> dict[str, object]:
        argv = ["sh", "-c", f"wget -q -O /dev/null http://{host}:8000/health && echo yes || echo no"]
        return {"kind": "command", "name": name, "argv": argv, "compare": "equal"}

    stranger = bench.engine.container(f"{bench.name}-stranger").endpoints[0].address
    token = {"kind": "command", "name": "token", "argv": ["cat", "/data/token"], "compare": "equal"}
    targets = {
        f"{bench.name}-web": {"evidence": [page("the database", "db"), page("the stranger", stranger)]},
        f"{bench.name}-side": {"evidence": [page("its host", "127.0.0.1"), token]},
    }
    members = {f"{bench.name}-db": "migrates", f"{bench.name}-side": "same", f"{bench.name}-web": "2.0"}
    stacks = {f"{bench.name}-shop": {"members": members, "vault": bench.vault}}
    file = bench.home.parent / "refloat.yaml"
    file.write_text(json.dumps({"targets": targets, "stacks": stacks}))
    return str(file)


def rehearse(bench: Bench, *line: str, **variables: str) -> Ran:
    return bench.refloat(
        "rehearse", f"{bench.name}-shop", "--dwell", "1", *line, REFLOAT_CONFIG=stack_file(bench), **variables
    )


def processes(bench: Bench) -> list[tuple[str, str, int, str]]:
    """Which process of each member runs, and how it is."""
    seen = [bench.engine.container(f"{bench.name}-{member}") for member in MEMBERS]
    return [(each.id, each.state.started_at, each.state.pid, each.state.status) for each in seen]


def left(bench: Bench) -> list[str]:
    """All that a rehearsal of this bench might have forgotten."""
    runs = tuple(path.name.removesuffix(".json") for path in bench.home.glob("rehearsals/*"))
    engine = bench.engine
    seen: tuple[Container | Volume | Network, ...] = (*engine.containers(), *engine.volumes(), *engine.networks())
    things = [
        each.name for each in seen if each.labels.get("refloat.run", each.labels.get(REHEARSAL, "")).startswith(runs)
    ]
    tags = [tag for image in engine.images() for tag in image.tags if any(run in tag for run in runs)]
    return [*things, *tags, *bench.snapshots()]


def test_members_find_each_other_and_nobody_else_and_nothing_of_theirs_is_touched(shop: Bench) -> None:
    before = processes(shop)
    page = shop.home.parent / "report.html"
    ran = rehearse(shop, "--json", "--report", str(page))
    assert ran.status == 0, ran.told
    assert (ran.json["passed"], ran.json["rolled_back"]) == (True, True)
    members = {str(member["target"]).rpartition("-")[2]: member for member in ran.json["members"]}  # type: ignore[attr-defined]
    assert list(members) == ["db", "web", "side"]
    drift, evidence = ["\n".join(map(str, members["web"][key])) for key in ("drift", "evidence")]
    assert "the stranger" in drift
    assert "the database" not in drift
    assert "'the database', 'ok': True" in evidence
    assert not members["side"]["drift"]
    assert {one["name"]: one["after"] for one in members["side"]["evidence"]} == {"its host": "yes", "token": "mine"}
    assert members["db"]["changes"][0]["source"] == f"volume {shop.data}-db"
    assert f"{shop.name}-side" in page.read_text(encoding="utf-8")
    assert "s3cret" not in page.read_text(encoding="utf-8") + ran.out + ran.err
    assert processes(shop) == before
    assert left(shop) == []


def test_killed_the_next_call_clears_it_away_and_wakes_all_up(shop: Bench) -> None:
    before = processes(shop)
    for boundary in ("performed pause", "did start-successor#2"):
        died = rehearse(shop, REFLOAT_DEBUG_KILL_AT=boundary)
        assert died.status == -9, died.told
        assert "Cleared away what a rehearsal" in shop.refloat("ls").err
        assert processes(shop) == before
        assert left(shop) == []
